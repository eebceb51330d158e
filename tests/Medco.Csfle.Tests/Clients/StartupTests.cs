using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Driver;
using Moq;

namespace Medco.Csfle.Tests.Clients;

public sealed class StartupTests : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly InMemoryKeyVaultStore _store = new();

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task All_missing_data_keys_are_named_with_those_that_are_there(bool isAsync)
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>().AddCollection<Note>());
        factory.Keys.CreateDataKey("medco-pacients");

        var exception = await Assert.ThrowsAsync<DataKeyException>(() => Initialize(factory, isAsync));

        Assert.Equal(CsfleErrorCode.DataKeyNotFound, exception.Code);
        Assert.Contains("'medco-patients', 'medco-notes'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("empty or misnamed", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'medco-pacients'", exception.Message, StringComparison.Ordinal);
        Assert.Single(_store.List());
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Missing_data_keys_are_created_where_that_is_asked_for_and_the_others_are_kept(bool isAsync)
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>().AddCollection<Note>().CreateMissingDataKeys());
        var existing = await factory.Keys.CreateDataKeyAsync("medco-notes");

        await Initialize(factory, isAsync);

        Assert.Equal(existing, await factory.Keys.FindDataKeyAsync("medco-notes"));
        Assert.NotNull(factory.Keys.FindDataKey("medco-patients"));
        Assert.Equal(2, _store.List().Count);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_data_key_that_does_not_unwrap_is_an_error_and_never_a_new_key(bool isAsync)
    {
        using (var other = LocalMasterKey.Generate())
        using (var service = new KeyVaultService(_store, [new LocalKeyManagementService(other)]))
        {
            service.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["medco-patients"] });
        }

        using var factory = Factory(csfle => csfle.AddCollection<Patient>().CreateMissingDataKeys());

        var exception = await Assert.ThrowsAsync<DataKeyException>(() => Initialize(factory, isAsync));

        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, exception.Code);
        Assert.Single(_store.List());
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_key_that_somebody_else_creates_meanwhile_is_used(bool isAsync)
    {
        var racing = new Mock<IKeyVaultStore>();
        racing.Setup(store => store.Find(It.IsAny<IReadOnlyCollection<Guid>>(), It.IsAny<IReadOnlyCollection<string>>(), default))
            .Returns((IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> names, CancellationToken _) => _store.Find(ids, names));
        racing.Setup(store => store.FindAsync(It.IsAny<IReadOnlyCollection<Guid>>(), It.IsAny<IReadOnlyCollection<string>>(), default))
            .Returns((IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> names, CancellationToken _) => _store.FindAsync(ids, names));
        racing.Setup(store => store.FindMatching(It.IsAny<ReadOnlyMemory<byte>>(), default)).Returns((ReadOnlyMemory<byte> filter, CancellationToken _) => _store.FindMatching(filter));
        racing.Setup(store => store.FindMatchingAsync(It.IsAny<ReadOnlyMemory<byte>>(), default)).Returns((ReadOnlyMemory<byte> filter, CancellationToken _) => _store.FindMatchingAsync(filter));
        racing.Setup(store => store.Insert(It.IsAny<DataKeyDocument>(), default)).Callback((DataKeyDocument key, CancellationToken _) =>
        {
            OtherCreatesIt();
            _store.Insert(key);
        });
        racing.Setup(store => store.InsertAsync(It.IsAny<DataKeyDocument>(), default)).Returns((DataKeyDocument key, CancellationToken _) =>
        {
            OtherCreatesIt();
            return _store.InsertAsync(key);
        });
        using var factory = Factory(csfle => csfle.UseKeyVault(racing.Object).AddCollection<Patient>().CreateMissingDataKeys());

        await Initialize(factory, isAsync);

        Assert.Contains(Assert.Single(_store.List()).Id.ToString("N"), KeyIdsIn(factory.Schemas["medicalRecords.patients"]), StringComparison.Ordinal);

        void OtherCreatesIt()
        {
            using var service = new KeyVaultService(_store, [new LocalKeyManagementService(_masterKey)]);
            service.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["medco-patients"] });
        }
    }

    [Fact]
    public async Task Many_starts_at_once_make_one_start()
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>().CreateMissingDataKeys());

        await Task.WhenAll(Enumerable.Range(0, 32).Select(number => Task.Run(() => Initialize(factory, isAsync: number % 2 == 0))));

        Assert.Single(_store.List());
    }

    [Fact]
    public async Task Every_mistake_in_all_classes_and_schemas_is_reported_at_once()
    {
        using var factory = Factory(csfle => csfle
            .AddCollection<Mistaken>("app.mistaken")
            .AddCollection<Note>("app.notes")
            .AddCollection("app.json", "{ no json")
            .AddCollection("app.schema", """{ "properties": { "a": { "encrypt": { "algorithm": "x" } } } }"""));

        var exception = await Assert.ThrowsAsync<EncryptionSchemaException>(() => factory.InitializeAsync());

        Assert.Contains(exception.Errors, error => error.Location == "app.mistaken: Mistaken.Flag");
        Assert.Contains(exception.Errors, error => error.Location == "app.mistaken: Mistaken.Price");
        Assert.Contains(exception.Errors, error => error.Location == "app.json");
        Assert.Contains(exception.Errors, error => error.Location.StartsWith("app.schema: ", StringComparison.Ordinal));
        Assert.DoesNotContain(exception.Errors, error => error.Location.StartsWith("app.notes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_start_that_failed_is_tried_again()
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>());
        await Assert.ThrowsAsync<DataKeyException>(() => factory.InitializeAsync());

        await factory.Keys.CreateDataKeyAsync("medco-patients");
        await factory.InitializeAsync();

        Assert.Equal(["medicalRecords.patients"], factory.Schemas.Keys);
    }

    [Fact]
    public void Schemas_are_not_known_before_the_start()
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>());

        var exception = Assert.Throws<CsfleConfigurationException>(() => factory.Schemas);

        Assert.Equal(CsfleErrorCode.NotStarted, exception.Code);
    }

    [Fact]
    public async Task A_client_used_before_the_start_fails_with_the_error_of_the_start_and_sends_nothing()
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>(_server.Namespace("patients")));
        using var client = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();

        await Assert.ThrowsAsync<DataKeyException>(() => Collection(client, "patients").InsertOneAsync(JonDoe.Create().ToBsonDocument()));

        Assert.Empty(await Collection(plain, "patients").Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
    }

    [Fact]
    public async Task A_schema_in_json_names_its_key_by_id_and_the_key_must_be_there()
    {
        var ns = _server.Namespace("people");
        var keyId = Guid.NewGuid();
        using var factory = Factory(csfle => csfle.AddCollection(ns, Schema(keyId)));

        var exception = await Assert.ThrowsAsync<DataKeyException>(() => factory.InitializeAsync());

        Assert.Equal(CsfleErrorCode.DataKeyNotFound, exception.Code);
        Assert.Equal(keyId, exception.KeyId);
    }

    [Fact]
    public async Task A_schema_in_json_encrypts()
    {
        var ns = _server.Namespace("people");
        using var keys = Factory(_ => { });
        using var factory = Factory(csfle => csfle.AddCollection(ns, Schema(keys.Keys.CreateDataKey("example"))));
        await factory.InitializeAsync();
        using var client = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();

        await Collection(client, "people").InsertOneAsync(new BsonDocument("ssn", "123-45-6789"));

        Assert.True((await Collection(plain, "people").Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"].IsBsonBinaryData);
        Assert.Equal("123-45-6789", (await Collection(client, "people").Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"]);
    }

    [Fact]
    public async Task A_schema_built_from_a_class_is_the_one_that_was_registered_as_json()
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>().CreateMissingDataKeys());
        await factory.InitializeAsync();
        var schema = factory.Schemas["medicalRecords.patients"];

        using var again = Factory(csfle => csfle.AddCollection("medicalRecords.patients", schema.ToJson()));
        await again.InitializeAsync();

        Assert.Equal(schema.ToBson(), again.Schemas["medicalRecords.patients"].ToBson());
    }

    [Fact]
    public async Task Start_up_can_be_cancelled()
    {
        using var factory = Factory(csfle => csfle.AddCollection<Patient>());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => factory.InitializeAsync(new CancellationToken(canceled: true)));
        Assert.ThrowsAny<OperationCanceledException>(() => factory.Initialize(new CancellationToken(canceled: true)));
    }

    public void Dispose()
    {
        _masterKey.Dispose();
        _server.Dispose();
    }

    private static string Schema(Guid keyId) => $$"""
        {
          "bsonType": "object",
          "properties": {
            "ssn": { "encrypt": {
              "keyId": [ { "$binary": { "base64": "{{Convert.ToBase64String(keyId.ToByteArray(bigEndian: true))}}", "subType": "04" } } ],
              "bsonType": "string",
              "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"
            } }
          }
        }
        """;

    private static string KeyIdsIn(EncryptionSchema schema)
        => string.Join(' ', Medco.Csfle.Schema.RegisteredCollections.KeyIdsIn([schema]).Select(id => id.ToString("N")));

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
        .UseLocalMasterKey(_masterKey)));

    private IMongoCollection<BsonDocument> Collection(IMongoClient client, string name)
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace(name));
        return client.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(ns.CollectionName);
    }

    [EncryptedCollection("medicalRecords.notes"), DataKey("medco-notes")]
    private sealed class Note
    {
        [Random]
        public string Text { get; set; } = "";
    }

    [DataKey("key")]
    private sealed class Mistaken
    {
        [Deterministic]
        public bool Flag { get; set; }

        [Deterministic]
        public decimal Price { get; set; }
    }
}
