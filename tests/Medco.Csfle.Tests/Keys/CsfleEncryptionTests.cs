using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Keys;
using Medco.Csfle.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Keys;

public sealed class CsfleEncryptionTests : IDisposable
{
    private readonly InMemoryKeyVault _keys = new("example");
    private readonly CsfleClientFactory _factory;

    public CsfleEncryptionTests()
        => _factory = CsfleClientFactory.Create(csfle => csfle.ConnectTo("mongodb://localhost:1").UseKeyVault(_keys.Store).UseLocalMasterKey(_keys.MasterKey));

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    private static BsonValue[] Comparable =>
    [
        1, 2L, "text", "", "\U0001F512", ObjectId.GenerateNewId(), new BsonDateTime(1_700_000_000_123),
        new BsonBinaryData([1, 2, 3]), new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard),
        new BsonRegularExpression("^a", "i"), new BsonTimestamp(1, 2), new BsonJavaScript("f()"), BsonSymbol.Create("symbol"),
    ];

    private static BsonValue[] Others =>
    [
        1.5, true, false, new BsonDecimal128(3.14m), new BsonDocument { { "a", 1 }, { "b", new BsonArray { 1, BsonNull.Value } } }, new BsonArray { "x", 2 },
        new BsonArray(), new BsonDocument(), new BsonJavaScriptWithScope("f()", new BsonDocument("x", 1)),
    ];

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Every_type_comes_back_as_it_was_encrypted(bool isAsync)
    {
        foreach (var value in (BsonValue[])[.. Comparable, .. Others])
        {
            var ciphertext = await Encrypt(value, CsfleAlgorithm.Random, isAsync);
            Assert.Equal(BsonBinarySubType.Encrypted, ciphertext.SubType);
            Assert.NotEqual(ciphertext, await Encrypt(value, CsfleAlgorithm.Random, isAsync));
            var decrypted = await Decrypt(ciphertext, isAsync);
            Assert.Equal((value.BsonType, value), (decrypted.BsonType, decrypted));
        }
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Equal_values_have_equal_deterministic_ciphertexts_by_id_as_by_name(bool isAsync)
    {
        var id = _keys.KeyIds["example"];
        foreach (var value in Comparable)
        {
            var byName = await Encrypt(value, CsfleAlgorithm.Deterministic, isAsync);
            var byId = isAsync
                ? await _factory.Encryption.EncryptAsync(value, CsfleAlgorithm.Deterministic, id)
                : _factory.Encryption.Encrypt(value, CsfleAlgorithm.Deterministic, id);
            Assert.Equal(byName, byId);
            Assert.Equal(value, await Decrypt(byName, isAsync));
        }
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task What_cannot_be_compared_is_not_encrypted_deterministically(bool isAsync)
    {
        foreach (var value in Others)
        {
            await Assert.ThrowsAsync<EncryptionValueException>(() => Encrypt(value, CsfleAlgorithm.Deterministic, isAsync));
        }
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task What_cannot_be_encrypted_at_all_is_refused_without_being_shown(bool isAsync)
    {
        var ciphertext = await Encrypt(1, CsfleAlgorithm.Random, isAsync);
        foreach (var value in (BsonValue[])[BsonNull.Value, BsonUndefined.Value, BsonMinKey.Value, BsonMaxKey.Value, ciphertext, "s3cr3t\ud800", new BsonRegularExpression("s3cr3t\0")])
        {
            var exception = await Assert.ThrowsAsync<EncryptionValueException>(() => Encrypt(value, CsfleAlgorithm.Random, isAsync));
            Assert.DoesNotContain("s3cr3t", exception.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_document_too_deep_for_the_driver_is_refused()
    {
        BsonValue value = 1;
        for (var i = 0; i < 300; i++) value = new BsonDocument("a", value);

        await Assert.ThrowsAsync<EncryptionValueException>(() => Encrypt(value, CsfleAlgorithm.Random, isAsync: false));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task What_is_no_ciphertext_is_not_decrypted(bool isAsync)
    {
        await Assert.ThrowsAsync<DecryptionException>(() => Decrypt(new BsonBinaryData([1, 2, 3]), isAsync));
        await Assert.ThrowsAsync<DecryptionException>(() => Decrypt(new BsonBinaryData([1, 2, 3], BsonBinarySubType.Encrypted), isAsync));

        var bytes = (await Encrypt("text", CsfleAlgorithm.Random, isAsync)).Bytes;
        bytes[^1] ^= 1;
        var exception = await Assert.ThrowsAsync<DecryptionException>(() => Decrypt(new BsonBinaryData(bytes, BsonBinarySubType.Encrypted), isAsync));
        Assert.Equal(CsfleErrorCode.DecryptionFailed, exception.Code);
    }

    [Fact]
    public void A_document_that_holds_a_name_twice_is_given_back()
    {
        var engine = new CsfleEngine(_keys.Service, new CsfleEngineOptions());
        var twice = new BsonDocument { AllowDuplicateNames = true };
        twice.Add("a", 1).Add("a", 2);
        var encrypted = engine.Encrypt(new BsonDocument("v", twice).ToBson(), CsfleAlgorithm.Random, "example");
        var ciphertext = MongoDB.Bson.Serialization.BsonSerializer.Deserialize<BsonDocument>(encrypted)["v"].AsBsonBinaryData;

        Assert.Equal([1, 2], _factory.Encryption.Decrypt(ciphertext).AsBsonDocument.Values.Select(value => value.AsInt32));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task An_unknown_data_key_is_an_error(bool isAsync)
    {
        using var empty = CsfleClientFactory.Create(csfle => csfle.ConnectTo("mongodb://localhost:1").UseKeyVault(new InMemoryKeyVaultStore()).UseLocalMasterKey(_keys.MasterKey));
        var ciphertext = await Encrypt(1, CsfleAlgorithm.Random, isAsync);

        var exception = await Assert.ThrowsAsync<DataKeyException>(async () => _ = isAsync ? await empty.Encryption.DecryptAsync(ciphertext) : empty.Encryption.Decrypt(ciphertext));

        Assert.Equal(CsfleErrorCode.DataKeyNotFound, exception.Code);
    }

    [Fact]
    public async Task What_is_encrypted_explicitly_is_found_by_it_and_decrypted_by_an_encrypted_client()
    {
        using var patients = new Patients();
        var encryption = patients.Factory.Encryption;
        await patients.Factory.InitializeAsync();
        var ssn = encryption.Encrypt(241014209, CsfleAlgorithm.Deterministic, "medco-patients");
        await patients.Receptionist.InsertOneAsync(new BsonDocument { { "name", "Jon Doe" }, { "ssn", ssn } });

        var stored = await patients.Receptionist.Find(new BsonDocument("ssn", ssn)).SingleAsync();

        Assert.Equal(241014209, encryption.Decrypt(stored["ssn"].AsBsonBinaryData));
        Assert.Equal("Jon Doe", (await patients.Doctor.Find(patient => patient.Ssn == 241014209).SingleAsync()).Name);
    }

    [Fact]
    public void The_container_hands_out_that_of_the_factory()
    {
        var services = new ServiceCollection();
        services.AddCsfle(csfle => csfle.ConnectTo("mongodb://localhost:1").UseKeyVault(_keys.Store).UseLocalMasterKey(_keys.MasterKey));
        using var provider = services.BuildServiceProvider();

        Assert.Same(provider.GetRequiredService<ICsfleClientFactory>().Encryption, provider.GetRequiredService<CsfleEncryption>());
    }

    [Fact]
    public void It_ends_with_its_factory()
    {
        _factory.Encryption.Encrypt(1, CsfleAlgorithm.Random, "example");
        _factory.Dispose();

        Assert.Throws<ObjectDisposedException>(() => _factory.Encryption.Encrypt(1, CsfleAlgorithm.Random, "example"));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_kms_that_is_unavailable_for_a_moment_is_asked_again_and_one_that_refuses_is_not(bool isAsync)
    {
        var kms = new FakeKeyManagementService("aws");
        var store = new InMemoryKeyVaultStore();
        var keys = new CsfleKeys(() => store, [new KmsRegistration("aws", _ => kms, (_, _) => ValueTask.FromResult<IKeyManagementService>(kms))], "aws", NullLoggerFactory.Instance);
        var encryption = new CsfleEncryption(keys);
        keys.Service.CreateDataKey("aws", new DataKeyCreationOptions { KeyAltNames = ["example"], MasterKey = ExtendedJson.ToBson("""{"region": "eu-west-1", "key": "arn"}""") });

        kms.Next(FakeKmsAnswer.Refusal);
        Assert.Equal(KmsFailure.Refused, (await Assert.ThrowsAsync<KmsException>(Use)).Failure);
        Assert.Equal(1, kms.Unwraps);

        kms.Next(FakeKmsAnswer.Outage);
        await Use();
        Assert.Equal(3, kms.Unwraps);
        keys.Close();
        Assert.True(kms.IsDisposed);

        async Task Use() => _ = isAsync ? await encryption.EncryptAsync(1, CsfleAlgorithm.Random, "example") : encryption.Encrypt(1, CsfleAlgorithm.Random, "example");
    }

    public void Dispose()
    {
        _factory.Dispose();
        _keys.Dispose();
    }

    private async Task<BsonBinaryData> Encrypt(BsonValue value, CsfleAlgorithm algorithm, bool isAsync)
        => isAsync ? await _factory.Encryption.EncryptAsync(value, algorithm, "example") : _factory.Encryption.Encrypt(value, algorithm, "example");

    private async Task<BsonValue> Decrypt(BsonBinaryData ciphertext, bool isAsync)
        => isAsync ? await _factory.Encryption.DecryptAsync(ciphertext) : _factory.Encryption.Decrypt(ciphertext);
}
