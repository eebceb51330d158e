using System.Collections.Concurrent;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Keys;
using Medco.Csfle.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Moq;

namespace Medco.Csfle.Tests.Keys;

/// <summary>Data keys in a collection of MongoDB, through the driver.</summary>
public sealed class CsfleKeysTests : IDisposable
{
    private const int Unauthorized = 13;

    private readonly MongoServer _server = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly string _namespace;

    public CsfleKeysTests() => _namespace = _server.Namespace("__keyVault");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_is_created_with_a_name_and_found_by_it(bool isAsync)
    {
        using var factory = Factory();

        var id = isAsync ? await factory.Keys.CreateDataKeyAsync("example") : factory.Keys.CreateDataKey("example");

        Assert.Equal(id, isAsync ? await factory.Keys.FindDataKeyAsync("example") : factory.Keys.FindDataKey("example"));
        Assert.Null(isAsync ? await factory.Keys.FindDataKeyAsync("other") : factory.Keys.FindDataKey("other"));
        var document = await KeyVault(factory).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync();
        Assert.Equal("local", document["masterKey"]["provider"]);
        Assert.Equal(new BsonArray { "example" }, document["keyAltNames"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_cannot_be_taken_twice_even_by_the_first_two_keys_there_are(bool isAsync)
    {
        using var factory = Factory();
        factory.Keys.CreateDataKey("example");

        var exception = await Assert.ThrowsAsync<DataKeyException>(async () => _ = isAsync ? await factory.Keys.CreateDataKeyAsync("example") : factory.Keys.CreateDataKey("example"));

        Assert.Equal(CsfleErrorCode.DuplicateDataKey, exception.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_is_created_where_there_is_none_and_found_from_then_on(bool isAsync)
    {
        using var factory = Factory();

        var id = isAsync ? await factory.Keys.GetOrCreateDataKeyAsync("example") : factory.Keys.GetOrCreateDataKey("example");

        Assert.Equal(id, isAsync ? await factory.Keys.GetOrCreateDataKeyAsync("example") : factory.Keys.GetOrCreateDataKey("example"));
        Assert.Single(await KeyVault(factory).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
    }

    [Fact]
    public async Task Applications_that_start_together_share_one_key()
    {
        var ns = _server.Namespace("patients");
        var factories = Enumerable.Range(0, 8).Select(_ => Factory(csfle => csfle.AddCollection<Patient>(ns).CreateMissingDataKeys())).ToList();

        await Task.WhenAll(factories.Select(factory => factory.InitializeAsync()));

        Assert.Single(factories.Select(factory => factory.Keys.FindDataKey("medco-patients")).Distinct());
        Assert.Single(await KeyVault(factories[0]).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
        factories.ForEach(factory => factory.Dispose());
    }

    [Fact]
    public async Task Start_up_creates_the_unique_index_on_names()
    {
        using var factory = Factory();

        await factory.InitializeAsync();

        var indexes = await (await KeyVault(factory).Indexes.ListAsync()).ToListAsync();
        var index = Assert.Single(indexes, each => each["key"].AsBsonDocument.Contains("keyAltNames"));
        Assert.True(index["unique"].ToBoolean());
        Assert.True(index.Contains("partialFilterExpression"));
    }

    [Fact]
    public async Task What_one_application_wrote_another_one_with_the_same_keys_reads()
    {
        var ns = _server.Namespace("patients");
        using var first = Factory(csfle => csfle.AddCollection<Patient>(ns).CreateMissingDataKeys());
        using var writer = first.CreateEncryptedClient();
        await Patients(writer, ns).InsertOneAsync(JonDoe.Create());

        using var second = Factory(csfle => csfle.AddCollection<Patient>(ns));
        using var reader = second.CreateEncryptedClient();

        Assert.Equal("AB+", (await Patients(reader, ns).Find(patient => patient.Ssn == 241014209).SingleAsync()).BloodType);
    }

    [Fact]
    public async Task A_schema_on_the_server_encrypts_where_that_was_asked_for()
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("people"));
        using var factory = Factory(csfle => csfle.UseServerSchema());
        var keyId = new BsonBinaryData(factory.Keys.CreateDataKey("example"), GuidRepresentation.Standard);
        using var plain = factory.CreateUnencryptedClient();
        await plain.GetDatabase(ns.DatabaseNamespace.DatabaseName).CreateCollectionAsync(ns.CollectionName, new CreateCollectionOptions<BsonDocument>
        {
            Validator = new BsonDocument("$jsonSchema", new BsonDocument
            {
                { "bsonType", "object" },
                { "properties", new BsonDocument("ssn", new BsonDocument("encrypt", new BsonDocument
                {
                    { "keyId", new BsonArray { keyId } },
                    { "bsonType", "string" },
                    { "algorithm", "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic" },
                })) },
            }),
        });
        using var encrypted = factory.CreateEncryptedClient();

        await Documents(encrypted, ns).InsertOneAsync(new BsonDocument("ssn", "123-45-6789"));

        Assert.True((await Documents(plain, ns).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"].IsBsonBinaryData);
        Assert.Equal("123-45-6789", (await Documents(encrypted, ns).Find(new BsonDocument("ssn", "123-45-6789")).SingleAsync())["ssn"]);
    }

    [Fact]
    public async Task A_key_vault_that_cannot_be_reached_is_said_to_be()
    {
        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo("mongodb://127.0.0.1:1")
            .ConfigureClient(settings => settings.ServerSelectionTimeout = TimeSpan.FromMilliseconds(100))
            .UseKeyVault(_namespace)
            .UseLocalMasterKey(_masterKey)
            .AddCollection<Patient>());

        var exception = await Assert.ThrowsAsync<KeyVaultException>(() => factory.InitializeAsync());

        Assert.Contains(_namespace, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_user_who_may_only_read_the_key_vault_can_start_but_not_create_keys(bool isAsync)
    {
        var refusal = new BsonDocument { { "ok", 0 }, { "code", Unauthorized }, { "codeName", "Unauthorized" }, { "errmsg", "not authorized" } }.ToBson();
        var runner = new Mock<IMongoCommandRunner>();
        runner.Setup(each => each.RunCommand(It.IsAny<string>(), It.IsAny<ReadOnlyMemory<byte>>(), default)).Returns(refusal);
        runner.Setup(each => each.RunCommandAsync(It.IsAny<string>(), It.IsAny<ReadOnlyMemory<byte>>(), default)).Returns(() => ValueTask.FromResult(refusal));
        var keys = new CsfleKeys(
            () => new MongoKeyVaultStore(runner.Object, _namespace), [KmsRegistration.Local(LocalMasterKeySource.Given(_masterKey), null)], "local", NullLoggerFactory.Instance);

        await EnsureIndex(isRequired: false);
        var exception = await Assert.ThrowsAsync<KeyVaultException>(() => EnsureIndex(isRequired: true));

        Assert.Equal(Unauthorized, exception.ServerCode);

        async Task EnsureIndex(bool isRequired)
        {
            if (isAsync)
            {
                await keys.EnsureIndexAsync(isRequired, default);
            }
            else
            {
                keys.EnsureIndex(isRequired, default);
            }
        }
    }

    [Fact]
    public async Task Of_master_keys_opened_at_the_same_time_one_is_kept_and_it_is_let_go_at_the_end()
    {
        var opened = new ConcurrentBag<FakeKeyManagementService>();
        using var together = new Barrier(8);
        var keys = new CsfleKeys(() => new InMemoryKeyVaultStore(), [new KmsRegistration("local", _ => Open(), (_, _) => ValueTask.FromResult(Open()))], "local", NullLoggerFactory.Instance);

        var services = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
            () => i % 2 == 0 ? keys.Service : keys.OpenAsync(default).AsTask().GetAwaiter().GetResult(), TaskCreationOptions.LongRunning)));

        Assert.Single(services.Distinct());
        Assert.Equal(8, opened.Count);
        Assert.Single(opened, kms => !kms.IsDisposed);
        keys.Close();
        Assert.All(opened, kms => Assert.True(kms.IsDisposed));
        Assert.Throws<ObjectDisposedException>(() => keys.Service);

        IKeyManagementService Open()
        {
            var kms = new FakeKeyManagementService("local");
            opened.Add(kms);
            together.SignalAndWait();
            return kms;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_one_master_key_cannot_be_opened_the_others_are_let_go(bool isAsync)
    {
        var first = new FakeKeyManagementService("local");
        var keys = new CsfleKeys(
            () => new InMemoryKeyVaultStore(),
            [
                new KmsRegistration("local", _ => first, (_, _) => ValueTask.FromResult<IKeyManagementService>(first)),
                KmsRegistration.Local(LocalMasterKeySource.File(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"))), "second"),
            ],
            "local",
            NullLoggerFactory.Instance);

        await Assert.ThrowsAsync<MasterKeyException>(async () => _ = isAsync ? await keys.OpenAsync(default) : keys.Service);

        Assert.True(first.IsDisposed);
    }

    public void Dispose()
    {
        _masterKey.Dispose();
        _server.Dispose();
    }

    private static IMongoCollection<Patient> Patients(IMongoClient client, string ns)
        => client.GetDatabase(ns.Split('.')[0]).GetCollection<Patient>(ns.Split('.')[1]);

    private static IMongoCollection<BsonDocument> Documents(IMongoClient client, CollectionNamespace ns)
        => client.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(ns.CollectionName);

    private IMongoCollection<BsonDocument> KeyVault(ICsfleClientFactory factory)
        => Documents(factory.CreateUnencryptedClient(), CollectionNamespace.FromFullName(_namespace));

    private CsfleClientFactory Factory(Action<CsfleBuilder>? configure = null) => CsfleClientFactory.Create(csfle =>
    {
        csfle.ConnectTo(_server.ConnectionString).UseKeyVault(_namespace).UseLocalMasterKey(_masterKey).AllowUnencrypted("app.*");
        configure?.Invoke(csfle);
    });
}
