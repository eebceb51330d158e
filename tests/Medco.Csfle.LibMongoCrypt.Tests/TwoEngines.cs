using System.Runtime.CompilerServices;
using MedcoMd.Model;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Wire;
using Medco.Csfle.Tests;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Driver;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>
/// Patients of MedcoMD, a client of each engine for them, and one without encryption. What libmongocrypt talks to as its
/// mongocryptd is the endpoint of this library.
/// </summary>
internal sealed class TwoEngines : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();

    [ModuleInitializer]
    internal static void RegisterConventions() => ConventionRegistry.Register(
        nameof(TwoEngines),
        new ConventionPack { new CamelCaseElementNameConvention(), new IgnoreExtraElementsConvention(true) },
        type => type.Namespace == typeof(Patient).Namespace);

    public TwoEngines(Action<LibMongoCryptOptions>? configure = null, Action<CsfleBuilder, string>? configureFurther = null)
    {
        Mongocryptd = QueryAnalysisEndpoint.Start();
        Namespace = CollectionNamespace.FromFullName(_server.Namespace("patients"));
        Factory = NewFactory(configure, configureFurther);
        Official = Factory.CreateEncryptedClient(CsfleEngineKind.LibMongoCrypt);
        Managed = Factory.CreateEncryptedClient(CsfleEngineKind.Managed);
        Plain = Factory.CreateUnencryptedClient();
    }

    public QueryAnalysisEndpoint Mongocryptd { get; }

    public CollectionNamespace Namespace { get; }

    public string KeyVault => $"{Namespace.DatabaseNamespace.DatabaseName}.__keyVault";

    public string ConnectionString => _server.ConnectionString;

    public CsfleClientFactory Factory { get; }

    public IMongoClient Official { get; }

    public IMongoClient Managed { get; }

    public IMongoClient Plain { get; }

    public IMongoCollection<Patient> OfficialPatients => Patients<Patient>(Official);

    public IMongoCollection<Patient> ManagedPatients => Patients<Patient>(Managed);

    public IMongoCollection<BsonDocument> Stored => Patients<BsonDocument>(Plain);

    /// <summary>Another application on the same data.</summary>
    public CsfleClientFactory NewFactory(Action<LibMongoCryptOptions>? configure = null, Action<CsfleBuilder, string>? configureFurther = null)
        => CsfleClientFactory.Create(csfle =>
        {
            csfle.ConnectTo(_server.ConnectionString)
                .UseKeyVault(KeyVault)
                .UseLocalMasterKey(_masterKey)
                .AddCollection<Patient>(Namespace.FullName)
                .CreateMissingDataKeys()
                .UseLibMongoCrypt(options =>
                {
                    options.MongocryptdUri = Mongocryptd.ConnectionString;
                    options.MongocryptdBypassSpawn = true;
                    configure?.Invoke(options);
                });
            configureFurther?.Invoke(csfle, Namespace.DatabaseNamespace.DatabaseName);
        });

    public IMongoCollection<T> Patients<T>(IMongoClient client) => Collection<T>(client, Namespace.CollectionName);

    public IMongoCollection<T> Collection<T>(IMongoClient client, string name)
        => client.GetDatabase(Namespace.DatabaseNamespace.DatabaseName).GetCollection<T>(name);

    public void Dispose()
    {
        Official.Dispose();
        Managed.Dispose();
        Plain.Dispose();
        Factory.Dispose();
        Mongocryptd.Dispose();
        _masterKey.Dispose();
        _server.Dispose();
    }
}
