using System.Runtime.CompilerServices;
using System.Text;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Driver;

namespace Medco.Csfle.Tests;

/// <summary>Patients of MedcoMD, a key vault in memory that has their data key, and clients for them.</summary>
public sealed class Patients : IDisposable
{
    private readonly MongoServer _server;
    private readonly CsfleClientFactory _factory;

    // Before any test: what maps the classes first, freezes how they are mapped.
    [ModuleInitializer]
    internal static void RegisterConventions() => ConventionRegistry.Register(
        nameof(Patients),
        new ConventionPack { new CamelCaseElementNameConvention(), new IgnoreExtraElementsConvention(true) },
        type => type.Namespace == typeof(Patient).Namespace);

    public Patients()
        : this((_, _) => { })
    {
    }

    /// <summary>The same, set up further; the callback gets the name of the test's database.</summary>
    internal Patients(Action<CsfleBuilder, string> configure, bool asReplicaSet = false)
    {
        _server = new MongoServer(asReplicaSet);
        Namespace = CollectionNamespace.FromFullName(_server.Namespace("patients"));
        _factory = CsfleClientFactory.Create(csfle =>
        {
            csfle.ConnectTo(_server.ConnectionString)
                .UseKeyVault(new InMemoryKeyVaultStore())
                .UseLocalMasterKey(LocalMasterKey.Generate())
                .AddCollection<Patient>(Namespace.FullName)
                .CreateMissingDataKeys();
            configure(csfle, Namespace.DatabaseNamespace.DatabaseName);
        });
        Encrypted = _factory.CreateEncryptedClient();
        Plain = _factory.CreateUnencryptedClient();
    }

    public CollectionNamespace Namespace { get; }

    public ICsfleClientFactory Factory => _factory;

    public IMongoClient Encrypted { get; }

    public IMongoClient Plain { get; }

    public IMongoCollection<Patient> Doctor => Collection<Patient>(Encrypted);

    public IMongoCollection<BsonDocument> Receptionist => Collection<BsonDocument>(Plain);

    public IMongoCollection<T> Collection<T>(IMongoClient client)
        => client.GetDatabase(Namespace.DatabaseNamespace.DatabaseName).GetCollection<T>(Namespace.CollectionName);

    /// <summary>The commands that reached the server, but for those that a driver sends by itself.</summary>
    public IReadOnlyList<ReceivedCommand> Commands => [.. _server.Commands.Where(command => command.Name is not ("hello" or "isMaster" or "ping" or "buildInfo" or "endSessions"))];

    /// <summary>Forgets the commands received so far.</summary>
    public void ClearCommands() => _server.ClearCommands();

    /// <summary>Asserts that no command that reached the server has a text in it.</summary>
    public void AssertNeverSent(string text)
        => Assert.All(_server.Commands, command => Assert.Equal(-1, command.Bytes.Span.IndexOf(Encoding.UTF8.GetBytes(text))));

    /// <summary>Asserts that an operation is refused with an error of this library before anything of it reaches the server.</summary>
    public async Task<QueryAnalysisException> Refused(Func<Task> operation)
    {
        _server.ClearCommands();
        var exception = await Assert.ThrowsAnyAsync<QueryAnalysisException>(operation);
        // What a collection is that nobody registered, the library asks; the question holds no value.
        Assert.All(Commands, command => Assert.Equal("listCollections", command.Name));
        return exception;
    }

    public IMongoCollection<T> Other<T>(string collection)
        => Encrypted.GetDatabase(Namespace.DatabaseNamespace.DatabaseName).GetCollection<T>(collection);

    public IMongoCollection<BsonDocument> OtherInClear(string collection)
        => Plain.GetDatabase(Namespace.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(collection);

    public void Dispose()
    {
        Encrypted.Dispose();
        Plain.Dispose();
        _factory.Dispose();
        _server.Dispose();
    }
}
