using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Medco.Csfle.Engine.Bson;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Bson;

/// <summary>
/// The BSON corpus of the MongoDB driver specifications. The assertions are those of its README for a codec without an
/// intermediate representation. Deprecated types are kept as they are; their converted forms are documents like any other.
/// </summary>
public class BsonCorpusTests(ITestOutputHelper output)
{
    [VectorFact]
    public void Canonical_bson_is_valid_and_reads_as_the_canonical_and_relaxed_text()
        => ForEachValid("canonical_bson", (test, bson) =>
        {
            BsonValidator.Validate(bson);
            AssertJson(Text(test, "canonical_extjson")!, ExtendedJson.ToJson(bson, ExtendedJsonMode.Canonical));
            AssertJson(Text(test, "canonical_extjson")!, ExtendedJson.ToJson(bson, ExtendedJsonMode.Canonical, indented: true));
            if (Text(test, "relaxed_extjson") is { } relaxed) AssertJson(relaxed, ExtendedJson.ToJson(bson));
        });

    [VectorFact]
    public void Canonical_text_becomes_the_canonical_bson()
        => ForEachValid("canonical_bson", (test, bson) => AssertParses(test, Text(test, "canonical_extjson")!, bson));

    [VectorFact]
    public void Degenerate_bson_reads_as_the_canonical_text()
        => ForEachValid("degenerate_bson", (test, bson) =>
        {
            BsonValidator.Validate(bson);
            AssertJson(Text(test, "canonical_extjson")!, ExtendedJson.ToJson(bson, ExtendedJsonMode.Canonical));
        });

    [VectorFact]
    public void Degenerate_text_becomes_the_canonical_bson()
        => ForEachValid("degenerate_extjson", (test, _) =>
            AssertParses(test, Text(test, "degenerate_extjson")!, Bytes(test, "canonical_bson")));

    [VectorFact]
    public void Relaxed_text_survives_bson()
        => ForEachValid("relaxed_extjson", (test, _) =>
        {
            var relaxed = Text(test, "relaxed_extjson")!;
            AssertJson(relaxed, ExtendedJson.ToJson(ExtendedJson.ToBson(relaxed)));
        });

    [VectorFact]
    public void Converted_forms_of_deprecated_types_translate_both_ways()
        => ForEachValid("converted_bson", (test, bson) =>
        {
            var text = Text(test, "converted_extjson")!;
            AssertJson(text, ExtendedJson.ToJson(bson, ExtendedJsonMode.Canonical));
            Assert.Equal(bson, ExtendedJson.ToBson(text));
        });

    [VectorFact]
    public void Writing_back_what_was_read_gives_the_same_bytes()
    {
        ForEachValid("canonical_bson", (_, bson) => Assert.Equal(bson, BsonReencoding.Reencode(bson)));
        ForEachValid("degenerate_bson", (_, bson) => Assert.Equal(bson, BsonReencoding.Reencode(bson)));
    }

    [VectorFact]
    public void Bytes_that_do_not_decode_are_refused()
        => ForEach("decodeErrors", _ => true, (_, test) =>
        {
            var bson = Bytes(test, "bson");
            var error = Assert.Throws<BsonFormatException>(() => BsonValidator.Validate(bson));
            Assert.InRange(error.Offset, 0, bson.Length);
            Assert.Throws<BsonFormatException>(() => ExtendedJson.ToJson(bson));
        });

    [VectorFact]
    public void Text_that_does_not_parse_is_refused_with_its_position()
        => ForEach("parseErrors", _ => true, (bsonType, test) =>
        {
            var text = Text(test, "string")!;
            if (bsonType == "0x13")
            {
                Assert.False(Decimal128Text.TryParse(Encoding.UTF8.GetBytes(text), new byte[Decimal128Text.Size], out var problem));
                Assert.NotEmpty(problem);
                text = $$$"""{"d": {"$numberDecimal": {{{JsonSerializer.Serialize(text)}}}}}""";
            }

            using var json = JsonDocument.Parse(text);
            var error = Assert.Throws<ExtendedJsonFormatException>(() => ExtendedJson.ToBson(text));
            Assert.InRange(error.Position, 1, Encoding.UTF8.GetByteCount(text) - 1);
        });

    private static void AssertParses(JsonElement test, string text, byte[] bson)
    {
        var parsed = ExtendedJson.ToBson(text);
        BsonValidator.Validate(parsed);
        if (test.TryGetProperty("lossy", out var lossy) && lossy.GetBoolean())
        {
            AssertJson(Text(test, "canonical_extjson")!, ExtendedJson.ToJson(parsed, ExtendedJsonMode.Canonical));
        }
        else
        {
            Assert.Equal(bson, parsed);
        }
    }

    private void ForEachValid(string property, Action<JsonElement, byte[]> assert)
        => ForEach("valid", test => test.TryGetProperty(property, out _),
            (_, test) => assert(test, property.EndsWith("bson", StringComparison.Ordinal) ? Bytes(test, property) : []));

    private void ForEach(string kind, Predicate<JsonElement> applies, Action<string, JsonElement> assert)
    {
        var ran = 0;
        var failures = new List<string>();
        foreach (var path in Directory.GetFiles(OfficialVectors.PathOf("bson-corpus"), "*.json").Order(StringComparer.Ordinal))
        {
            using var file = JsonDocument.Parse(File.ReadAllBytes(path));
            if (!file.RootElement.TryGetProperty(kind, out var tests)) continue;
            foreach (var test in tests.EnumerateArray().Where(test => applies(test)))
            {
                ran++;
                try
                {
                    assert(Text(file.RootElement, "bson_type")!, test);
                }
                catch (Exception exception)
                {
                    failures.Add($"{Path.GetFileName(path)}: {Text(test, "description")}: {exception.Message}");
                }
            }
        }

        output.WriteLine($"{ran} cases of {kind} ran");
        Assert.Empty(failures);
        Assert.NotEqual(0, ran);
    }

    private static void AssertJson(string expected, string actual) => Assert.Equal(Normalised(expected), Normalised(actual));

    private static string Normalised(string json)
    {
        using var document = JsonDocument.Parse(json);
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            document.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static byte[] Bytes(JsonElement test, string property) => Convert.FromHexString(Text(test, property)!);

    private static string? Text(JsonElement test, string property)
        => test.TryGetProperty(property, out var value) ? value.GetString() : null;
}
