using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Medco.Csfle.Engine.Tests.Kms;
using Medco.Csfle.Engine.Tests.KeyVault;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Properties;

/// <summary>What holds for every schema and every document of it.</summary>
public sealed class CollectionPropertyTests : IDisposable
{
    private static readonly TimeSpan KeysExpire = TimeSpan.FromSeconds(60);

    private readonly ITestOutputHelper _output;
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly ManualTime _time = new();
    private readonly CollectingLogger _logger = new();
    private readonly KeyVaultService _vault;
    private readonly Guid[] _keys;

    public CollectionPropertyTests(ITestOutputHelper output)
    {
        _output = output;
        _vault = NewVault();
        _keys = [.. Enumerable.Range(0, 3).Select(_ => _vault.CreateDataKey("local"))];
        _vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = [GeneratedCollection.Owner] });
    }

    public void Dispose()
    {
        _vault.Dispose();
        _masterKey.Dispose();
        _logger.Dispose();
    }

    [Fact]
    public void What_was_encrypted_decrypts_to_the_same_bytes_and_shows_nothing_marked_in_between()
    {
        var sentinels = 0;
        ForEachCollection(300, collection =>
        {
            var engine = NewEngine(_vault, collection);
            var insert = EngineFixture.Insert(collection.Document);

            var sent = engine.EncryptCommand("db", insert);

            BsonValidator.Validate(sent.Span);
            Assert.Equal(collection.Marked.Count, Ciphertexts(sent.Span).Count);
            foreach (var marked in collection.Marked.Where(marked => marked.Sentinel is not null))
            {
                sentinels++;
                Assert.Equal(-1, sent.Span.IndexOf(marked.Sentinel));
            }

            Assert.Equal(insert, engine.DecryptReply(sent).ToArray());
        });
        _output.WriteLine($"{sentinels} sentinels");
        Assert.True(sentinels > 300);
    }

    [Fact]
    public void Deterministic_is_a_function_and_random_never_repeats()
    {
        var (deterministic, random) = (0, new HashSet<string>());
        ForEachCollection(200, collection =>
        {
            using var other = NewVault();
            var insert = EngineFixture.Insert(collection.Document);
            var first = Ciphertexts(NewEngine(_vault, collection).EncryptCommand("db", insert).Span);
            _time.Advance(KeysExpire + TimeSpan.FromSeconds(1));
            var reloaded = Ciphertexts(NewEngine(_vault, collection).EncryptCommand("db", insert).Span);
            var elsewhere = Ciphertexts(NewEngine(other, collection).EncryptCommand("db", insert).Span);

            foreach (var ((once, again), there) in first.Zip(reloaded).Zip(elsewhere))
            {
                if (once[0] == (byte)CsfleAlgorithm.Deterministic)
                {
                    deterministic++;
                    Assert.Equal(once, again);
                    Assert.Equal(once, there);
                }
                else
                {
                    // The initialization vector alone must be new: it is what makes the rest differ.
                    foreach (var ciphertext in new[] { once, again, there }) Assert.True(random.Add(Convert.ToHexString(ciphertext.AsSpan(18, 16))));
                }
            }
        });
        _output.WriteLine($"{deterministic} deterministic values, {random.Count} random ciphertexts");
        Assert.True(deterministic > 100 && random.Count > 300);
    }

    [Fact]
    public void One_value_has_one_deterministic_ciphertext_and_as_many_random_ones_as_there_are_encryptions()
    {
        const int Encryptions = 10_000;
        var value = ExtendedJson.ToBson("""{"v": "the same"}""");
        var engine = new CsfleEngine(_vault, []);
        HashSet<string> Distinct(CsfleAlgorithm algorithm)
            => [.. Enumerable.Range(0, Encryptions).Select(_ => Convert.ToHexString(engine.Encrypt(value, algorithm, _keys[0])))];

        Assert.Single(Distinct(CsfleAlgorithm.Deterministic));
        Assert.Equal(Encryptions, Distinct(CsfleAlgorithm.Random).Count);
    }

    [Fact]
    public void What_is_refused_says_no_marked_value_in_its_error_or_in_a_log()
    {
        var (refused, sent) = (0, 0);
        ForEachCollection(150, collection =>
        {
            var engine = NewEngine(_vault, collection);
            foreach (var marked in collection.Marked.Where(marked => marked.Sentinel is not null))
            {
                foreach (var command in Commands(collection, marked))
                {
                    _logger.Lines.Clear();
                    try
                    {
                        var encrypted = engine.EncryptCommand("db", command);
                        sent++;
                        Assert.True(encrypted.Span.IndexOf(marked.Sentinel) < 0, $"{ExtendedJson.ToJson(command)} under {collection.SchemaText}");
                    }
                    catch (CsfleException exception)
                    {
                        refused++;
                        AssertSilent(marked, Told(exception));
                        Assert.NotEmpty(_logger.Lines);
                    }

                    AssertSilent(marked, string.Join('\n', _logger.Lines.Select(line => line.Text)));
                }
            }
        });
        _output.WriteLine($"{refused} refused, {sent} sent");
        Assert.True(refused > 500 && sent > 0);
    }

    [Fact]
    public void What_is_not_decrypted_says_no_marked_value_in_its_error_or_in_a_log()
    {
        var (refused, read) = (0, 0);
        ForEachCollection(150, collection =>
        {
            var engine = NewEngine(_vault, collection);
            var reply = engine.EncryptCommand("db", EngineFixture.Insert(collection.Document)).ToArray();
            var random = new Random(reply.Length);
            for (var damages = 0; damages < 5; damages++)
            {
                var damaged = (byte[])reply.Clone();
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                _logger.Lines.Clear();
                try
                {
                    engine.DecryptReply(damaged);
                    read++;
                }
                catch (CsfleException exception)
                {
                    refused++;
                    foreach (var marked in collection.Marked) AssertSilent(marked, Told(exception));
                }

                foreach (var marked in collection.Marked) AssertSilent(marked, string.Join('\n', _logger.Lines.Select(line => line.Text)));
            }
        });
        _output.WriteLine($"{refused} refused, {read} read");
        Assert.True(refused > 100);
    }

    private void ForEachCollection(int tests, Action<GeneratedCollection> assert)
        => Check.One(Seeded.Config(_output, tests), Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => assert(new GeneratedCollection(new Random(seed), _keys))));

    private KeyVaultService NewVault() => new(_store, [new LocalKeyManagementService(_masterKey)], new KeyVaultOptions { CacheExpiration = KeysExpire, TimeProvider = _time, LoggerFactory = _logger });

    private CsfleEngine NewEngine(KeyVaultService vault, GeneratedCollection collection)
        => new(vault, new CsfleEngineOptions { Schemas = new Dictionary<string, EncryptionSchema> { ["db.coll"] = collection.Schema }, LoggerFactory = _logger });

    // Commands with a marked value in them, in most of which it cannot be encrypted.
    private static IEnumerable<byte[]> Commands(GeneratedCollection collection, MarkedValue marked)
    {
        yield return Command("find", "filter", writer => WriteValue(writer, marked.Path, marked));
        yield return Command("find", "filter", writer => WriteNested(writer, marked.Path, "$gt", marked));
        yield return Command("find", "filter", writer => WriteNested(writer, marked.Path, "$type", marked));
        yield return Command("find", "filter", writer => WriteNested(writer, "$expr", "$gt", marked, $"${marked.Path}"));

        // Patterns say themselves which case they mean.
        if (!marked.Path.Contains('x', StringComparison.Ordinal)) yield return Command("find", "filter", writer => WriteNested(writer, marked.Path.ToUpperInvariant(), "$eq", marked));
        yield return Update("$push", marked);
        yield return Update("$min", marked);
        yield return Update("$set", marked with { Path = marked.Path + ".below" });
        yield return Update("$setOnInsert", marked);

        // The whole document, and then something that cannot be encrypted.
        yield return EngineFixture.Insert([.. Lengthened(collection.Document, 10), 0x0A, .. Encoding.UTF8.GetBytes("owner.xy"), 0, 0]);
        yield return Command("aggregate", "pipeline", writer => WriteValue(writer, marked.Path, marked));
        yield return Command("dropUser", "x", writer => WriteValue(writer, marked.Path, marked));
    }

    private static byte[] Lengthened(byte[] document, int by)
    {
        var longer = document[..^1];
        BitConverter.TryWriteBytes(longer, document.Length + by);
        return longer;
    }

    private static byte[] Command(string name, string field, Action<BsonWriter> write)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString(Encoding.UTF8.GetBytes(name), "coll"u8);
        writer.StartDocument(field);
        write(writer);
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] Update(string name, MarkedValue marked)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("update"u8, "coll"u8);
        writer.StartArray("updates"u8);
        writer.StartDocument("0"u8);
        writer.StartDocument("q");
        writer.EndDocument();
        writer.StartDocument("u");
        WriteNested(writer, name, marked.Path, marked);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static void WriteValue(BsonWriter writer, string name, MarkedValue marked) => writer.WriteRaw(marked.Type, Encoding.UTF8.GetBytes(name), marked.Bytes);

    private static void WriteNested(BsonWriter writer, string outer, string inner, MarkedValue marked, string? before = null)
    {
        writer.StartDocument(outer);
        if (before is null)
        {
            WriteValue(writer, inner, marked);
        }
        else
        {
            writer.StartArray(Encoding.UTF8.GetBytes(inner));
            writer.WriteString("0"u8, Encoding.UTF8.GetBytes(before));
            WriteValue(writer, "1", marked);
            writer.EndDocument();
        }

        writer.EndDocument();
    }

    private static List<byte[]> Ciphertexts(ReadOnlySpan<byte> document)
    {
        var found = new List<byte[]>();
        Collect(new BsonReader(document), found);
        return found;

        static void Collect(BsonReader reader, List<byte[]> found)
        {
            while (reader.Read())
            {
                if (reader.Type is BsonType.Document or BsonType.Array)
                {
                    Collect(reader.ReadDocument(), found);
                }
                else if (reader.Type == BsonType.Binary && reader.GetBinary(out var subtype) is var bytes && subtype == BinarySubtype.Encrypted)
                {
                    found.Add(bytes.ToArray());
                }
            }
        }
    }

    private static string Told(Exception exception)
    {
        var text = new StringBuilder(exception.ToString());
        for (var each = exception; each is not null; each = each.InnerException)
        {
            foreach (var property in each.GetType().GetProperties()) text.Append('\n').Append(property.GetValue(each));
            foreach (System.Collections.DictionaryEntry entry in each.Data) text.Append('\n').Append(entry.Key).Append(entry.Value);
        }

        return text.ToString();
    }

    private static void AssertSilent(MarkedValue marked, string told)
    {
        if (marked.Sentinel is null) return;
        string[] spellings =
        [
            Encoding.UTF8.GetString(marked.Sentinel),
            Convert.ToHexString(marked.Sentinel),

            // Base64 of a longer text holds one of three, without what depends on the neighbours.
            .. Enumerable.Range(0, 3).Select(shift => Convert.ToBase64String(marked.Sentinel.AsSpan(shift, 12))),
        ];
        Assert.DoesNotContain(spellings, spelling => told.Contains(spelling, StringComparison.OrdinalIgnoreCase));
    }
}
