using Medco.Csfle.TestServer;
using MongoDB.Driver;

namespace Medco.Csfle.Tests;

/// <summary>
/// The server a test runs against: one in this process, or the one that <c>MONGODB_URI</c> names. Databases have names that no
/// other test uses, and are dropped at the end.
/// </summary>
public sealed class MongoServer : IDisposable
{
    private readonly string? _external = Environment.GetEnvironmentVariable("MONGODB_URI");
    private readonly InProcessMongoServer? _inProcess;
    private readonly string _suffix = Guid.NewGuid().ToString("N")[..12];
    private readonly HashSet<string> _databases = [];

    /// <summary>Starts the server in this process, if none is named.</summary>
    /// <param name="asReplicaSet">Whether it has transactions and change streams; a test that needs them on any server is a <see cref="ReplicaSetFactAttribute"/>.</param>
    public MongoServer(bool asReplicaSet = false)
    {
        if (!string.IsNullOrEmpty(_external)) return;
        _inProcess = asReplicaSet ? InProcessMongoServer.StartReplicaSet() : InProcessMongoServer.Start();
    }

    public string ConnectionString => _inProcess?.ConnectionString ?? _external!;

    /// <summary>The commands that reached the server; none are known of a server elsewhere.</summary>
    public IReadOnlyList<ReceivedCommand> Commands => _inProcess?.Commands ?? [];

    /// <summary>Forgets the commands received so far.</summary>
    public void ClearCommands() => _inProcess?.ClearCommands();

    /// <summary>The name of a collection in a database of this test alone.</summary>
    public string Namespace(string collection)
    {
        var database = $"csfle_{_suffix}";
        _databases.Add(database);
        return $"{database}.{collection}";
    }

    public void Dispose()
    {
        if (_inProcess is not null)
        {
            _inProcess.Dispose();
            return;
        }

        using var client = new MongoClient(_external);
        foreach (var database in _databases) client.DropDatabase(database);
    }
}
