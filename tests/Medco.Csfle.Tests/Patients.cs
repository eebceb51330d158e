using System.Runtime.CompilerServices;
using MedcoMd.Model;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Driver;

namespace Medco.Csfle.Tests;

/// <summary>Patients of MedcoMD, a key vault in memory that has their data key, and clients for them.</summary>
public sealed class Patients : IDisposable
{
    private readonly MongoServer _server = new();
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
    internal Patients(Action<CsfleBuilder, string> configure)
    {
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
