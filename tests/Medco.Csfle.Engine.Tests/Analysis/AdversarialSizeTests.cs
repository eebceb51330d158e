using System.Text;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>
/// Commands as large, as wide and as deep as they can be: each gives a result or a typed error, and what is allocated on the way,
/// which counts the work, is bounded by so many bytes for each byte of the command.
/// </summary>
public sealed class AdversarialSizeTests
{
    private const int Many = 100_000;
    private const int SixteenMegabytes = 16 * 1024 * 1024;

    private static readonly SchemaMap Schemas = new([new("db.coll", WideSchema())]);

    [Fact]
    public void A_document_of_16_MB_in_one_encrypted_string()
        => AssertPlaceholders(1, Analyze(Insert(writer => writer.WriteString("f0001"u8, new byte[SixteenMegabytes])), perByte: 1));

    [Fact]
    public void A_document_of_16_MB_in_one_plain_string()
        => AssertPlaceholders(0, Analyze(Insert(writer => writer.WriteString("plain"u8, new byte[SixteenMegabytes])), perByte: 1));

    [Fact]
    public void A_name_of_16_MB_with_a_dot_at_every_second_byte()
    {
        var name = string.Concat(Enumerable.Repeat("n.", SixteenMegabytes / 2)) + "x";
        AssertPlaceholders(0, Analyze(Insert(writer => writer.WriteInt32(Encoding.UTF8.GetBytes(name), 1)), perByte: 5));
        Assert.Equal(CsfleErrorCode.WouldLeakPlaintext, Analyze(Insert(writer => writer.WriteInt32(Encoding.UTF8.GetBytes("nested." + name), 1)), perByte: 30).Error);
    }

    [Fact]
    public void A_hundred_thousand_plain_keys_as_long_as_the_encrypted_ones()
        => AssertPlaceholders(0, Analyze(Insert(writer => WriteMany(writer, "g", "")), perByte: 60));

    [Fact]
    public void A_hundred_thousand_keys_that_a_pattern_encrypts()
        => AssertPlaceholders(Many, Analyze(Insert(writer => WriteMany(writer, "x_", "")), perByte: 60));

    [Fact]
    public void A_hundred_thousand_keys_in_another_case_of_nothing()
        => AssertPlaceholders(0, Analyze(Insert(writer => WriteMany(writer, "\u00C4", "")), perByte: 20));

    [Fact]
    public void A_hundred_thousand_documents()
        => AssertPlaceholders(Many, Analyze(Command("insert", writer =>
        {
            writer.StartArray("documents"u8);
            for (var i = 0; i < Many; i++)
            {
                writer.StartDocument(Name("", i, ""));
                writer.WriteInt32("f0001"u8, i);
                writer.EndDocument();
            }

            writer.EndDocument();
        }), perByte: 60));

    [Fact]
    public void A_hundred_thousand_predicates_members_and_branches()
    {
        AssertPlaceholders(0, Analyze(Find(writer => WriteMany(writer, "plain", "")), perByte: 60));
        AssertPlaceholders(Many, Analyze(Find(writer =>
        {
            writer.StartDocument("d"u8);
            writer.StartArray("$in"u8);
            WriteMany(writer, "", "");
            writer.EndDocument();
            writer.EndDocument();
        }), perByte: 60));
        AssertPlaceholders(Many, Analyze(Find(writer =>
        {
            writer.StartArray("$or"u8);
            for (var i = 0; i < Many; i++)
            {
                writer.StartDocument(Name("", i, ""));
                writer.WriteInt32("d"u8, i);
                writer.EndDocument();
            }

            writer.EndDocument();
        }), perByte: 60));
        AssertPlaceholders(Many, Analyze(Find(writer =>
        {
            for (var i = 0; i < Many; i++) writer.WriteInt32("d"u8, i);
        }), perByte: 160));
    }

    [Fact]
    public void A_hundred_thousand_paths_of_an_operator()
    {
        AssertPlaceholders(Many, Analyze(Update(writer => WriteMany(writer, "x_", "")), perByte: 60));
        AssertPlaceholders(0, Analyze(Update(writer => WriteMany(writer, "plain.", ".a")), perByte: 60));
    }

