using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests;

/// <summary>
/// The official corpus through the engine's front door, as the prose test "Corpus Test" of the specifications does it, for the
/// two KMS whose data keys can be unwrapped without a cloud.
/// </summary>
public sealed class CorpusTests(ITestOutputHelper output)
{
    [VectorFact]
    public void Deterministic_ciphertexts_are_byte_exact_and_random_ones_decrypt()
    {
        using var vault = OfficialKeys.Open();
        var engine = new CsfleEngine(vault, []);
        var plain = Entries("csfle/corpus/corpus.json");
        var deterministic = 0;
        var random = 0;
        foreach (var (name, entry) in Entries("csfle/corpus/corpus-encrypted.json"))
        {
            if (!entry.IsReachable || !entry.Allowed) continue;
            var ciphertext = entry.Wrapped;
            Assert.Equal(plain[name].Wrapped, engine.Decrypt(ciphertext));
            if (entry.Algorithm == CsfleAlgorithm.Deterministic)
            {
                Assert.Equal(ciphertext, Encrypt(engine, plain[name]));
                deterministic++;
            }
            else
            {
                var again = Encrypt(engine, plain[name]);
                Assert.NotEqual(ciphertext, again);
                Assert.Equal(plain[name].Wrapped, engine.Decrypt(again));
                random++;
            }
        }

        output.WriteLine($"{deterministic} deterministic values byte-exact, {random} random values decrypted");
        Assert.Equal((89, 161), (deterministic, random));
    }

    [VectorFact]
    public async Task The_async_path_gives_the_same()
    {
        using var vault = OfficialKeys.Open();
        var engine = new CsfleEngine(vault, []);
        var plain = Entries("csfle/corpus/corpus.json");
        foreach (var (name, entry) in Entries("csfle/corpus/corpus-encrypted.json"))
        {
            if (!entry.IsReachable || !entry.Allowed) continue;
            Assert.Equal(plain[name].Wrapped, await engine.DecryptAsync(entry.Wrapped));
            if (entry.Algorithm == CsfleAlgorithm.Deterministic)
            {
                Assert.Equal(entry.Wrapped, await engine.EncryptAsync(plain[name].Wrapped, entry.Algorithm, plain[name].KeyName));
            }
        }
    }

    [VectorFact]
    public void Every_value_that_is_not_allowed_is_refused()
    {
        using var vault = OfficialKeys.Open();
        var engine = new CsfleEngine(vault, []);
        var refused = 0;
        foreach (var (_, entry) in Entries("csfle/corpus/corpus.json"))
        {
            if (!entry.IsReachable || entry.Allowed) continue;
            Assert.Throws<EncryptionValueException>(() => Encrypt(engine, entry));
            refused++;
        }

        output.WriteLine($"{refused} values refused");
        Assert.Equal(56, refused);
    }

    [VectorFact]
    public void Automatic_encryption_of_the_corpus_document_equals_the_recorded_one()
    {
        using var vault = OfficialKeys.Open();
        var schema = EncryptionSchema.Parse(OfficialVectors.ReadText("csfle/corpus/corpus-schema.json"));
        var engine = new CsfleEngine(vault, [new("db.coll", schema)]);
        var recorded = Entries("csfle/corpus/corpus-encrypted.json");
        var document = Automatic(OfficialVectors.ReadText("csfle/corpus/corpus.json"));

        var encrypted = engine.EncryptCommand("db", EngineFixture.Insert(document));

        var inserted = DocumentIn(encrypted.Span);
        var compared = 0;
        foreach (var (name, entry) in Entries(inserted))
        {
            if (entry.Algorithm == CsfleAlgorithm.Deterministic) Assert.Equal(recorded[name].Wrapped, entry.Wrapped);
            else Assert.Equal(recorded[name].Wrapped.Length, entry.Wrapped.Length);
            compared++;
        }

        Assert.Equal(96, compared);
        Assert.Equal(document, DocumentIn(engine.DecryptReply(encrypted).Span));
    }

    private static byte[] Encrypt(CsfleEngine engine, CorpusEntry entry)
        => entry.ByName
            ? engine.Encrypt(entry.Wrapped, entry.Algorithm, entry.KeyName)
            : engine.Encrypt(entry.Wrapped, entry.Algorithm, entry.KeyId);

    private static byte[] DocumentIn(ReadOnlySpan<byte> command)
    {
        var reader = new BsonReader(command);
        Assert.True(reader.ReadTo("documents"u8));
        var documents = reader.ReadDocument();
        Assert.True(documents.Read());
        return documents.Value.ToArray();
    }

    // What is encrypted explicitly, or needs a cloud, is left out.
    private static byte[] Automatic(string corpus)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        var reader = new BsonReader(ExtendedJson.ToBson(corpus));
        while (reader.Read())
        {
            if (reader.Type == BsonType.Document && !(CorpusEntry.Read(reader.ReadDocument()) is { IsReachable: true, Method: "auto", Allowed: true })) continue;
            writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        }

        writer.EndDocument();
        return writer.ToArray();
    }

    private static Dictionary<string, CorpusEntry> Entries(string path) => Entries(ExtendedJson.ToBson(OfficialVectors.ReadText(path)));

    private static Dictionary<string, CorpusEntry> Entries(byte[] document)
    {
        var entries = new Dictionary<string, CorpusEntry>();
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (reader.Type == BsonType.Document) entries.Add(reader.GetName(), CorpusEntry.Read(reader.ReadDocument()));
        }

        return entries;
    }

    /// <summary>One entry; <c>Wrapped</c> is its value as <c>{v: value}</c>.</summary>
    private sealed record CorpusEntry(string Kms, CsfleAlgorithm Algorithm, string Method, bool ByName, bool Allowed, byte[] Wrapped)
    {
        public bool IsReachable => Kms is "local" or "aws";

        public string KeyName => Kms;

        public Guid KeyId => new(Convert.FromBase64String(Kms == "local" ? "LOCALAAAAAAAAAAAAAAAAA==" : "AWSAAAAAAAAAAAAAAAAAAA=="), bigEndian: true);

        public static CorpusEntry Read(BsonReader reader)
        {
            var texts = new Dictionary<string, string>();
            var allowed = false;
            using var writer = new BsonWriter();
            writer.StartDocument();
            while (reader.Read())
            {
                if (reader.Name.SequenceEqual("value"u8)) writer.WriteRaw(reader.Type, "v"u8, reader.Value);
                else if (reader.Type == BsonType.Boolean) allowed = reader.GetBoolean();
                else texts.Add(reader.GetName(), reader.GetString());
            }

            writer.EndDocument();
            return new CorpusEntry(
                texts["kms"], texts["algo"] == "det" ? CsfleAlgorithm.Deterministic : CsfleAlgorithm.Random,
                texts["method"], texts["identifier"] == "altname", allowed, writer.ToArray());
        }
    }
}
