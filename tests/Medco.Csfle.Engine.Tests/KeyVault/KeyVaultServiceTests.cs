using System.Collections.Concurrent;
using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Cryptography;
using Medco.Csfle.Engine.Tests.Kms;

namespace Medco.Csfle.Engine.Tests.KeyVault;

public sealed class KeyVaultServiceTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly CollectingLogger _log = new();
    private readonly KeyVaultService _vault;

    public KeyVaultServiceTests() => _vault = NewVault(_store);

    public void Dispose()
    {
        _vault.Dispose();
        _masterKey.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_created_key_is_found_by_id_and_name_and_encrypts(bool async)
    {
        var options = new DataKeyCreationOptions { KeyAltNames = ["one", "two"] };
        var id = async ? await _vault.CreateDataKeyAsync("local", options) : _vault.CreateDataKey("local", options);

        var document = async ? await _vault.FindByNameAsync("two") : _vault.FindByName("two");
        Assert.Equal(document!.ToBson(), (async ? await _vault.FindByIdAsync(id) : _vault.FindById(id))!.ToBson());
        Assert.Equal(id, document.Id);
        Assert.Equal(["one", "two"], document.KeyAltNames);
        Assert.Equal("local", document.Provider);
        Assert.Equal(160, document.KeyMaterial.Length);
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds(), document.CreationDate);
        Assert.Equal(document.CreationDate, document.UpdateDate);
        Assert.Equal(0, document.Status);
        Assert.Equal(4, id.Version);

        var keys = await Acquire(_vault, async, KeyReference.ById(id), KeyReference.ByName("one"), KeyReference.ByName("two"));
        Assert.All(keys, key => Assert.Same(keys[0], key));
        Assert.Equal(id, keys[0].Id);
        var blob = new byte[Ciphertext.LengthFor(4)];
        keys[0].Encrypt(CsfleAlgorithm.Deterministic, BsonType.Int32, [1, 2, 3, 4], [], blob);
        var value = new byte[blob.Length];
        Assert.Equal(4, keys[0].Decrypt(Ciphertext.Parse(blob), value));
        Assert.Equal([1, 2, 3, 4], value[..4]);
        foreach (var key in keys) key.Release();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Finds_nothing_where_there_is_nothing(bool async)
    {
        Assert.Null(async ? await _vault.FindByNameAsync("x") : _vault.FindByName("x"));
        Assert.Null(async ? await _vault.FindByIdAsync(Guid.NewGuid()) : _vault.FindById(Guid.NewGuid()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Custom_key_material_is_the_key(bool async)
    {
        var material = RandomNumberGenerator.GetBytes(96);
        var options = new DataKeyCreationOptions { KeyMaterial = material };
        var id = async ? await _vault.CreateDataKeyAsync("local", options) : _vault.CreateDataKey("local", options);
        var keys = await Acquire(_vault, async, KeyReference.ById(id));
        Assert.Equal(material, Secrets.BytesOf(keys[0]));
        keys[0].Release();
    }

    [Fact]
    public async Task A_key_that_cannot_be_is_not_created()
    {
        var refused = new[]
        {
            (new DataKeyCreationOptions { KeyMaterial = new byte[95] }, "keyMaterial should have length 96, but has length 95"),
            (new DataKeyCreationOptions { KeyAltNames = ["a", "a"] }, "unexpected duplicate keyAltNames"),
            (new DataKeyCreationOptions { KeyAltNames = [""] }, "empty"),
            (new DataKeyCreationOptions { KeyAltNames = [null!] }, "empty"),
            (new DataKeyCreationOptions { KeyAltNames = ["\ud800"] }, "not valid Unicode"),
            (new DataKeyCreationOptions { MasterKey = ExtendedJson.ToBson("""{"region": "r"}""") }, "Unexpected field: 'region'"),
        };
        foreach (var (options, expected) in refused)
        {
            var error = Assert.Throws<DataKeyException>(() => _vault.CreateDataKey("local", options));
            Assert.Equal(CsfleErrorCode.MalformedDataKey, error.Code);
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<DataKeyException>(async () => await _vault.CreateDataKeyAsync("local", options));
        }

        Assert.Empty(_store.List());
    }

    [Fact]
    public void A_name_that_is_taken_is_an_error_and_adds_no_key()
    {
        _vault.CreateDataKey("local", new() { KeyAltNames = ["a"] });
        var error = Assert.Throws<DataKeyException>(() => _vault.CreateDataKey("local", new() { KeyAltNames = ["b", "a"] }));
        Assert.Equal(CsfleErrorCode.DuplicateDataKey, error.Code);
        Assert.Single(_store.List());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_KMS_that_is_not_configured_is_named(bool async)
    {
        var create = await Assert.ThrowsAsync<DataKeyException>(async () => { _ = async ? await _vault.CreateDataKeyAsync("local:x") : _vault.CreateDataKey("local:x"); });
        Assert.Equal(CsfleErrorCode.KmsNotConfigured, create.Code);
        Assert.Contains("KMS provider `local:x` is not configured", create.Message, StringComparison.Ordinal);
        Assert.Contains("Configured are: `local`", create.Message, StringComparison.Ordinal);

        var key = TestKeys.New("a");
        _store.Insert(key);
        var acquire = await Assert.ThrowsAsync<DataKeyException>(() => Acquire(_vault, async, KeyReference.ByName("a")));
        Assert.Equal(CsfleErrorCode.KmsNotConfigured, acquire.Code);
        Assert.Contains("KMS provider `aws` is not configured", acquire.Message, StringComparison.Ordinal);
        Assert.Equal(key.Id, acquire.KeyId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_in_memory_needs_no_store_and_no_memory(bool async)
    {
        var store = new ScriptedKeyVaultStore();
        using var vault = NewVault(store);
        var id = vault.CreateDataKey("local", new() { KeyAltNames = ["a"] });
        store.OnFind = () => store.Inserted;
        KeyReference[] references = [KeyReference.ById(id), KeyReference.ByName("a"), KeyReference.ById(id)];
        var keys = new DataKey[3];
        foreach (var key in await Acquire(vault, async, references)) key.Release();
        var allocated = long.MaxValue;
        var atOnce = true;
        for (var i = 0; i < 100; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            if (async)
            {
                atOnce &= vault.AcquireKeysAsync(references, keys, default).IsCompletedSuccessfully;
            }
            else
            {
                vault.AcquireKeys(references, keys, default);
            }

            foreach (var key in keys) key.Release();
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.True(atOnce);

        Assert.Equal(1, store.Finds);
        Assert.Equal(0, allocated);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Asks_the_store_once_for_all_that_is_missing_and_the_KMS_once_for_each(bool async)
    {
        var aws = new FakeKeyManagementService("aws");
        var store = new ScriptedKeyVaultStore();
        using var vault = new KeyVaultService(store, [aws]);
        var documents = new[] { TestKeys.New("a", "b"), TestKeys.New("c"), TestKeys.New() };
        store.OnFind = () => documents;
        var keys = await Acquire(vault, async, KeyReference.ByName("b"), KeyReference.ByName("a"), KeyReference.ById(documents[0].Id), KeyReference.ByName("c"), KeyReference.ById(documents[2].Id), KeyReference.ByName("c"));
        Assert.Equal(1, store.Finds);
        Assert.Equal(3, aws.Unwraps);
        Assert.Equal([documents[0].Id, documents[0].Id, documents[0].Id, documents[1].Id, documents[2].Id, documents[1].Id], keys.Select(key => key.Id));
        Assert.All(aws.LastAnswer!, b => Assert.Equal(0, b));
        foreach (var key in keys) key.Release();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_expires_and_works_until_then_while_the_store_is_down(bool async)
    {
        var store = new ScriptedKeyVaultStore();
        using var vault = NewVault(store);
        vault.CreateDataKey("local", new() { KeyAltNames = ["a"] });
        store.OnFind = () => store.Inserted;
        var first = (await Acquire(vault, async, KeyReference.ByName("a")))[0];
        first.Release();

        store.OnFind = () => throw new KeyVaultException("down", "Wait.");
        _time.Advance(TimeSpan.FromSeconds(59));
        (await Acquire(vault, async, KeyReference.ByName("a")))[0].Release();
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<KeyVaultException>(() => Acquire(vault, async, KeyReference.ByName("a")));

        store.OnFind = () => store.Inserted;
        var second = (await Acquire(vault, async, KeyReference.ByName("a")))[0];
        Assert.NotSame(first, second);
        Assert.All(Secrets.BytesOf(first), b => Assert.Equal(0, b));
        second.Release();
    }

    [Fact]
    public void An_expiration_of_zero_means_never_and_a_negative_one_nothing()
    {
        using var vault = NewVault(_store, TimeSpan.Zero);
        vault.CreateDataKey("local", new() { KeyAltNames = ["a"] });
        var keys = new DataKey[1];
        vault.AcquireKeys([KeyReference.ByName("a")], keys, default);
        var first = keys[0];
        first.Release();
        _time.Advance(TimeSpan.FromDays(10_000));
        vault.AcquireKeys([KeyReference.ByName("a")], keys, default);
        Assert.Same(first, keys[0]);
        keys[0].Release();
        Assert.Throws<ArgumentOutOfRangeException>(() => NewVault(_store, TimeSpan.FromTicks(-1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_unknown_key_is_an_error_that_says_what_the_vault_has(bool async)
    {
        var empty = await NotFound(_vault, KeyReference.ByName("patients"), async);
        Assert.Contains("not all keys requested were satisfied", empty.Message, StringComparison.Ordinal);
        Assert.Contains("the key vault in memory holds no data key 'patients'", empty.Message, StringComparison.Ordinal);
        Assert.Contains("may be empty or misnamed", empty.Message, StringComparison.Ordinal);
        Assert.Contains("It holds no data key at all.", empty.Message, StringComparison.Ordinal);
        Assert.Equal("patients", empty.KeyAltName);

        _vault.CreateDataKey("local");
        Assert.Contains("None of its data keys has a name.", (await NotFound(_vault, KeyReference.ByName("patients"), async)).Message, StringComparison.Ordinal);

        _vault.CreateDataKey("local", new() { KeyAltNames = ["patient", "doctor"] });
        var some = await NotFound(_vault, KeyReference.ByName("patients"), async);
        Assert.Contains("It has the names 'patient', 'doctor'.", some.Message, StringComparison.Ordinal);

        for (var i = 0; i < 30; i++) _vault.CreateDataKey("local", new() { KeyAltNames = [$"name{i:00}"] });
        var many = await NotFound(_vault, KeyReference.ByName("patients"), async);
        Assert.Contains("and more.", many.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("name20", many.Message, StringComparison.Ordinal);

        // Names do not help who asked for an id, and the question would be one more to the key vault.
        var id = Guid.NewGuid();
        var unknown = await NotFound(_vault, KeyReference.ById(id), async);
        Assert.Contains($"no data key {id}", unknown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("patient", unknown.Message, StringComparison.Ordinal);
        Assert.Equal(id, unknown.KeyId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_unknown_key_stays_the_error_where_the_names_cannot_be_had(bool async)
    {
        var store = new ScriptedKeyVaultStore { OnList = () => throw new KeyVaultException("down", "Wait.") };
        using var vault = NewVault(store);
        Assert.Contains("What it holds cannot be listed.", (await NotFound(vault, KeyReference.ByName("a"), async)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task That_a_key_was_not_found_is_not_remembered(bool async)
    {
        await NotFound(_vault, KeyReference.ByName("a"), async);
        _vault.CreateDataKey("local", new() { KeyAltNames = ["a"] });
        (await Acquire(_vault, async, KeyReference.ByName("a")))[0].Release();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_of_another_master_key_is_an_error_and_makes_no_new_key(bool async)
    {
        var id = _vault.CreateDataKey("local", new() { KeyAltNames = ["a"] });
        using var otherKey = LocalMasterKey.Generate();
        using var other = new KeyVaultService(_store, [new LocalKeyManagementService(otherKey)]);
        var error = await Assert.ThrowsAsync<DataKeyException>(() => Acquire(other, async, KeyReference.ByName("a")));
        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, error.Code);
        Assert.Equal(id, error.KeyId);
        Assert.Contains("the master key of KMS provider `local` does not unwrap", error.Message, StringComparison.Ordinal);
        Assert.Single(_store.List());
        Assert.Equal(0, other.CachedKeys);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_changed_wrapped_key_is_an_error(bool async)
    {
        var id = _vault.CreateDataKey("local");
        var original = _store.List().Single();
        for (var i = 0; i < original.KeyMaterial.Length; i++)
        {
            var wrapped = original.KeyMaterial.ToArray();
            wrapped[i] ^= 1;
            var changed = DataKeyDocument.Create(id, [], wrapped, _time.GetUtcNow(), original.MasterKey.Span);
            using var vault = NewVault(new ScriptedKeyVaultStore { OnFind = () => [changed] });
            var error = await Assert.ThrowsAsync<DataKeyException>(() => Acquire(vault, async, KeyReference.ById(id)));
            Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, error.Code);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(95, true)]
    [InlineData(97, false)]
    [InlineData(97, true)]
    public async Task A_KMS_that_answers_with_another_length_is_an_error_and_the_answer_is_zeroed(int length, bool async)
    {
        var key = TestKeys.New("a");
        _store.Insert(key);
        var aws = new FakeKeyManagementService("aws") { OnUnwrap = _ => RandomNumberGenerator.GetBytes(length) };
        using var vault = new KeyVaultService(_store, [aws]);
        var error = await Assert.ThrowsAsync<DataKeyException>(() => Acquire(vault, async, KeyReference.ByName("a")));
        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, error.Code);
        Assert.Equal(key.Id, error.KeyId);
        Assert.Contains($"to {length} bytes, not 96", error.InnerException!.Message, StringComparison.Ordinal);
        Assert.All(aws.LastAnswer!, b => Assert.Equal(0, b));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_KMS_that_refuses_is_an_error_with_its_cause(bool async)
    {
        _store.Insert(TestKeys.New("a"));
        using var vault = new KeyVaultService(_store, [new FakeKeyManagementService("aws") { OnUnwrap = _ => throw new CryptographicException("refused") }]);
        var error = await Assert.ThrowsAsync<DataKeyException>(() => Acquire(vault, async, KeyReference.ByName("a")));
        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, error.Code);
        Assert.IsType<CryptographicException>(error.InnerException);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_keys_or_none(bool async)
    {
        var good = _vault.CreateDataKey("local", new() { KeyAltNames = ["cached"] });
        _vault.CreateDataKey("local", new() { KeyAltNames = ["good"] });
        _store.Insert(TestKeys.New("bad"));
        var cached = (await Acquire(_vault, async, KeyReference.ById(good)))[0];
        cached.Release();

        var keys = new DataKey[3];
        KeyReference[] references = [KeyReference.ByName("cached"), KeyReference.ByName("good"), KeyReference.ByName("bad")];
        await Assert.ThrowsAsync<DataKeyException>(async () =>
        {
            if (async)
            {
                await _vault.AcquireKeysAsync(references, keys, default);
            }
            else
            {
                _vault.AcquireKeys(references, keys, default);
            }
        });
        Assert.All(keys, Assert.Null);

        // A reference left over would keep the key alive.
        _vault.Dispose();
        Assert.All(Secrets.BytesOf(cached), b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task Disposal_zeroes_what_is_not_in_use_and_ends_the_service()
    {
        var aws = new FakeKeyManagementService("aws");
        var vault = new KeyVaultService(_store, [aws]);
        _store.Insert(TestKeys.New("a"));
        _store.Insert(TestKeys.New("b"));
        var keys = await Acquire(vault, false, KeyReference.ByName("a"), KeyReference.ByName("b"));
        keys[0].Release();
        vault.Dispose();
        vault.Dispose();
        Assert.True(aws.IsDisposed);
        Assert.All(Secrets.BytesOf(keys[0]), b => Assert.Equal(0, b));
        Assert.Contains(Secrets.BytesOf(keys[1]), b => b != 0);
        keys[1].Release();
        Assert.All(Secrets.BytesOf(keys[1]), b => Assert.Equal(0, b));

        await Assert.ThrowsAsync<ObjectDisposedException>(() => Acquire(vault, false, KeyReference.ByName("a")));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Acquire(vault, true, KeyReference.ByName("a")));
        Assert.Throws<ObjectDisposedException>(() => vault.CreateDataKey("aws"));
        Assert.Throws<ObjectDisposedException>(() => vault.FindByName("a"));
    }

    [Fact]
    public async Task Many_threads_and_tasks_get_working_keys_while_keys_expire_and_until_the_service_ends()
    {
        var vault = NewVault(_store, TimeSpan.FromMilliseconds(10));
        var names = Enumerable.Range(0, 4).Select(i => $"key{i}").ToArray();
        foreach (var name in names) vault.CreateDataKey("local", new() { KeyAltNames = [name] });
        KeyReference[] references = [.. names.Select(KeyReference.ByName)];
        var expected = (await Acquire(vault, false, references)).Select(key =>
        {
            var blob = Encrypt(key);
            key.Release();
            return blob;
        }).ToArray();

        var seen = new ConcurrentDictionary<DataKey, bool>();
        var rounds = 0;
        var ended = 0;
        var workers = Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            try
            {
                while (true)
                {
                    var i = random.Next(names.Length);
                    var keys = await Acquire(vault, worker % 2 == 0, references[i], references[(i + 1) % names.Length]);
                    Assert.Equal(expected[i], Encrypt(keys[0]));
                    Assert.Equal(expected[(i + 1) % names.Length], Encrypt(keys[1]));
                    foreach (var key in keys)
                    {
                        seen[key] = true;
                        key.Release();
                    }

                    var round = Interlocked.Increment(ref rounds);
                    if (round % 20 == 0) _time.Advance(TimeSpan.FromMilliseconds(10));
                    if (round == 4000) vault.Dispose();
                }
            }
            catch (ObjectDisposedException)
            {
                Interlocked.Increment(ref ended);
            }
        })).ToArray();

        await Task.WhenAll(workers);
        Assert.Equal(8, ended);
        Assert.True(seen.Count >= 10 * names.Length, "Too few keys expired.");
        Assert.All(seen.Keys, key => Assert.All(Secrets.BytesOf(key), b => Assert.Equal(0, b)));
    }

    [Fact]
    public async Task Honours_cancellation_without_losing_a_reference()
    {
        _vault.CreateDataKey("local", new() { KeyAltNames = ["a"] });
        var cancelled = new CancellationToken(true);
        var keys = new DataKey[1];
        Assert.ThrowsAny<OperationCanceledException>(() => _vault.AcquireKeys([KeyReference.ByName("a")], keys, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _vault.AcquireKeysAsync(new[] { KeyReference.ByName("a") }, keys, cancelled));
        Assert.Null(keys[0]);
        Assert.ThrowsAny<OperationCanceledException>(() => _vault.CreateDataKey("local", null, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _vault.CreateDataKeyAsync("local", null, cancelled));
        Assert.Single(_store.List());
    }

    [Fact]
    public void Logs_ids_and_names_and_no_key()
    {
        var material = RandomNumberGenerator.GetBytes(96);
        var id = _vault.CreateDataKey("local", new() { KeyMaterial = material });
        var keys = new DataKey[1];
        _vault.AcquireKeys([KeyReference.ById(id)], keys, default);
        keys[0].Release();
        Assert.Equal([4002, 4003], _log.Lines.Select(line => line.Id.Id));
        Assert.Contains(id.ToString(), _log.Lines[0].Text, StringComparison.Ordinal);
        foreach (var (_, _, text) in _log.Lines)
        {
            Assert.DoesNotContain(Convert.ToBase64String(material), text, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToHexString(material), text, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void Refuses_two_services_for_one_provider_and_a_provider_that_is_none()
    {
        Assert.Throws<ArgumentException>(() => new KeyVaultService(_store, [new FakeKeyManagementService("aws"), new FakeKeyManagementService("aws")]));
        Assert.Throws<ArgumentException>(() => new KeyVaultService(_store, [new FakeKeyManagementService("vault")]));
    }

    [Fact]
    public void A_master_key_elsewhere_is_stored_with_its_provider()
    {
        using var vault = new KeyVaultService(_store, [new FakeKeyManagementService("aws:eu")]);
        var id = vault.CreateDataKey("aws:eu", new() { MasterKey = ExtendedJson.ToBson("""{"region": "r", "key": "k"}""") });
        Assert.Equal(ExtendedJson.ToBson("""{"provider": "aws:eu", "region": "r", "key": "k"}"""), vault.FindById(id)!.MasterKey.ToArray());
        Assert.Contains("expected UTF-8 region", Assert.Throws<DataKeyException>(() => vault.CreateDataKey("aws:eu")).Message, StringComparison.Ordinal);
    }

    private static byte[] Encrypt(DataKey key)
    {
        var blob = new byte[Ciphertext.LengthFor(4)];
        key.Encrypt(CsfleAlgorithm.Deterministic, BsonType.Int32, [1, 2, 3, 4], [], blob);
        return blob;
    }

    private static async Task<DataKey[]> Acquire(KeyVaultService vault, bool async, params KeyReference[] references)
    {
        var keys = new DataKey[references.Length];
        if (async)
        {
            await vault.AcquireKeysAsync(references, keys, default);
        }
        else
        {
            vault.AcquireKeys(references, keys, default);
        }

        return keys;
    }

    private static async Task<DataKeyException> NotFound(KeyVaultService vault, KeyReference reference, bool async)
    {
        var error = await Assert.ThrowsAsync<DataKeyException>(() => Acquire(vault, async, reference));
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, error.Code);
        return error;
    }

    private KeyVaultService NewVault(IKeyVaultStore store, TimeSpan? expiration = null)
        => new(store, [new LocalKeyManagementService(_masterKey)], new KeyVaultOptions
        {
            TimeProvider = _time,
            CacheExpiration = expiration ?? TimeSpan.FromSeconds(60),
            LoggerFactory = _log,
        });
}
