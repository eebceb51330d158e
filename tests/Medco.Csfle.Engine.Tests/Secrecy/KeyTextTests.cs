using System.Diagnostics;
using System.Reflection;
using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Kms;
using Medco.Csfle.Testing;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine.Tests.Secrecy;

/// <summary>No text that this library makes shows a byte of a key: not what objects print, not a log line of any level, not an exception.</summary>
public sealed class KeyTextTests : IDisposable
{
    private static readonly byte[] Material = [.. Enumerable.Range(0, 96).Select(index => (byte)((index * 37 + 131) % 256))];
    private static readonly byte[] MasterKey = [.. Enumerable.Range(0, 96).Select(index => (byte)((index * 53 + 101) % 256))];

    private readonly TemporaryFolder _folder = new();
    private readonly CollectingLogger _log = new();
    private readonly List<string> _texts = [];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("hex")]
    [InlineData("dashes")]
    [InlineData("base64")]
    [InlineData("list")]
    [InlineData("raw")]
    [InlineData("utf8")]
    public void A_key_that_were_shown_would_be_found(string form)
    {
        var text = form switch
        {
            "hex" => Convert.ToHexString(Material[30..60]),
            "dashes" => BitConverter.ToString(Material[30..60]),
            "base64" => Convert.ToBase64String([0, .. Material[30..60]]),
            "list" => string.Join(", ", Material[30..60]),
            "raw" => Encoding.Latin1.GetString(Material[30..60]),
            _ => Encoding.UTF8.GetString(MasterKey),
        };
        Assert.True(Shows($"x {text} y"));
    }

    [Fact]
    public void Nothing_prints_a_key()
    {
        using var masterKey = LocalMasterKey.FromBytes(MasterKey);
        using var local = new LocalKeyManagementService(masterKey);
        using var fake = new Testing.FakeKeyManagementService("aws");
        using var resilient = new ResilientKeyManagementService(local);
        using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [local], new KeyVaultOptions { LoggerFactory = _log });
        var options = new DataKeyCreationOptions { KeyMaterial = Material, KeyAltNames = ["patients"] };
        var id = vault.CreateDataKey("local", options);
        var keys = new DataKey[1];
        vault.AcquireKeys([KeyReference.ById(id)], keys, default);
        using var aead = new AeadKey(Material);
        using var use = masterKey.BeginUse();
        using var cache = new DataKeyCache(TimeProvider.System, TimeSpan.Zero);
        object[] all =
        [
            masterKey, local, fake, resilient, vault, options, keys[0], aead, use, cache, new CsfleEngine(vault, []), vault.Store, KeyReference.ById(id),
            vault.FindById(id)!, new KeyVaultOptions(), new RewrapOptions(), FakeKmsAnswer.WrongContent, new RewrappedKey(id, Material, Material),
            new RewrapPlan(vault.FindKeys(), [], []), new RewrapJobOptions { BackupPath = "x" },
        ];
        foreach (var each in all) Assert.False(Shows($"{each}"), each.GetType().Name);
        keys[0].Release();
    }

    [Fact]
    public void No_type_tells_a_debugger_to_show_more_than_it_prints()
    {
        foreach (var type in typeof(CsfleEngine).Assembly.GetTypes())
        {
            Assert.DoesNotContain(type.GetCustomAttributes<DebuggerDisplayAttribute>(), display => !IsOfCompiler(type, display));
            Assert.Empty(type.GetCustomAttributes<DebuggerTypeProxyAttribute>());
        }
    }

    [Fact]
    public async Task No_log_line_and_no_exception_shows_a_key_whatever_goes_wrong()
    {
        var store = new InMemoryKeyVaultStore();
        using var fake = new Testing.FakeKeyManagementService("local:fake");
        using (var masterKey = LocalMasterKey.FromBytes(MasterKey))
        using (var vault = new KeyVaultService(store, [new LocalKeyManagementService(masterKey), fake], new KeyVaultOptions
        {
            LoggerFactory = _log,
            KmsResilience = new KmsResilienceOptions { LoggerFactory = _log, MaxAttempts = 2, FirstPause = TimeSpan.Zero },
        }))
        {
            var id = vault.CreateDataKey("local", new() { KeyMaterial = Material, KeyAltNames = ["patients"] });
            var engine = new CsfleEngine(vault, new CsfleEngineOptions { LoggerFactory = _log });
            var ciphertext = engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), CsfleAlgorithm.Random, id);
            ciphertext[^2] ^= 1;
            Expect(() => engine.Decrypt(ciphertext));
            Expect(() => engine.Encrypt(ExtendedJson.ToBson("""{"v": null}"""), CsfleAlgorithm.Random, id));
            Expect(() => vault.CreateDataKey("local", new() { KeyMaterial = Material[..95] }));
            Expect(() => vault.CreateDataKey("local", new() { KeyMaterial = Material, KeyAltNames = ["patients"] }));
            Expect(() => vault.CreateDataKey("local:nobody", new() { KeyMaterial = Material }));
            Expect(() => engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), CsfleAlgorithm.Random, "nobody"));
            foreach (var answer in new[] { FakeKmsAnswer.Refusal, FakeKmsAnswer.Outage, FakeKmsAnswer.OfLength(0) })
            {
                fake.Always(answer);
                Expect(() => vault.CreateDataKey("local:fake", new() { KeyMaterial = Material }));
            }

            fake.Always(FakeKmsAnswer.WrongContent);
            Expect(() => vault.RewrapManyDataKey(ExtendedJson.ToBson("{}"), new() { Provider = "local:fake" }));
            await ExpectAsync(async () => await vault.RewrapManyDataKeyAsync(ExtendedJson.ToBson("{}"), new() { Provider = "local:fake" }));
        }

        // A KMS that answers with the very key it was to wrap.
        using (var echo = new KeyVaultService(store, [new EchoKms()], new KeyVaultOptions { LoggerFactory = _log }))
        {
            Expect(() => echo.CreateDataKey("local", new() { KeyMaterial = Material }));
        }

        using (var other = LocalMasterKey.Generate())
        using (var vault = new KeyVaultService(store, [new LocalKeyManagementService(other)], new KeyVaultOptions { LoggerFactory = _log }))
        {
            Expect(() => vault.GetOrCreateDataKey("local", "patients"));
        }

        Expect(() => LocalMasterKey.FromBytes(MasterKey.AsSpan(0, 95)));
        Expect(() => LocalMasterKey.FromBase64(Convert.ToBase64String(MasterKey)[..124]));
        Expect(() => LocalMasterKey.FromBase64(Convert.ToBase64String(MasterKey) + "!"));
        Expect(() => LocalMasterKey.FromBase64(Convert.ToHexString(MasterKey)));
        File.WriteAllBytes(_folder.PathOf("key"), [.. MasterKey, 0]);
        File.WriteAllText(_folder.PathOf("text"), Convert.ToBase64String(MasterKey)[..124]);
        Expect(() => LocalMasterKey.FromFile(_folder.PathOf("key"), _log));
        Expect(() => LocalMasterKey.FromFile(_folder.PathOf("text"), _log));

        Assert.Contains(_log.Lines, line => line.Level == LogLevel.Debug);
        Assert.Contains(_log.Lines, line => line.Level == LogLevel.Information);
        Assert.Contains(_log.Lines, line => line.Level == LogLevel.Warning);
        Assert.All(_texts.Concat(_log.Lines.Select(line => line.Text)), text => Assert.False(Shows(text), text));
    }

    // Anonymous types and the like, whose attributes the compiler wrote.
    private static bool IsOfCompiler(Type type, DebuggerDisplayAttribute display) => type.Name.Contains('<', StringComparison.Ordinal) && display.Type == "<Anonymous Type>";

    private void Expect(Action action) => Keep(Assert.ThrowsAny<CsfleException>(action));

    private async Task ExpectAsync(Func<Task> action) => Keep(await Assert.ThrowsAnyAsync<CsfleException>(action));

    private void Keep(CsfleException exception)
    {
        _texts.Add(exception.ToString());
        foreach (var property in exception.GetType().GetProperties()) _texts.Add($"{property.GetValue(exception)}");
    }

    /// <summary>Whether eight bytes on end of a key stand in a text, however they are spelt.</summary>
    private static bool Shows(string text)
    {
        foreach (var key in new[] { Material, MasterKey })
        {
            for (var from = 0; from + 12 <= key.Length; from++)
            {
                var part = key.AsSpan(from, 8);
                if (text.Contains(Convert.ToHexString(part), StringComparison.OrdinalIgnoreCase)
                    || text.Contains(BitConverter.ToString(part.ToArray()), StringComparison.OrdinalIgnoreCase)
                    || text.Contains(string.Join(", ", part.ToArray()), StringComparison.Ordinal)
                    || text.Contains(string.Join(',', part.ToArray()), StringComparison.Ordinal)
                    || text.Contains(Encoding.Latin1.GetString(part), StringComparison.Ordinal)
                    || text.Contains(Convert.ToBase64String(key.AsSpan(from, 9)), StringComparison.Ordinal))
                {
                    return true;
                }
            }

            if (text.Contains(Encoding.UTF8.GetString(key), StringComparison.Ordinal)) return true;
        }

        return false;
    }

    private sealed class EchoKms : IKeyManagementService
    {
        public string Provider => "local";

        public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default) => dataKey.ToArray();

        public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default) => new(dataKey.ToArray());

        public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default) => wrappedDataKey.ToArray();

        public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default) => new(wrappedDataKey.ToArray());

        public void Dispose()
        {
        }
    }
}