    [Fact]
    public void A_hundred_thousand_namespaces()
    {
        var bulk = Command("bulkWrite", writer =>
        {
            writer.StartArray("nsInfo"u8);
            for (var i = 0; i < Many; i++)
            {
                writer.StartDocument(Name("", i, ""));
                writer.WriteString("ns"u8, $"db.c{i}");
                writer.EndDocument();
            }

            writer.EndDocument();
        });
        AssertPlaceholders(0, Analyze(bulk, perByte: 20));
        Assert.Equal(Many, CommandNamespaces.Of("db", bulk).Existing.Count);

        var twice = Command("aggregate", writer =>
        {
            writer.StartArray("pipeline"u8);
            writer.StartDocument("0"u8);
            writer.StartDocument("$lookup"u8);
            writer.StartDocument("from"u8);
            for (var i = 0; i < Many; i++) writer.WriteString("db"u8, $"db{i}");
            for (var i = 0; i < Many; i++) writer.WriteString("coll"u8, $"c{i}");
            writer.EndDocument();
            writer.EndDocument();
            writer.EndDocument();
            writer.EndDocument();
        });
        Assert.InRange(CommandNamespaces.Of("db", twice).Existing.Count, Many, 10 * Many);
    }

    [Fact]
    public void A_validator_with_a_hundred_thousand_conditions_and_patterns()
    {
        AssertPlaceholders(0, Analyze(Command("collMod", writer =>
        {
            writer.StartDocument("validator"u8);
            WriteMany(writer, "plain", "");
            writer.EndDocument();
        }), perByte: 60));
        AssertPlaceholders(0, Analyze(Command("collMod", writer =>
        {
            writer.StartDocument("validator"u8);
            writer.StartDocument("$jsonSchema"u8);
            writer.StartDocument("patternProperties"u8);
            for (var i = 0; i < 1000; i++)
            {
                writer.StartDocument(Name("plain", i, ""));
                writer.EndDocument();
            }

            writer.EndDocument();
            writer.EndDocument();
            writer.EndDocument();
        }), perByte: 10_000));
    }

    [Theory]
    [InlineData("document")]
    [InlineData("array")]
    [InlineData("$and")]
    [InlineData("$not")]
    [InlineData("$elemMatch")]
    [InlineData("explain")]
    public void Nesting_without_end_is_a_result_or_a_typed_error(string what)
    {
        foreach (var depth in new[] { 10, 150, 195, 196, 197, 198, 199, 200, 201, 250 })
        {
            var command = what switch
            {
                "document" or "array" => Insert(writer => Nest(writer, depth, what == "array", "a"u8.ToArray())),
                "explain" => Nested("explain", depth),
                "$and" => Find(writer => Nest(writer, depth, isArray: false, "$and"u8.ToArray(), everySecondIsArray: true)),
                _ => Find(writer =>
                {
                    writer.StartDocument("a"u8);
                    Nest(writer, depth, isArray: false, Encoding.UTF8.GetBytes(what));
                    writer.EndDocument();
                }),
            };
            var (error, _) = Analyze(command, perByte: 100);
            Assert.True(error is null or CsfleErrorCode.BsonLimit or CsfleErrorCode.CommandNotSupported or CsfleErrorCode.MalformedCommand
                or CsfleErrorCode.UnsupportedOnEncryptedCollection, error);
            if (depth > 200) Assert.NotNull(error);
        }
    }

