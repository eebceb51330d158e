using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Cryptography;
using Medco.Csfle.Engine.Tests.KeyVault;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>A data key is deleted while it is in use: no operation is torn, none makes a new key, and a restored key reads everything.</summary>
public sealed class DeletedKeyTests : IDisposable
{
    private static readonly byte[] Value = ExtendedJson.ToBson("""{"v": "a value"}""");

    private readonly InMemoryKeyVaultStore _store = new();
    private readonly ManualTime _time = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly KeyVaultService _vault;
    private readonly KeyVaultService _elsewhere;
    private readonly CsfleEngine _engine;
    private readonly Guid _id;
    private readonly DataKeyDocument _backup;

    public DeletedKeyTests()
    {
        _vault = Open();
        _elsewhere = Open();
        _engine = new CsfleEngine(_vault, []);
        _id = _vault.CreateDataKey("local", new() { KeyAltNames = ["patients"] });
        _backup = _store.List().Single();
    }

    public void Dispose()
    {
        _vault.Dispose();
        _elsewhere.Dispose();
        _masterKey.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deleted_elsewhere_it_works_until_it_expires_then_fails_and_works_again_once_restored(bool isAsync)
    {
        var ciphertext = _engine.Encrypt(Value, CsfleAlgorithm.Random, _id);
        Assert.True(_elsewhere.DeleteKey(_id));

        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(Value, await Decrypt(ciphertext, isAsync));

        _time.Advance(TimeSpan.FromSeconds(1));
        AssertNotFound(await Assert.ThrowsAsync<DataKeyException>(() => Decrypt(ciphertext, isAsync)));
        AssertNotFound(await Assert.ThrowsAsync<DataKeyException>(async () =>
        {
            _ = isAsync ? await _engine.EncryptAsync(Value, CsfleAlgorithm.Random, _id) : _engine.Encrypt(Value, CsfleAlgorithm.Random, _id);
        }));
        Assert.Empty(_store.List());

        _store.Insert(_backup);
        Assert.Equal(Value, await Decrypt(ciphertext, isAsync));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deleted_here_it_is_gone_at_once(bool isAsync)
    {
        var ciphertext = _engine.Encrypt(Value, CsfleAlgorithm.Random, _id);
        Assert.True(isAsync ? await _vault.DeleteKeyAsync(_id) : _vault.DeleteKey(_id));

        AssertNotFound(await Assert.ThrowsAsync<DataKeyException>(() => Decrypt(ciphertext, isAsync)));

        _store.Insert(_backup);
        Assert.Equal(Value, await Decrypt(ciphertext, isAsync));
    }

    [Fact]
    public void Deleted_while_a_thread_decrypts_with_it_that_thread_finishes_and_the_key_is_zeroed()
    {
        var ciphertext = _engine.Encrypt(Value, CsfleAlgorithm.Deterministic, _id);
        var keys = new DataKey[1];
        _vault.AcquireKeys([KeyReference.ById(_id)], keys, default);

        _vault.DeleteKey(_id);

        Assert.Contains(Secrets.BytesOf(keys[0]), b => b != 0);
        var reader = new BsonReader(ciphertext);
        Assert.True(reader.Read());
        var blob = reader.GetBinary(out _).ToArray();
        var plaintext = new byte[blob.Length];
        var length = keys[0].Decrypt(Ciphertext.Parse(blob), plaintext);
        var value = new BsonReader(Value);
        value.Read();
        Assert.Equal(value.Value.ToArray(), plaintext[..length]);

        keys[0].Release();
        Assert.All(Secrets.BytesOf(keys[0]), b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task Deleted_and_restored_again_and_again_under_load_every_answer_is_right_or_says_that_the_key_is_missing()
    {
        var ciphertext = _engine.Encrypt(Value, CsfleAlgorithm.Deterministic, _id);
        using var end = new CancellationTokenSource();
        var (right, missing) = (0, 0);
        var workers = Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                try
                {
                    Assert.Equal(Value, await Decrypt(ciphertext, isAsync: worker % 2 == 0));
                    Interlocked.Increment(ref right);
                }
                catch (DataKeyException e) when (e.Code == CsfleErrorCode.DataKeyNotFound)
                {
                    Interlocked.Increment(ref missing);
                }
            }
        })).ToArray();
        for (var round = 0; round < 200 || Volatile.Read(ref right) == 0 || Volatile.Read(ref missing) == 0; round++)
        {
            await _vault.DeleteKeyAsync(_id);
            await Task.Yield();
            _store.Insert(_backup);
            await Task.Yield();
            Assert.DoesNotContain(workers, worker => worker.IsFaulted);
        }

        await end.CancelAsync();
        await Task.WhenAll(workers);
        Assert.Equal(Value, _engine.Decrypt(ciphertext));
    }

    private KeyVaultService Open() => new(_store, [new LocalKeyManagementService(_masterKey)], new KeyVaultOptions { TimeProvider = _time });

    private async Task<byte[]> Decrypt(byte[] ciphertext, bool isAsync) => isAsync ? await _engine.DecryptAsync(ciphertext) : _engine.Decrypt(ciphertext);

    private void AssertNotFound(DataKeyException error)
    {
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, error.Code);
        Assert.Equal(_id, error.KeyId);
    }
}
