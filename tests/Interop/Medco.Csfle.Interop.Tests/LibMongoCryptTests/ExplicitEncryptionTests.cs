using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Bson;
using Medco.Csfle.Peers;
using Xunit.Abstractions;

namespace Medco.Csfle.Interop.Tests.LibMongoCryptTests;

/// <summary>Single values: what one encrypts the other decrypts, and deterministic ciphertexts are the same bytes.</summary>
public sealed class ExplicitEncryptionTests(ITestOutputHelper output) : IDisposable
{
    private const int Documents = 10_000;
    private const ulong Seed = 20261122;

    private readonly SharedKeyVault _shared = new();

    public void Dispose() => _shared.Dispose();

    [LibMongoCryptFact]
    public void Ten_thousand_generated_values_of_every_type_cross_in_both_directions()
    {
        output.WriteLine($"libmongocrypt {LibMongoCrypt.Version}, seed {Seed}");
        using var peer = _shared.NewLibMongoCrypt();
        var keyId = _shared.Vault.CreateDataKey("local");
        var engine = new CsfleEngine(_shared.Vault, new CsfleEngineOptions());
        var encrypted = new Dictionary<(BsonType, CsfleAlgorithm), int>();
        var refused = new Dictionary<(BsonType, CsfleAlgorithm), int>();
        var config = Config.QuickThrowOnFailure.WithMaxTest(Documents).WithReplay(Seed, 1).WithEndSize(40);
        Check.One(config, Prop.ForAll(Arb.From(Values), value =>
        {
            var document = Wrap(value);
            foreach (var algorithm in new[] { CsfleAlgorithm.Deterministic, CsfleAlgorithm.Random })
            {
                if (EncryptedNode.IsProhibited(algorithm, value.Type))
                {
                    Assert.ThrowsAny<CsfleException>(() => engine.Encrypt(document, algorithm, keyId));
                    Assert.Throws<LibMongoCryptException>(() => peer.Encrypt(document, algorithm, keyId));
                    Count(refused, value.Type, algorithm);
                    continue;
                }

                var ours = engine.Encrypt(document, algorithm, keyId);
                var theirs = peer.Encrypt(document, algorithm, keyId);

                if (algorithm == CsfleAlgorithm.Deterministic) Assert.Equal(Convert.ToHexString(theirs), Convert.ToHexString(ours));
                else Assert.NotEqual(theirs, ours);
                Assert.Equal(document, peer.Decrypt(ours));
                Assert.Equal(document, engine.Decrypt(theirs));
                Count(encrypted, value.Type, algorithm);
            }
        }));

        foreach (var ((type, algorithm), count) in encrypted) output.WriteLine($"{type} {algorithm}: {count} encrypted alike");
        foreach (var ((type, algorithm), count) in refused) output.WriteLine($"{type} {algorithm}: {count} refused by both");
        // Every type is there under every algorithm, one way or the other.
        Assert.Equal(2 * BsonGenerators.Types.Length, encrypted.Count + refused.Count);
    }

    [LibMongoCryptFact]
    public void A_changed_ciphertext_is_decrypted_by_neither()
    {
        using var peer = _shared.NewLibMongoCrypt();
        var keyId = _shared.Vault.CreateDataKey("local");
        var engine = new CsfleEngine(_shared.Vault, new CsfleEngineOptions());
        var document = ExtendedJson.ToBson("""{"v": "241014209"}""");
        var ciphertext = engine.Encrypt(document, CsfleAlgorithm.Deterministic, keyId);
        var start = new BsonReaderOfValue(ciphertext).ContentStart;
        for (var position = start; position < ciphertext.Length - 1; position++)
        {
            var changed = (byte[])ciphertext.Clone();
            changed[position] ^= 1;

            Assert.ThrowsAny<CsfleException>(() => engine.Decrypt(changed));
            // The first byte says what the rest is: libmongocrypt gives back untouched what says that it is no ciphertext.
            if (position == start) Assert.Equal(changed, peer.Decrypt(changed));
            else Assert.Throws<LibMongoCryptException>(() => peer.Decrypt(changed));
        }
    }

    // A binary of subtype 6 is taken for a ciphertext by both, and the generator's are none.
    private static Gen<GeneratedValue> Values { get; } = BsonGenerators.Value().Where(value => !HoldsCiphertext(value) && !CutOffAtNul.Is(value.Type, value.Bytes));

    private static bool HoldsCiphertext(GeneratedValue value)
    {
        var document = Wrap(value);
        return Holds(new BsonReader(document));

        static bool Holds(BsonReader reader)
        {
            while (reader.Read())
            {
                if (reader.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope)
                {
                    if (Holds(reader.ReadDocument())) return true;
                }
                else if (reader.Type == BsonType.Binary)
                {
                    reader.GetBinary(out var subtype);
                    if (subtype == BinarySubtype.Encrypted) return true;
                }
            }

            return false;
        }
    }

    private static byte[] Wrap(GeneratedValue value)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteRaw(value.Type, "v"u8, value.Bytes);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static void Count(Dictionary<(BsonType, CsfleAlgorithm), int> counts, BsonType type, CsfleAlgorithm algorithm)
        => counts[(type, algorithm)] = counts.GetValueOrDefault((type, algorithm)) + 1;

    private readonly ref struct BsonReaderOfValue
    {
        public BsonReaderOfValue(byte[] document)
        {
            var reader = new BsonReader(document);
            reader.Read();
            ContentStart = reader.ValueStart + sizeof(int) + 1;
        }

        public int ContentStart { get; }
    }
}
