using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Schema;

/// <summary>A collection of a class of the test, seen through an encrypting client and through a plain one.</summary>
internal sealed class ModelCollection<T> : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly CsfleClientFactory _factory;
    private readonly IMongoClient _encrypted;
    private readonly IMongoClient _plain;

    public ModelCollection(Action<EncryptedClass<T>>? configure = null)
    {
        Namespace = CollectionNamespace.FromFullName(_server.Namespace("documents"));
        _factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo(_server.ConnectionString)
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate())
            .AddCollection<T>(Namespace.FullName, configure ?? (_ => { }))
            .CreateMissingDataKeys());
        _encrypted = _factory.CreateEncryptedClient();
        _plain = _factory.CreateUnencryptedClient();
    }

    public CollectionNamespace Namespace { get; }

    public IMongoCollection<T> Encrypted => As<T>();

    public IMongoCollection<BsonDocument> InClear => _plain.GetDatabase(Namespace.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(Namespace.CollectionName);

    public IMongoCollection<TOther> As<TOther>() => _encrypted.GetDatabase(Namespace.DatabaseNamespace.DatabaseName).GetCollection<TOther>(Namespace.CollectionName);

    /// <summary>Inserts a document, and gives what the server has of it and what reads back.</summary>
    public (BsonDocument Stored, T Read) Insert(T document)
    {
        Encrypted.InsertOne(document);
        return (InClear.Find(FilterDefinition<BsonDocument>.Empty).Single(), Encrypted.Find(FilterDefinition<T>.Empty).Single());
    }

    public void Dispose()
    {
        _encrypted.Dispose();
        _plain.Dispose();
        _factory.Dispose();
        _server.Dispose();
    }
}
