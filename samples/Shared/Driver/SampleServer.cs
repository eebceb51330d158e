using MongoDB.Bson;
using MongoDB.Driver;
using Medco.Csfle.TestServer;

namespace Samples;

/// <summary>
/// The server a sample runs on: one in this process, or the one that MONGODB_URI names. A sample takes its databases for
/// itself and drops them at the end, so it refuses to start where one of them exists.
/// </summary>
internal sealed class SampleServer : IDisposable
{
    private readonly InProcessMongoServer? _inProcess;
    private readonly string[] _databases;

    private SampleServer(InProcessMongoServer? inProcess, string connectionString, string[] databases)
    {
        _inProcess = inProcess;
        ConnectionString = connectionString;
        _databases = databases;
    }

    public string ConnectionString { get; }

    /// <summary>Starts or finds the server.</summary>
    /// <exception cref="InvalidOperationException">A database of the sample exists already.</exception>
    public static SampleServer Open(params string[] databases)
    {
        var uri = Environment.GetEnvironmentVariable("MONGODB_URI");
        if (string.IsNullOrEmpty(uri))
        {
            Console.WriteLine("On the in-process server; MONGODB_URI names another.");
            var server = InProcessMongoServer.Start();
            return new SampleServer(server, server.ConnectionString, databases);
        }

        Console.WriteLine("On the server that MONGODB_URI names.");
        using var client = new MongoClient(uri);
        var existing = client.ListDatabaseNames().ToList().Intersect(databases).ToList();
        return existing.Count == 0
            ? new SampleServer(null, uri, databases)
            : throw new InvalidOperationException(
                $"This server has a database named {string.Join(" and ", existing)}. The sample makes it and drops it at the end: drop it first, or use another server.");
    }

    /// <summary>Drops what the sample made, and stops the server if it is in this process.</summary>
    public void Dispose()
    {
        if (_inProcess is null)
        {
            using var client = new MongoClient(ConnectionString);
            foreach (var database in _databases) client.DropDatabase(database);
        }

        _inProcess?.Dispose();
    }
}
