using System.Runtime.CompilerServices;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.KeyVault;

namespace Medco.Csfle.Engine.Tests.Secrecy;

/// <summary>
/// Looks through the memory of the whole process for keys that were let go. What was reserved for a key, and what one was read
/// into on the way, has to be zero, wherever it is; so no list of buffers can be incomplete.
/// </summary>
public sealed class KeyBufferTests : IDisposable
{
    private static readonly Range TagKey = ..32;
    private static readonly Range CipherKey = 32..64;
    private static readonly Range IvKey = 64..96;
    private static readonly Range Base64Start = 96..128;
    private static readonly Range Base64End = 192..224;

    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly NativeSecret _secret = new();
    private readonly LocalMasterKey _other = LocalMasterKey.Generate();

    public void Dispose()
    {
        ((IDisposable)_secret).Dispose();
        _other.Dispose();
        _folder.Dispose();
    }

    [ProcessMemoryFact]
    public void A_key_that_is_there_would_be_found()
    {
        using var key = LocalMasterKey.FromBytes(_secret.GetSpan());
        Assert.Equal([1, 1, 1], ProcessMemory.Count(_secret, TagKey, CipherKey, IvKey));
        GC.KeepAlive(key);
    }

    [ProcessMemoryFact]
    public void A_master_key_from_bytes() => AssertGone(() => LocalMasterKey.FromBytes(_secret.GetSpan()).Dispose());

    [ProcessMemoryFact]
    public void A_master_key_from_a_file()
    {
        WriteFile("raw.key", _secret.GetSpan());
        AssertGone(() => LocalMasterKey.FromFile(_folder.PathOf("raw.key")).Dispose());
    }

    [ProcessMemoryFact]
    public void A_master_key_from_a_file_in_base64()
    {
        WriteFile("text.key", _secret.Text);
        AssertGone(() => LocalMasterKey.FromFile(_folder.PathOf("text.key")).Dispose());
    }

