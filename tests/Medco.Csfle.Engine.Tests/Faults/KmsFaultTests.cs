using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.KeyVault;
using Medco.Csfle.Testing;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>The KMS fails while the engine needs a key: nothing is sent, and the same engine works when the fault is over.</summary>
public sealed class KmsFaultTests : IDisposable
{
    private const string Sentinel = "plaintext-51c8";

    private readonly FakeKeyManagementService _kms = new("aws");
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly ManualTime _time = new();
    private readonly KeyVaultService _vault;
    private readonly CsfleEngine _engine;
    private readonly Guid _keyId;

    public KmsFaultTests()
    {
        _vault = new KeyVaultService(_store, [_kms], new KeyVaultOptions
        {
            TimeProvider = _time,
            KmsResilience = new KmsResilienceOptions { MaxAttempts = 2, FirstPause = TimeSpan.Zero, AttemptTimeLimit = TimeSpan.FromMilliseconds(50) },
        });
        _keyId = _vault.CreateDataKey("aws", Options("patients"));
        var schema = EncryptionSchema.Parse(EngineFixture.PatientSchema.Replace("KEY", _keyId.ToString(), StringComparison.Ordinal));
        _engine = new CsfleEngine(_vault, [new("db.coll", schema)]);
    }

    public static TheoryData<string, string, bool> Faults
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (var isAsync in new[] { false, true })
            {
                data.Add("refusal", CsfleErrorCode.KmsFailed, isAsync);
                data.Add("outage", CsfleErrorCode.KmsFailed, isAsync);
                data.Add("silence", CsfleErrorCode.KmsFailed, isAsync);
                data.Add("too short", CsfleErrorCode.DataKeyNotUnwrapped, isAsync);
                data.Add("nothing", CsfleErrorCode.DataKeyNotUnwrapped, isAsync);
                data.Add("too long", CsfleErrorCode.DataKeyNotUnwrapped, isAsync);
            }

            return data;
        }
    }

    public void Dispose() => _vault.Dispose();

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Nothing_is_encrypted_or_decrypted_and_then_everything_is(string fault, string code, bool isAsync)
    {
        var sent = await Encrypt(isAsync);
        _time.Advance(TimeSpan.FromSeconds(60));

        _kms.Always(Answer(fault));
        var whileEncrypting = await Assert.ThrowsAnyAsync<CsfleException>(() => Encrypt(isAsync));
        var whileDecrypting = await Assert.ThrowsAnyAsync<CsfleException>(() => Decrypt(sent, isAsync));

        foreach (var error in new[] { whileEncrypting, whileDecrypting })
        {
            Assert.Equal(code, error.Code);
            Assert.Contains("aws", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Sentinel, error.ToString(), StringComparison.Ordinal);
        }

        _kms.Always(FakeKmsAnswer.Right);
        Assert.Contains(Sentinel, await Decrypt(sent, isAsync), StringComparison.Ordinal);
        Assert.Contains(Sentinel, await Decrypt(await Encrypt(isAsync), isAsync), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task While_the_key_is_in_memory_the_KMS_may_be_away(bool isAsync)
    {
        var sent = await Encrypt(isAsync);
        _kms.Always(FakeKmsAnswer.Outage);

        Assert.Contains(Sentinel, await Decrypt(sent, isAsync), StringComparison.Ordinal);
        Assert.Equal(1, _kms.Unwraps);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_key_than_the_right_one_decrypts_nothing_and_is_gone_when_it_expires(bool isAsync)
    {
        var sent = await Encrypt(isAsync);
        _time.Advance(TimeSpan.FromSeconds(60));
        _kms.Next(FakeKmsAnswer.WrongContent);

        var error = await Assert.ThrowsAsync<DecryptionException>(() => Decrypt(sent, isAsync));
        Assert.Equal(CsfleErrorCode.DecryptionFailed, error.Code);
        Assert.Equal(_keyId, error.KeyId);

        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Contains(Sentinel, await Decrypt(sent, isAsync), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("refusal")]
    [InlineData("outage")]
    [InlineData("silence")]
    [InlineData("nothing")]
    public async Task A_key_that_cannot_be_wrapped_is_not_created_and_can_be_later(string fault)
    {
        _kms.Always(Answer(fault));
        Assert.Equal(CsfleErrorCode.KmsFailed, Assert.Throws<KmsException>(() => _vault.CreateDataKey("aws", Options("doctors"))).Code);
        await Assert.ThrowsAsync<KmsException>(async () => await _vault.CreateDataKeyAsync("aws", Options("doctors")));
        Assert.Single(_store.List());

        _kms.Always(FakeKmsAnswer.Right);
        Assert.Equal(_vault.CreateDataKey("aws", Options("doctors")), _vault.FindByName("doctors")!.Id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_was_wrapped_wrongly_is_never_encrypted_with(bool isAsync)
    {
        _kms.Next(FakeKmsAnswer.WrongContent);
        var id = isAsync ? await _vault.CreateDataKeyAsync("aws", Options("doctors")) : _vault.CreateDataKey("aws", Options("doctors"));

        var error = await Assert.ThrowsAsync<DataKeyException>(async () =>
        {
            var value = ExtendedJson.ToBson($$"""{"v": "{{Sentinel}}"}""");
            _ = isAsync ? await _engine.EncryptAsync(value, CsfleAlgorithm.Random, id) : _engine.Encrypt(value, CsfleAlgorithm.Random, id);
        });
        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, error.Code);
        Assert.Equal(id, error.KeyId);
    }

    private static DataKeyCreationOptions Options(string name) => new()
    {
        KeyAltNames = [name],
        MasterKey = ExtendedJson.ToBson("""{"region": "eu-west-1", "key": "arn"}"""),
    };

    private static FakeKmsAnswer Answer(string fault) => fault switch
    {
        "refusal" => FakeKmsAnswer.Refusal,
        "outage" => FakeKmsAnswer.Outage,
        "silence" => FakeKmsAnswer.Silence,
        "too short" => FakeKmsAnswer.OfLength(95),
        "nothing" => FakeKmsAnswer.OfLength(0),
        _ => FakeKmsAnswer.OfLength(97),
    };

    private async Task<ReadOnlyMemory<byte>> Encrypt(bool isAsync)
    {
        var command = ExtendedJson.ToBson($$"""{"insert": "coll", "documents": [{"bloodType": "{{Sentinel}}"}]}""");
        var sent = isAsync ? await _engine.EncryptCommandAsync("db", command) : _engine.EncryptCommand("db", command);
        Assert.DoesNotContain(Sentinel, ExtendedJson.ToJson(sent.Span), StringComparison.Ordinal);
        return sent;
    }

    private async Task<string> Decrypt(ReadOnlyMemory<byte> reply, bool isAsync)
        => ExtendedJson.ToJson((isAsync ? await _engine.DecryptReplyAsync(reply) : _engine.DecryptReply(reply)).Span);
}
