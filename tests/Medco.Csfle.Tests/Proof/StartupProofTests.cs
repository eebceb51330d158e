using MedcoMd.Model;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Keys;
using Medco.Csfle.Proof;
using Medco.Csfle.Tests.Observed;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;
using Moq;

namespace Medco.Csfle.Tests.Proof;

/// <summary>The application starts when what is registered is proven to be encrypted, and not otherwise.</summary>
public sealed class StartupProofTests : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly Recorder _recorder = new();

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    public void Dispose()
    {
        _recorder.Dispose();
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Every_registered_collection_is_proven(bool isAsync)
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>("app.patients").AddCollection("app.json", Schema()));

        await Initialize(factory, isAsync);

        Assert.Contains(_recorder.Logs, log => log.Contains("4 paths of app.patients", StringComparison.Ordinal));
        Assert.Contains(_recorder.Logs, log => log.Contains("1 paths of app.json", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_provider_that_lets_everything_through_is_an_error(bool isAsync)
    {
        var controller = new Mock<IAutoEncryptionLibMongoCryptController>();
        controller.Setup(each => each.EncryptFields(It.IsAny<string>(), It.IsAny<byte[]>(), default)).Returns((string _, byte[] command, CancellationToken _) => command);
        controller.Setup(each => each.EncryptFieldsAsync(It.IsAny<string>(), It.IsAny<byte[]>(), default)).Returns((string _, byte[] command, CancellationToken _) => Task.FromResult(command));

        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Prove(controller.Object, isAsync));

        Assert.Equal((CsfleErrorCode.ProofFailed, "app.json", "ssn"), (exception.Code, exception.Collection, exception.Path));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_provider_that_refuses_the_insert_is_an_error_with_the_reason(bool isAsync)
    {
        var reason = new QueryAnalysisException(CsfleErrorCode.ValueNotEncryptable, "No", "Remedy", "app.json", "ssn");
        var controller = new Mock<IAutoEncryptionLibMongoCryptController>();
        controller.Setup(each => each.EncryptFields(It.IsAny<string>(), It.IsAny<byte[]>(), default)).Throws(reason);
        controller.Setup(each => each.EncryptFieldsAsync(It.IsAny<string>(), It.IsAny<byte[]>(), default)).ThrowsAsync(reason);

        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Prove(controller.Object, isAsync));

        Assert.Same(reason, exception.InnerException);
        Assert.Equal("ssn", exception.Path);
    }

    [Fact]
    public async Task A_driver_that_makes_no_controller_is_an_error()
    {
        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Prove(null!, isAsync: true));

        Assert.Equal(CsfleErrorCode.ProviderNotWired, exception.Code);
    }

    [Fact]
    public void The_driver_hands_the_commands_of_our_clients_to_us()
    {
        using var factory = Factory(csfle => csfle.AddCollection("app.json", Schema()));
        using var client = factory.CreateEncryptedClient();

        using var controller = MongoClientSettings.Extensions.AutoEncryptionProvider.CreateAutoCryptClientController(client, client.Settings.AutoEncryptionOptions);

        Assert.IsType<Medco.Csfle.Clients.ManagedEncryptionController>(controller);
    }

    [Fact]
    public async Task What_cannot_be_proven_is_logged()
    {
        using var factory = Factory(csfle => csfle
            .AddCollection("app.tenants", """{"bsonType": "object", "properties": {"x": {"encrypt": {"keyId": "/tenant", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}}}""")
            .AddCollection("app.plain", "{}"));

        await factory.InitializeAsync();

        Assert.Contains(_recorder.Logs, log => log.Contains("Not proven at start-up: path x of app.tenants", StringComparison.Ordinal) && log.Contains("no key with a name", StringComparison.Ordinal));
        Assert.Contains(_recorder.Logs, log => log.Contains("app.plain is registered, but its schema encrypts nothing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_that_documents_name_is_taken_from_the_key_vault_and_one_that_does_not_unwrap_is_passed_over()
    {
        using (var other = LocalMasterKey.Generate())
        using (var service = new KeyVaultService(_store, [new LocalKeyManagementService(other)]))
        {
            service.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["foreign"] });
        }

        using var factory = Factory(csfle => csfle.AddCollection("app.tenants", """{"bsonType": "object", "properties": {"x": {"encrypt": {"keyId": "/tenant", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}}}"""));
        factory.Keys.CreateDataKey("tenant1");

        await factory.InitializeAsync();

        Assert.Contains(_recorder.Logs, log => log.Contains("1 paths of app.tenants", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_canary_flies_through_our_clients_and_leaves_nothing(bool isAsync)
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("people"));
        using var factory = Factory(csfle => csfle.AddCollection(ns.FullName, Schema()).UseCanary("_canary"));

        await Initialize(factory, isAsync);

        Assert.Contains(_recorder.Logs, log => log.Contains($"stored encrypted in {ns.FullName}_canary", StringComparison.Ordinal));
        using var plain = factory.CreateUnencryptedClient();
        var database = plain.GetDatabase(ns.DatabaseNamespace.DatabaseName);
        Assert.Empty(await database.GetCollection<BsonDocument>("people_canary").Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
        Assert.DoesNotContain("people", await (await database.ListCollectionNamesAsync()).ToListAsync());
        Assert.Equal([ns.FullName], factory.Schemas.Keys);
    }

    [Fact]
    public async Task Without_being_asked_for_no_canary_flies()
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("people"));
        using var factory = Factory(csfle => csfle.AddCollection(ns.FullName, Schema()));

        await factory.InitializeAsync();

        using var plain = factory.CreateUnencryptedClient();
        Assert.Empty(await (await plain.GetDatabase(ns.DatabaseNamespace.DatabaseName).ListCollectionNamesAsync()).ToListAsync());
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_canary_that_cannot_be_written_stops_the_start(bool isAsync)
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("people"));
        using var factory = Factory(csfle => csfle.AddCollection(ns.FullName, Schema()).UseCanary());
        using var plain = factory.CreateUnencryptedClient();
        var database = plain.GetDatabase(ns.DatabaseNamespace.DatabaseName);
        await database.CreateCollectionAsync("people.csfle_canary", new CreateCollectionOptions<BsonDocument> { Validator = new BsonDocument("impossible", 1) });

        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Initialize(factory, isAsync));

        Assert.Equal(CsfleErrorCode.CanaryFailed, exception.Code);
        Assert.Throws<CsfleConfigurationException>(() => factory.Schemas);
        Assert.Contains(_recorder.Logs, log => log.Contains($"did not start: {CsfleErrorCode.CanaryFailed}", StringComparison.Ordinal));

        await database.DropCollectionAsync("people.csfle_canary");
        await Initialize(factory, isAsync);
    }

    [Fact]
    public async Task A_canary_does_not_fly_in_a_registered_collection()
    {
        using var factory = Factory(csfle => csfle.AddCollection("app.a", Schema()).AddCollection("app.ab", Schema()).UseCanary("b"));

        var exception = await Assert.ThrowsAsync<CsfleConfigurationException>(() => factory.InitializeAsync());

        Assert.Equal("UseCanary", Assert.Single(exception.Errors).Option);
    }

    [Fact]
    public async Task Operations_that_wait_for_the_start_do_not_overtake_its_proof()
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("people"));
        using var factory = Factory(csfle => csfle.AddCollection(ns.FullName, Schema()).UseCanary());
        using var client = factory.CreateEncryptedClient();
        var people = client.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(ns.CollectionName);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(() => people.InsertOneAsync(new BsonDocument("ssn", $"{number}")))));

        Assert.Equal(8, await people.CountDocumentsAsync(FilterDefinition<BsonDocument>.Empty));
        Assert.Single(_recorder.Logs, log => log.Contains("is ready", StringComparison.Ordinal));
    }

    private string Schema()
    {
        using var service = new KeyVaultService(_store, [new LocalKeyManagementService(_masterKey)]);
        var id = service.CreateDataKey("local");
        return """{"bsonType": "object", "properties": {"ssn": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}""".Replace("KEY", $"{id}", StringComparison.Ordinal);
    }

    private async Task Prove(IAutoEncryptionLibMongoCryptController controller, bool isAsync)
    {
        var keys = new CsfleKeys(() => _store, [KmsRegistration.Local(LocalMasterKeySource.Given(_masterKey), null)], "local", NullLoggerFactory.Instance);
        var proof = new StartupProof(new CsfleOptions(), keys, () => controller, () => throw new InvalidOperationException(), () => throw new InvalidOperationException(), NullLogger.Instance);
        var schemas = new Dictionary<string, EncryptionSchema> { ["app.json"] = EncryptionSchema.Parse(Schema()) };
        if (isAsync)
        {
            await proof.RunAsync(schemas, default);
        }
        else
        {
            proof.Run(schemas, default);
        }
    }

    private static async Task Initialize(CsfleClientFactory factory, bool isAsync)
    {
        if (isAsync)
        {
            await factory.InitializeAsync();
        }
        else
        {
            factory.Initialize();
        }
    }

    private CsfleClientFactory Factory(Action<CsfleBuilder> configure) => CsfleClientFactory.Create(csfle => configure(csfle
        .ConnectTo(_server.ConnectionString)
        .UseKeyVault(_store)
        .UseLocalMasterKey(_masterKey)
        .CreateMissingDataKeys()
        .LogTo(_recorder)));
}