    [Fact]
    public void A_schema_with_long_names_on_every_level_does_not_spell_all_of_them_for_each()
    {
        var name = new string('n', 1_000_000);
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.StartDocument("properties"u8);
        writer.StartDocument(name);
        writer.StartDocument("properties"u8);
        for (var i = 0; i < 10_000; i++)
        {
            writer.StartDocument(Name("p", i, ""));
            writer.EndDocument();
        }

        for (var i = 0; i < 4; i++) writer.EndDocument();
        var bson = writer.ToArray();

        var before = GC.GetAllocatedBytesForCurrentThread();
        EncryptionSchema.Parse(bson);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 100L * bson.Length);
    }

    [Fact]
    public void More_patterns_on_one_level_than_a_name_can_be_compared_with_are_refused()
    {
        var encrypt = """{"encrypt": {"keyId": [{"$uuid": "11111111-1111-4111-8111-111111111111"}], "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}""";
        var patterns = string.Join(", ", Enumerable.Range(0, 257).Select(index => $"\"^p{index}$\": {encrypt}"));

        var error = Assert.Throws<EncryptionSchemaException>(() => EncryptionSchema.Parse($$$"""{"bsonType": "object", "patternProperties": { {{{patterns}}} }}"""));

        Assert.Contains("There are 257 patterns, but 256 are the most", error.Message, StringComparison.Ordinal);
    }

    // 300 fields, all of the same length.
    private static EncryptionSchema WideSchema()
    {
        const string Random = """{"encrypt": {"keyId": [{"$uuid": "11111111-1111-4111-8111-111111111111"}], "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}""";
        const string Deterministic = """{"encrypt": {"keyId": [{"$uuid": "11111111-1111-4111-8111-111111111111"}], "bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}""";
        var fields = string.Join(", ", Enumerable.Range(0, 300).Select(index => $"\"f{index:D4}\": {Random}"));
        return EncryptionSchema.Parse($$$"""
            {"bsonType": "object",
             "properties": { {{{fields}}}, "d": {{{Deterministic}}}, "nested": {"bsonType": "object", "properties": {"n": {{{Random}}} } } },
             "patternProperties": {"^x_": {{{Random}}} } }
            """);
    }

    private static (string? Error, int Placeholders) Analyze(byte[] command, int perByte)
    {
        var analyzer = new CommandAnalyzer(new UnencryptedNamespaces(["db.*"]));
        var before = GC.GetAllocatedBytesForCurrentThread();
        (string?, int) outcome;
        try
        {
            outcome = (null, analyzer.Analyze("db", command, Schemas).Placeholders.Count);
        }
        catch (CsfleException exception)
        {
            outcome = (exception.Code, 0);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000L + ((long)perByte * command.Length));
        return outcome;
    }

    private static void AssertPlaceholders(int expected, (string? Error, int Placeholders) outcome) => Assert.Equal((null, expected), outcome);

    private static byte[] Command(string name, Action<BsonWriter> rest)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString(Encoding.UTF8.GetBytes(name), "coll");
        rest(writer);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] Insert(Action<BsonWriter> content) => Command("insert", writer =>
    {
        writer.StartArray("documents"u8);
        writer.StartDocument("0"u8);
        content(writer);
        writer.EndDocument();
        writer.EndDocument();
    });

    private static byte[] Find(Action<BsonWriter> filter) => Command("find", writer =>
    {
        writer.StartDocument("filter"u8);
        filter(writer);
        writer.EndDocument();
    });

    private static byte[] Update(Action<BsonWriter> set) => Command("update", writer =>
    {
        writer.StartArray("updates"u8);
        writer.StartDocument("0"u8);
        writer.StartDocument("q"u8);
        writer.EndDocument();
        writer.StartDocument("u"u8);
        writer.StartDocument("$set"u8);
        set(writer);
        for (var i = 0; i < 4; i++) writer.EndDocument();
    });

    private static void WriteMany(BsonWriter writer, string prefix, string suffix)
    {
        for (var i = 0; i < Many; i++) writer.WriteInt32(Name(prefix, i, suffix), i);
    }

    private static byte[] Name(string prefix, int index, string suffix) => Encoding.UTF8.GetBytes($"{prefix}{index:D4}{suffix}");

    private static byte[] Nested(string name, int depth)
    {
        var command = Find(static _ => { });
        for (var i = 0; i < depth; i++)
        {
            var inner = command;
            using var writer = new BsonWriter();
            writer.StartDocument();
            writer.WriteDocument(Encoding.UTF8.GetBytes(name), inner);
            writer.EndDocument();
            command = writer.ToArray();
        }

        return command;
    }

    // The writer has a limit of its own, so that the bytes are put together by hand.
    private static void Nest(BsonWriter writer, int depth, bool isArray, byte[] name, bool everySecondIsArray = false)
    {
        byte[] value = [5, 0, 0, 0, 0];
        for (var i = depth; i > 0; i--)
        {
            var innerIsArray = isArray || (everySecondIsArray && i % 2 == 1);
            byte[] element = [(byte)(innerIsArray ? BsonType.Array : BsonType.Document), .. isArray || (everySecondIsArray && !innerIsArray) ? "0"u8 : name, 0, .. value];
            value = [.. BitConverter.GetBytes(element.Length + 5), .. element, 0];
        }

        writer.WriteElements(value);
    }
}
