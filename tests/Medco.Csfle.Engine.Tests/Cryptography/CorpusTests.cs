using System.Text.Json;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Kms;

namespace Medco.Csfle.Engine.Tests.Cryptography;

/// <summary>The corpus that every official driver must reproduce, as far as its keys can be unwrapped without a cloud.</summary>
public class CorpusTests
{
    private const string LocalMasterKeyOfTheCorpus =
        "Mng0NCt4ZHVUYUJCa1kxNkVyNUR1QURhZ2h2UzR2d2RrZzh0cFBwM3R6NmdWMDFBMUN3YkQ5aXRRMkhGRGdQV09wOGVNYUMxT2k3NjZKelhaQmRCZGJkTXVyZG9uSjFk";

    [VectorFact]
    internal void Deterministic_values_are_equal_byte_for_byte_and_random_ones_decrypt()
    {
        using var vault = CorpusVault();
        var plain = ExtendedJson.ToBson(OfficialVectors.ReadText("csfle/corpus/corpus.json"));
        var encrypted = ExtendedJson.ToBson(OfficialVectors.ReadText("csfle/corpus/corpus-encrypted.json"));
        var counts = new SortedDictionary<string, int>();
        var keys = new DataKey[1];
        var reader = new BsonReader(plain);
        while (reader.Read())
        {
            if (reader.Type != BsonType.Document || !IsAllowed(reader.ReadDocument(), out var kms, out var algorithm)) continue;
            var value = Field(reader.ReadDocument(), "value"u8);
            var blob = new BsonReader(encrypted);
            Assert.True(blob.ReadTo(reader.Name));
            var expected = Field(blob.ReadDocument(), "value"u8).GetBinary(out var subtype);
            Assert.Equal(BinarySubtype.Encrypted, subtype);

            vault.AcquireKeys([KeyReference.ByName(kms)], keys, default);
            var key = keys[0];
            if (algorithm == "det")
            {
                var actual = new byte[Ciphertext.LengthFor(value.Value.Length)];
                key.Encrypt(CsfleAlgorithm.Deterministic, value.Type, value.Value, [], actual);
                Assert.True(expected.SequenceEqual(actual), reader.GetName());
            }

            var ciphertext = Ciphertext.Parse(expected);
            var decrypted = new byte[AeadKey.DecryptionLength(ciphertext.Payload.Length)];
            var length = key.Decrypt(ciphertext, decrypted);
            Assert.Equal(value.Type, ciphertext.OriginalType);
            Assert.Equal(key.Id, ciphertext.KeyId);
            Assert.Equal(algorithm == "det" ? CsfleAlgorithm.Deterministic : CsfleAlgorithm.Random, ciphertext.Algorithm);
            Assert.True(value.Value.SequenceEqual(decrypted.AsSpan(0, length)), reader.GetName());
            key.Release();
            counts[$"{kms} {algorithm}"] = counts.GetValueOrDefault($"{kms} {algorithm}") + 1;
        }

        Assert.Equal(
            new SortedDictionary<string, int> { ["aws det"] = 36, ["aws rand"] = 72, ["local det"] = 53, ["local rand"] = 89 },
            counts);
    }

    private static KeyVaultService CorpusVault()
    {
        var store = new InMemoryKeyVaultStore();
        foreach (var kms in (string[])["local", "aws"])
        {
            store.Insert(DataKeyDocument.Parse(ExtendedJson.ToBson(OfficialVectors.ReadText($"csfle/corpus/corpus-key-{kms}.json"))));
        }

        using var masterKey = LocalMasterKey.FromBase64(LocalMasterKeyOfTheCorpus);
        var reply = OfficialVectors.ReadText("libmongocrypt/kms-aws/decrypt-response.txt");
        using var body = JsonDocument.Parse(reply[reply.IndexOf('{')..]);
        var aws = new FakeKeyManagementService("aws");
        var unwrapped = body.RootElement.GetProperty("Plaintext").GetBytesFromBase64();
        aws.OnUnwrap = _ => [.. unwrapped];
        return new KeyVaultService(store, [new LocalKeyManagementService(masterKey), aws]);
    }

    private static bool IsAllowed(BsonReader entry, out string kms, out string algorithm)
    {
        kms = Field(entry, "kms"u8).GetString();
        algorithm = Field(entry, "algo"u8).GetString();
        return kms is "local" or "aws" && Field(entry, "allowed"u8).GetBoolean();
    }

    private static BsonReader Field(BsonReader document, ReadOnlySpan<byte> name)
    {
        Assert.True(document.ReadTo(name));
        return document;
    }
}