    [ProcessMemoryFact]
    public void A_master_key_from_a_file_that_holds_too_much_or_too_little()
    {
        WriteFile("long.key", [.. new byte[4]], _secret.GetSpan());
        WriteFile("short.key", _secret.GetSpan()[..95]);
        WriteFile("cut.key", _secret.Text[..124]);
        WriteFile("mistyped.key", _secret.Text[..127], "!"u8);
        AssertGone(() =>
        {
            foreach (var name in new[] { "long.key", "short.key", "cut.key", "mistyped.key" })
            {
                Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromFile(_folder.PathOf(name)));
            }
        });
    }

    [ProcessMemoryFact]
    public void A_master_key_from_text()
    {
        // The text itself is the caller's, in UTF-16; looked for is what becomes of it.
        AssertGone(() =>
        {
            LocalMasterKey.FromBase64(TextOf(_secret)).Dispose();
            Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromBase64(TextOf(_secret)[..124]));
            Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromBase64(TextOf(_secret) + "!"));
        });
    }

    [ProcessMemoryFact]
    public void A_master_key_from_an_environment_variable()
    {
        var variable = $"MEDCO_TEST_{Guid.NewGuid():N}";
        Environment.SetEnvironmentVariable(variable, TextOf(_secret));
        try
        {
            LocalMasterKey.FromEnvironmentVariable(variable).Dispose();

            // The text stands in the environment itself, and in what the system made of it.
            Assert.Equal([0, 0, 0], ProcessMemory.Count(_secret, TagKey, CipherKey, IvKey));
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, null);
        }
    }

    [ProcessMemoryFact]
    public void A_master_key_that_wrapped_and_unwrapped() => AssertGone(() =>
    {
        using var masterKey = LocalMasterKey.FromBytes(_secret.GetSpan());
        using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(masterKey)]);
        Use(vault, vault.CreateDataKey("local"));
    });

    [ProcessMemoryFact]
    public void Given_key_material_after_the_key_was_made() => AssertGone(() =>
    {
        using var vault = Open(new InMemoryKeyVaultStore());
        vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory });
    });

    [ProcessMemoryFact]
    public void Given_key_material_after_the_key_could_not_be_made() => AssertGone(() =>
    {
        using var vault = Open(new InMemoryKeyVaultStore());
        using var refusing = new KeyVaultService(new InMemoryKeyVaultStore(), [new Testing.FakeKeyManagementService("local").Always(Testing.FakeKmsAnswer.Refusal)]);
        Assert.Throws<KmsException>(() => refusing.CreateDataKey("local", new() { KeyMaterial = _secret.Memory }));
        Assert.Throws<DataKeyException>(() => vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory[..95] }));
        Assert.Throws<DataKeyException>(() => vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory, KeyAltNames = ["a", "a"] }));
    });

    [ProcessMemoryFact]
    public void A_data_key_that_was_used_and_disposed_with_the_service() => AssertGone(() =>
    {
        using var vault = Open(new InMemoryKeyVaultStore());
        Use(vault, vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory }));
    });

    [ProcessMemoryFact]
    public void A_data_key_that_expired()
    {
        using var vault = Open(new InMemoryKeyVaultStore());
        AssertGone(() =>
        {
            Use(vault, vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory }));
            _time.Advance(TimeSpan.FromSeconds(60));

            // Expired keys go when the next one comes.
            Use(vault, vault.CreateDataKey("local"));
        });
        Assert.Equal(1, vault.CachedKeys);
    }

    [ProcessMemoryFact]
    public void A_data_key_that_was_deleted_in_use()
    {
        using var vault = Open(new InMemoryKeyVaultStore());
        AssertGone(() =>
        {
            var id = vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory });
            Use(vault, id);
            vault.DeleteKey(id);
        });
    }

    [ProcessMemoryFact]
    public void A_data_key_that_came_with_one_that_does_not_unwrap()
    {
        var store = new InMemoryKeyVaultStore();
        using var vault = Open(store);
        var good = vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory });
        using var stranger = LocalMasterKey.Generate();
        using var elsewhere = new KeyVaultService(store, [new LocalKeyManagementService(stranger)]);
        var bad = elsewhere.CreateDataKey("local");
        AssertGone(() =>
        {
            var keys = new DataKey[2];
            Assert.Throws<DataKeyException>(() => vault.AcquireKeys([KeyReference.ById(good), KeyReference.ById(bad)], keys, default));
        });
        Assert.Equal(0, vault.CachedKeys);
    }

    [ProcessMemoryFact]
    public void A_data_key_that_arrived_after_the_service_was_disposed()
    {
        var store = new InMemoryKeyVaultStore();
        Guid id;
        using (var vault = Open(store)) id = vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory });
        AssertGone(() =>
        {
            KeyVaultService vault = null!;
            var scripted = new ScriptedKeyVaultStore
            {
                OnFind = () =>
                {
                    vault.Dispose();
                    return store.List();
                },
            };

            // The key itself outlives the service here, whose cache is closed when it comes.
            vault = new KeyVaultService(scripted, [new UnclosedKms(new LocalKeyManagementService(_other))], new KeyVaultOptions { TimeProvider = _time });
            Assert.Throws<ObjectDisposedException>(() => Use(vault, id));
        });
    }

    [ProcessMemoryFact]
    public void A_data_key_that_was_rewrapped_planned_checked_and_wrongly_wrapped()
    {
        using var fake = new Testing.FakeKeyManagementService("local:new");
        using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(_other), fake]);
        AssertGone(() =>
        {
            vault.CreateDataKey("local", new() { KeyMaterial = _secret.Memory });
            var job = new RewrapJob(vault, new() { BackupPath = _folder.PathOf("backup.json"), Target = new() { Provider = "local:new" } });
            fake.Next(Testing.FakeKmsAnswer.WrongContent);
            Assert.Single(job.Plan().Problems);
            job.Run();
            vault.RewrapManyDataKey(ExtendedJson.ToBson("{}"), new() { Provider = "local" });
        });
    }

    // Out of line, so that no local of the test keeps anything alive or on its stack.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Use(KeyVaultService vault, Guid id)
    {
        var engine = new CsfleEngine(vault, []);
        var value = ExtendedJson.ToBson("""{"v": "x"}""");
        foreach (var algorithm in new[] { CsfleAlgorithm.Deterministic, CsfleAlgorithm.Random }) Assert.Equal(value, engine.Decrypt(engine.Encrypt(value, algorithm, id)));
    }

    private static string TextOf(NativeSecret secret) => Convert.ToBase64String(secret.GetSpan());

    private void WriteFile(string name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        // Without buffers, which would keep what passes through them.
        using var file = File.OpenHandle(_folder.PathOf(name), FileMode.CreateNew, FileAccess.Write);
        RandomAccess.Write(file, first, 0);
        RandomAccess.Write(file, second, first.Length);
    }

    private KeyVaultService Open(IKeyVaultStore store) => new(store, [new LocalKeyManagementService(_other)], new KeyVaultOptions { TimeProvider = _time });

    private void AssertGone(Action use)
    {
        use();
        Assert.Equal([0, 0, 0, 0, 0], ProcessMemory.Count(_secret, TagKey, CipherKey, IvKey, Base64Start, Base64End));
    }

    /// <summary>Lets a service outlive who is supposed to dispose it.</summary>
    private sealed class UnclosedKms(IKeyManagementService inner) : IKeyManagementService
    {
        public string Provider => inner.Provider;

        public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default) => inner.Wrap(masterKey, dataKey, cancellationToken);

        public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
            => inner.WrapAsync(masterKey, dataKey, cancellationToken);

        public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
            => inner.Unwrap(masterKey, wrappedDataKey, cancellationToken);

        public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
            => inner.UnwrapAsync(masterKey, wrappedDataKey, cancellationToken);

        public void Dispose()
        {
        }
    }
}
