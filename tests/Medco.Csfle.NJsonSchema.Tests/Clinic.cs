using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Tests;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.NJsonSchema.Tests;

/// <summary>A collection of objects of a class whose validator the class says, and clients for it.</summary>
public sealed class Clinic<T> : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly CsfleClientFactory _factory;
    private readonly IMongoClient _encrypted;
    private readonly IMongoClient _plain;

    public Clinic(Action<ClassSchemaOptions>? configure = null, ILoggerFactory? loggers = null, Action<EncryptedClass<T>>? declare = null)
    {
        Namespace = CollectionNamespace.FromFullName(_server.Namespace("visits"));
        _factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo(_server.ConnectionString)
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate())
            .AddCollection(Namespace.FullName, declare ?? (_ => { }))
            .CreateMissingDataKeys()
            .LogTo(loggers ?? NullLoggerFactory.Instance)
            .EnforceOnServer(options => options.UseClassSchema(schema =>
            {
                schema.ReportUnenforced = Unenforced.Add;
                configure?.Invoke(schema);
            })));
        _factory.InitializeAsync().GetAwaiter().GetResult();
        _encrypted = _factory.CreateEncryptedClient();
        _plain = _factory.CreateUnencryptedClient();
    }

    public CollectionNamespace Namespace { get; }

    public CsfleEnforcement Enforcement => _factory.Enforcement;

    public List<UnenforcedConstraint> Unenforced { get; } = [];

    public IMongoCollection<T> Objects => Collection<T>(_encrypted);

    /// <summary>Documents as they are, encrypted on their way.</summary>
    public IMongoCollection<BsonDocument> Documents => Collection<BsonDocument>(_encrypted);

    /// <summary>Documents as they are, in clear.</summary>
    public IMongoCollection<BsonDocument> Stored => Collection<BsonDocument>(_plain);

    public IMongoDatabase Database => _plain.GetDatabase(Namespace.DatabaseNamespace.DatabaseName);

    public BsonDocument JsonSchema
        => Database.ListCollections(new ListCollectionsOptions { Filter = new BsonDocument("name", Namespace.CollectionName) })
            .Single()["options"]["validator"]["$jsonSchema"].AsBsonDocument;

    public void Dispose()
    {
        _encrypted.Dispose();
        _plain.Dispose();
        _factory.Dispose();
        _server.Dispose();
    }

    private IMongoCollection<TDocument> Collection<TDocument>(IMongoClient client)
        => client.GetDatabase(Namespace.DatabaseNamespace.DatabaseName).GetCollection<TDocument>(Namespace.CollectionName);
}
