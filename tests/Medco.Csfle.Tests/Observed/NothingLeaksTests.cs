using System.Reflection;
using System.Runtime.CompilerServices;
using MedcoMd.Model;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Keys;
using Medco.Csfle.Testing;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Observed;

/// <summary>
/// Drives every operation and every error that can be provoked with values that occur nowhere else, and finds none of them in
/// logs, traces, metrics and exceptions: neither in ours nor in those that the driver makes of a server's replies.
/// </summary>
public sealed class NothingLeaksTests : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly Recorder _recorder = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.FromBytes(Sentinels.MasterKey);
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly List<Exception> _exceptions = [];
    private readonly List<string> _succeeded = [];
    private readonly CollectionNamespace _people;

    public NothingLeaksTests() => _people = CollectionNamespace.FromFullName(_server.Namespace("people"));

    public void Dispose()
    {
        _recorder.Dispose();
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void A_sentinel_would_be_found()
    {
        Assert.NotEmpty(Sentinels.In($"x {Sentinels.Number} y"));
        Assert.NotEmpty(Sentinels.In(new BsonBinaryData(Sentinels.Bytes).ToJson()));
        Assert.NotEmpty(Sentinels.In(Convert.ToBase64String(Sentinels.MasterKey)));
        Assert.NotEmpty(Sentinels.In(new BsonDocument("x", new BsonBinaryData([1, .. Sentinels.Bytes])).ToJson()));
        Assert.NotEmpty(Sentinels.In(Convert.ToHexString(Sentinels.DataKey)));
        Assert.Empty(Sentinels.In("nothing of it, 12345"));
    }

    [Fact]
    public async Task No_value_and_no_key_is_logged_traced_measured_or_thrown()
    {
        using var factory = CsfleClientFactory.Create(csfle => Configure(csfle).AddCollection(_people.FullName, Schema()).UseCanary().EnforceOnServer());
        await factory.InitializeAsync();
        using var client = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();

        await DriveOperations(Database(client), factory);
        await DriveServerErrors(Database(client), Database(plain));
        await DriveRefusals(Database(client));
        await DriveDecryptionFailures(Database(client), Database(plain), factory);
        await DriveKeys(factory);
        await DriveKmsFailures();
        await DriveStartupFailures();
        await DriveMalformedBytes();

        Assert.Empty(_succeeded);
        var codes = _exceptions.SelectMany(Chain).OfType<CsfleException>().Select(exception => exception.Code).Distinct().Order(StringComparer.Ordinal).ToArray();
        string[] expected =
        [
            CsfleErrorCode.MalformedExtendedJson, CsfleErrorCode.InvalidSchema, CsfleErrorCode.InvalidMapping, CsfleErrorCode.CommandNotSupported,
            CsfleErrorCode.UnsupportedOnEncryptedCollection, CsfleErrorCode.UnsupportedQuery, CsfleErrorCode.ValueNotEncryptable,
            CsfleErrorCode.WouldLeakPlaintext, CsfleErrorCode.UnregisteredNamespace, CsfleErrorCode.InvalidMasterKey, CsfleErrorCode.DataKeyNotFound,
            CsfleErrorCode.DataKeyNotUnwrapped, CsfleErrorCode.MalformedDataKey, CsfleErrorCode.DuplicateDataKey, CsfleErrorCode.KmsNotConfigured,
            CsfleErrorCode.KmsFailed, CsfleErrorCode.MalformedCiphertext, CsfleErrorCode.DecryptionFailed, CsfleErrorCode.InvalidConfiguration,
            CsfleErrorCode.NotStarted, CsfleErrorCode.CanaryFailed, CsfleErrorCode.MalformedBson, CsfleErrorCode.InvalidNamespace,
            CsfleErrorCode.ServerSchemaUnavailable, CsfleErrorCode.KeyVaultUnavailable,
        ];
        Assert.Empty(expected.Except(codes));
        Assert.Contains(_exceptions, exception => exception is MongoWriteException { WriteError.Category: ServerErrorCategory.DuplicateKey });
        Assert.NotEmpty(_recorder.Logs);
        Assert.NotEmpty(_recorder.Traces);
        Assert.NotEmpty(_recorder.Metrics);

        AssertNone("logs", _recorder.Logs);
        AssertNone("traces", _recorder.Traces);
        AssertNone("metrics", _recorder.Metrics);
        AssertNone("exceptions", _exceptions.Select(exception => exception.ToString()));
        AssertNone("what our exceptions hold", _exceptions.SelectMany(Chain).OfType<CsfleException>().Select(Properties));
        AssertNone("redacted exceptions", _exceptions.SelectMany(exception => Chain(exception.Redact())).Select(exception => $"{exception} {Properties(exception)}"));
    }

    private static async Task DriveOperations(IMongoDatabase database, CsfleClientFactory factory)
    {
        var people = database.GetCollection<BsonDocument>("people");
        await people.InsertOneAsync(Person(1));
        people.InsertMany([Person(2), Person(3)]);
        await people.Find(new BsonDocument("ssn", Sentinels.Number)).ToListAsync();
        people.Find(new BsonDocument("name", new BsonDocument("$in", new BsonArray { Sentinels.Text, Sentinels.OtherText }))).ToList();
        await people.UpdateOneAsync(new BsonDocument("_id", 1), new BsonDocument("$set", new BsonDocument("any", Sentinels.OtherText)));
        await people.ReplaceOneAsync(new BsonDocument("ssn", Sentinels.Number), Person(1));
        await people.FindOneAndUpdateAsync(new BsonDocument("_id", 2), new BsonDocument("$set", new BsonDocument("name", Sentinels.OtherText)));
        await people.Aggregate().Match(new BsonDocument("name", Sentinels.Text)).ToListAsync();
        await people.DistinctAsync<string>("name", new BsonDocument("ssn", Sentinels.Number));
        await people.CountDocumentsAsync(new BsonDocument("ssn", Sentinels.Number));
        await people.BulkWriteAsync([new InsertOneModel<BsonDocument>(Person(4)), new DeleteOneModel<BsonDocument>(new BsonDocument("name", Sentinels.Text))]);
        await database.RunCommandAsync<BsonDocument>(new BsonDocument("explain", new BsonDocument { { "find", "people" }, { "filter", new BsonDocument("ssn", Sentinels.Number) } }));
        await people.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument("plain", 1)));

        var encrypted = await factory.Encryption.EncryptAsync(Sentinels.Text, CsfleAlgorithm.Random, "sentinel");
        Assert.Equal(Sentinels.Text, factory.Encryption.Decrypt(encrypted));
    }

    private async Task DriveServerErrors(IMongoDatabase database, IMongoDatabase plain)
    {
        var people = database.GetCollection<BsonDocument>("people");
        await plain.GetCollection<BsonDocument>("people").Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument("unique", 1), new CreateIndexOptions { Unique = true, Sparse = true }));
        await people.InsertOneAsync(Person(10).Add("unique", Sentinels.OtherText));
        await Throws(() => people.InsertOneAsync(Person(11).Add("unique", Sentinels.OtherText)));
        await Throws(() => people.InsertManyAsync([Person(12), Person(12)]));
        await Throws(() => people.UpdateOneAsync(new BsonDocument("_id", 12), new BsonDocument("$set", new BsonDocument("unique", Sentinels.OtherText))));
        await Throws(() => people.FindOneAndUpdateAsync(new BsonDocument("_id", 12), new BsonDocument("$set", new BsonDocument("unique", Sentinels.OtherText))));
        await Throws(() => people.BulkWriteAsync([new InsertOneModel<BsonDocument>(Person(12)), new InsertOneModel<BsonDocument>(Person(14))]));
        await Throws(() => database.RunCommandAsync<BsonDocument>(new BsonDocument { { "find", "people" }, { "filter", new BsonDocument("ssn", Sentinels.Number) }, { "batchSize", -1 } }));
        await Throws(() => database.RunCommandAsync<BsonDocument>(new BsonDocument { { "insert", "people" }, { "documents", new BsonArray() } }));
        await plain.RunCommandAsync<BsonDocument>(new BsonDocument { { "collMod", "people" }, { "validator", new BsonDocument("plain", new BsonDocument("$exists", true)) } });
        var incomplete = Person(13);
        incomplete.Remove("plain");
        await Throws(() => people.InsertOneAsync(incomplete));
        await plain.RunCommandAsync<BsonDocument>(new BsonDocument { { "collMod", "people" }, { "validator", new BsonDocument() } });
    }

    private async Task DriveRefusals(IMongoDatabase database)
    {
        var people = database.GetCollection<BsonDocument>("people");
        await Throws(() => people.Find(new BsonDocument("any", Sentinels.Text)).ToListAsync());
        await Throws(() => people.Find(new BsonDocument("name", new BsonDocument("$gt", Sentinels.Text))).ToListAsync());
        await Throws(() => people.Find(new BsonDocument("name", new BsonRegularExpression(Sentinels.Text))).ToListAsync());
        await Throws(() => people.Find(new BsonDocument("ssn", Sentinels.Text)).ToListAsync());
        await Throws(() => people.Find(new BsonDocument("$where", Sentinels.Text)).ToListAsync());
        await Throws(() => people.Find(new BsonDocument("$text", new BsonDocument("$search", Sentinels.Text))).ToListAsync());
        await Throws(() => people.InsertOneAsync(Person(20).Set("ssn", Sentinels.Text)));
        await Throws(() => people.InsertOneAsync(Person(20).Set("ssn", BsonNull.Value)));
        await Throws(() => people.InsertOneAsync(Person(20).Set("ssn", Sentinels.LongNumber)));
        await Throws(() => people.InsertOneAsync(Person(20).Add("address.street", Sentinels.Text)));
        await Throws(() => people.InsertOneAsync(Person(20).Set("address", new BsonArray { Sentinels.Text })));
        await Throws(() => people.UpdateOneAsync(new BsonDocument("_id", 1), new BsonDocument("$inc", new BsonDocument("ssn", Sentinels.Number))));
        await Throws(() => people.UpdateOneAsync(new BsonDocument("_id", 1), new BsonDocument("$push", new BsonDocument("any", Sentinels.Text))));
        await Throws(() => people.UpdateOneAsync(new BsonDocument("_id", 1), new BsonDocument("$rename", new BsonDocument("name", "clear"))));
        await Throws(() => people.Aggregate<BsonDocument>(new BsonDocument[] { new("$project", new BsonDocument("x", new BsonDocument("$concat", new BsonArray { "$name", Sentinels.Text }))) }).ToListAsync());
        await Throws(() => people.Aggregate<BsonDocument>(new BsonDocument[] { new("$unheardOf", Sentinels.Text) }).ToListAsync());
        await Throws(() => people.DistinctAsync<string>("any", new BsonDocument("ssn", Sentinels.Number)));
        await Throws(() => people.FindOneAndUpdateAsync(new BsonDocument("any", Sentinels.Text), new BsonDocument("$set", new BsonDocument("plain", 1))));
        await Throws(() => people.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument("any", 1), new CreateIndexOptions<BsonDocument> { PartialFilterExpression = new BsonDocument("any", Sentinels.Text) })));
        await Throws(() => people.BulkWriteAsync([new InsertOneModel<BsonDocument>(Person(21)), new InsertOneModel<BsonDocument>(Person(22).Set("ssn", Sentinels.Text))]));
        await Throws(() => database.GetCollection<BsonDocument>("elsewhere").InsertOneAsync(Person(1)));
        await Throws(() => database.RunCommandAsync<BsonDocument>(new BsonDocument("mapReduce", Sentinels.Text)));
        await Throws(() => database.RunCommandAsync<BsonDocument>(new BsonDocument { { "find", "people" }, { "filter", Sentinels.Text } }));
        await Throws(() => database.RunCommandAsync<BsonDocument>(new BsonDocument { { "insert", "people" }, { "documents", Sentinels.Text } }));
        await Throws(() => database.RunCommandAsync<BsonDocument>(new BsonDocument { { "count", "people" }, { "query", new BsonDocument() }, { "unheardOf", Sentinels.Text } }));
        await Throws(() => people.InsertOneAsync(Person(20).Set("any", new BsonBinaryData([1, .. Sentinels.Bytes], (BsonBinarySubType)6))));
    }

    private async Task DriveDecryptionFailures(IMongoDatabase database, IMongoDatabase plain, CsfleClientFactory factory)
    {
        var people = database.GetCollection<BsonDocument>("people");
        var stored = plain.GetCollection<BsonDocument>("people");
        var ciphertext = factory.Encryption.Encrypt(Sentinels.Text, CsfleAlgorithm.Random, "sentinel").Bytes;
        ciphertext[^1] ^= 1;
        await stored.InsertOneAsync(new BsonDocument { { "_id", "changed" }, { "any", new BsonBinaryData(ciphertext, (BsonBinarySubType)6) } });
        await Throws(() => people.Find(new BsonDocument("_id", "changed")).ToListAsync());
        await stored.InsertOneAsync(new BsonDocument { { "_id", "cut" }, { "any", new BsonBinaryData([1, .. Sentinels.Bytes], (BsonBinarySubType)6) } });
        await Throws(() => people.Find(new BsonDocument("_id", "cut")).ToListAsync());
        await stored.InsertOneAsync(new BsonDocument { { "_id", "placeholder" }, { "any", new BsonBinaryData([0, .. Sentinels.Bytes, .. Sentinels.Bytes], (BsonBinarySubType)6) } });
        await Throws(() => people.Find(new BsonDocument("_id", "placeholder")).ToListAsync());
        var unknown = factory.Encryption.Encrypt(Sentinels.Text, CsfleAlgorithm.Random, "sentinel").Bytes;
        unknown[5] ^= 1;
        await stored.InsertOneAsync(new BsonDocument { { "_id", "unknown" }, { "any", new BsonBinaryData(unknown, (BsonBinarySubType)6) } });
        await Throws(() => people.Find(new BsonDocument("_id", "unknown")).ToListAsync());
        await Throws(() => factory.Encryption.DecryptAsync(new BsonBinaryData(ciphertext, (BsonBinarySubType)6)));
        await Throws(() => factory.Encryption.EncryptAsync(BsonNull.Value, CsfleAlgorithm.Random, "sentinel"));
        await Throws(() => factory.Encryption.EncryptAsync(new BsonDocument("x", Sentinels.Text), CsfleAlgorithm.Deterministic, "sentinel"));
        await Throws(() => factory.Encryption.EncryptAsync("\ud800" + Sentinels.Text, CsfleAlgorithm.Random, "sentinel"));
        await Throws(() => factory.Encryption.EncryptAsync(Sentinels.Text, CsfleAlgorithm.Random, "no such key"));
    }

    private async Task DriveKeys(CsfleClientFactory factory)
    {
        var vault = factory.Keys.Service;
        await Throws(() => vault.CreateDataKeyAsync("local", new DataKeyCreationOptions { KeyAltNames = ["sentinel"], KeyMaterial = Sentinels.DataKey }).AsTask());
        await Throws(() => vault.CreateDataKeyAsync("local", new DataKeyCreationOptions { KeyMaterial = Sentinels.DataKey[..95] }).AsTask());
        await Throws(() => vault.CreateDataKeyAsync("aws", new DataKeyCreationOptions { KeyMaterial = Sentinels.DataKey }).AsTask());
        var folder = Directory.CreateTempSubdirectory("csfle-");
        try
        {
            await new RewrapJob(vault, new RewrapJobOptions { BackupPath = Path.Combine(folder.FullName, "backup") }).RunAsync();
            await Throws(() => new RewrapJob(vault, new RewrapJobOptions { BackupPath = Path.Combine(folder.FullName, "backup") }).RunAsync().AsTask());

            var path = Path.Combine(folder.FullName, "master.key");
            await File.WriteAllBytesAsync(path, Sentinels.MasterKey[..95]);
            await Throws(() => StartWith(csfle => csfle.UseLocalMasterKey(path).AddCollection(_people.FullName, Schema())));
            await Throws(() => StartWith(csfle => csfle.UseLocalMasterKey(() => throw new InvalidOperationException("the vault is closed")).AddCollection(_people.FullName, Schema())));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        using var other = LocalMasterKey.FromBytes([.. Sentinels.MasterKey.Reverse()]);
        await Throws(() => StartWith(csfle => csfle.UseLocalMasterKey(other).AddCollection(_people.FullName, Schema())));
    }

    private async Task DriveKmsFailures()
    {
        foreach (var answer in new[] { FakeKmsAnswer.Refusal, FakeKmsAnswer.Outage, FakeKmsAnswer.WrongContent, FakeKmsAnswer.OfLength(3) })
        {
            using var kms = new FakeKeyManagementService("aws");
            var resilience = new KmsResilienceOptions { FirstPause = TimeSpan.Zero, LongestPause = TimeSpan.Zero, LoggerFactory = _recorder };
            using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [kms], new KeyVaultOptions { LoggerFactory = _recorder, KmsResilience = resilience });
            var masterKey = new BsonDocument { { "region", "r" }, { "key", "k" } }.ToBson();
            var id = await vault.CreateDataKeyAsync("aws", new DataKeyCreationOptions { KeyMaterial = Sentinels.DataKey, MasterKey = masterKey });
            kms.Always(answer);
            var engine = new CsfleEngine(vault, new CsfleEngineOptions { LoggerFactory = _recorder });
            var value = new BsonDocument("v", Sentinels.Text).ToBson();
            if (answer == FakeKmsAnswer.WrongContent)
            {
                await engine.EncryptAsync(value, CsfleAlgorithm.Random, id);
            }
            else
            {
                await Throws(() => engine.EncryptAsync(value, CsfleAlgorithm.Random, id).AsTask());
            }

            if (answer == FakeKmsAnswer.Refusal || answer == FakeKmsAnswer.Outage)
            {
                await Throws(() => vault.CreateDataKeyAsync("aws", new DataKeyCreationOptions { KeyMaterial = Sentinels.DataKey, MasterKey = masterKey }).AsTask());
            }
        }
    }

    private async Task DriveStartupFailures()
    {
        await Throws(() => Task.FromResult(EncryptionSchema.Parse("{ " + Sentinels.Text)));
        await Throws(() => Task.FromResult(EncryptionSchema.Parse("""{"bsonType": "object", "properties": {"a": {"encrypt": {"algorithm": "x"}}}}""")));
        await Throws(() => StartWith(csfle => csfle.AddCollection("app.a", "{ " + Sentinels.Text)));
        await Throws(() => StartWith(csfle => csfle.AddCollection("app.a", """{"properties": {"a": {"encrypt": {"algorithm": "x"}}}}""")));
        await Throws(() => StartWith(csfle => csfle.AddCollection<Mistaken>("app.a")));
        await Throws(() => StartWith(csfle => csfle.ConnectTo($"mongodb://doctor:{Sentinels.Text}@:x").AddCollection("app.a", "{}")));
        await Throws(() => StartWith(csfle => csfle.AddCollection<Patient>("app.patients").CreateMissingDataKeys(false)));
        await Throws(() => StartWith(csfle => csfle.ConnectTo($"mongodb://doctor:{Sentinels.Text}@127.0.0.1:1/?serverSelectionTimeoutMS=50").UseKeyVault("app.keys").AddCollection<Patient>("app.patients")));
        await Throws(() => StartWith(csfle => csfle.ConnectTo($"mongodb://doctor:{Sentinels.Text}@127.0.0.1:1/?serverSelectionTimeoutMS=50").AddCollection<Patient>("app.patients").UseCanary()));
        using var factory = CsfleClientFactory.Create(csfle => Configure(csfle).AddCollection<Patient>("app.patients"));
        await Throws(() => Task.FromResult(factory.Schemas));
    }

    private async Task DriveMalformedBytes()
    {
        using var vault = new KeyVaultService(_store, [new LocalKeyManagementService(_masterKey)]);
        using var lost = new KeyVaultService(new MongoKeyVaultStore(new Refusing(), "app.keys"), [new LocalKeyManagementService(_masterKey)]);
        var engine = new CsfleEngine(vault, new CsfleEngineOptions { ServerSchemas = new Refusing() });
        var insert = new BsonDocument { { "insert", "people" }, { "documents", new BsonArray { Person(1) } } }.ToBson();
        await Throws(() => new CsfleEngine(vault, new CsfleEngineOptions()).EncryptCommandAsync("app", insert.AsMemory(0, insert.Length - 3)).AsTask());
        await Throws(() => engine.DecryptReplyAsync(insert.AsMemory(0, insert.Length - 3)).AsTask());
        await Throws(() => engine.EncryptCommandAsync("app", insert).AsTask());
        await Throws(() => lost.FindByNameAsync("sentinel").AsTask());
        await Throws(() => Task.FromResult(new CsfleEngine(vault, new CsfleEngineOptions { AllowUnencrypted = ["app.a*"] })));
    }

    private async Task StartWith(Action<CsfleBuilder> configure)
    {
        using var factory = CsfleClientFactory.Create(csfle => configure(Configure(csfle)));
        await factory.InitializeAsync();
    }

    private async Task Throws(Func<Task> operation, [CallerArgumentExpression(nameof(operation))] string name = "")
    {
        try
        {
            await operation();
        }
        catch (Exception exception)
        {
            _exceptions.Add(exception);
            return;
        }

        _succeeded.Add(name);
    }

    private static BsonDocument Person(int id) => new()
    {
        { "_id", id },
        { "ssn", Sentinels.Number },
        { "name", Sentinels.Text },
        { "blob", new BsonBinaryData(Sentinels.Bytes) },
        { "any", new BsonDocument { { "text", Sentinels.Text }, { "number", Sentinels.LongNumber } } },
        { "address", new BsonDocument("street", Sentinels.Text) },
        { "plain", 1 },
    };

    private CsfleBuilder Configure(CsfleBuilder csfle) => csfle
        .ConnectTo(_server.ConnectionString).UseKeyVault(_store).UseLocalMasterKey(_masterKey).CreateMissingDataKeys().LogTo(_recorder);

    private IMongoDatabase Database(IMongoClient client) => client.GetDatabase(_people.DatabaseNamespace.DatabaseName);

    private string Schema()
    {
        using var service = new KeyVaultService(_store, [new LocalKeyManagementService(_masterKey)]);
        var id = service.FindByName("sentinel")?.Id ?? service.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["sentinel"], KeyMaterial = Sentinels.DataKey });
        return """
            {"bsonType": "object", "encryptMetadata": {"keyId": [{"$uuid": "KEY"}]}, "properties": {
              "ssn": {"encrypt": {"bsonType": "int", "algorithm": "DETERMINISTIC"}},
              "name": {"encrypt": {"bsonType": "string", "algorithm": "DETERMINISTIC"}},
              "unique": {"encrypt": {"bsonType": "string", "algorithm": "DETERMINISTIC"}},
              "blob": {"encrypt": {"bsonType": "binData", "algorithm": "RANDOM"}},
              "any": {"encrypt": {"algorithm": "RANDOM"}},
              "address": {"bsonType": "object", "properties": {"street": {"encrypt": {"bsonType": "string", "algorithm": "DETERMINISTIC"}}}}}}
            """.Replace("KEY", $"{id}", StringComparison.Ordinal)
            .Replace("RANDOM", "AEAD_AES_256_CBC_HMAC_SHA_512-Random", StringComparison.Ordinal)
            .Replace("DETERMINISTIC", "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic", StringComparison.Ordinal);
    }

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (Exception? current = exception; current is not null; current = current.InnerException)
        {
            yield return current;
            if (current is not AggregateException aggregate) continue;
            foreach (var inner in aggregate.InnerExceptions.SelectMany(Chain)) yield return inner;
        }
    }

    // What a logger sees that walks over an exception's properties.
    private static string Properties(Exception exception) => string.Join(' ', exception.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public)
        .Where(property => property.Name is not ("InnerException" or "TargetSite"))
        .Select(property => property.GetValue(exception) is System.Collections.IEnumerable and not string and var many ? string.Join(' ', many.Cast<object>()) : $"{property.GetValue(exception)}"));

    private static void AssertNone(string where, IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            foreach (var sentinel in Sentinels.In(text)) Assert.Fail($"{sentinel} stands in {where}: {text}");
        }
    }

    /// <summary>A server that says no, and quotes a value in saying so.</summary>
    private sealed class Refusing : IMongoCommandRunner
    {
        private static readonly byte[] Reply = new BsonDocument { { "ok", 0 }, { "code", 13 }, { "codeName", "Unauthorized" }, { "errmsg", Sentinels.Text } }.ToBson();

        public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default) => Reply;

        public ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default) => new(Reply);
    }

    [DataKey("sentinel")]
    private sealed class Mistaken
    {
        [Deterministic]
        public bool Flag { get; set; }
    }
}
