using System.Text;
using System.Text.Json;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>What the errors of analysis say, and what they never say.</summary>
public sealed class MessageTests(ITestOutputHelper output)
{
    private const int IntegerSentinel = 1_987_654_321;
    private const string TextSentinel = "sentinel-s3cret";

    // Strings that are names, of collections or of fields: errors do say those.
    private static readonly HashSet<string> Named =
    [
        "key", "to", "viewOn", "ns", "from", "coll", "db", "$db", "$out", "$merge", "into", "$unionWith", "locale", "as", "on", "path", "field",
        "renameCollection", "includeArrayIndex", "$count", "connectFromField", "connectToField", "depthField", "localField", "foreignField",
        "distanceField", "includeLocs",
    ];

    // Everything in these is a name, or part of a schema.
    private static readonly HashSet<string> NamedThroughout = ["$rename", "$unset", "$jsonSchema", "$let", "vars", "$getField", "$setField"];

    [Fact]
    public void No_error_of_any_case_shows_a_value_of_its_command()
    {
        var refused = 0;
        var replaced = 0;
        foreach (var @case in AnalysisCase.LoadAll())
        {
            var command = WithSentinels(new BsonReader(ExtendedJson.ToBson(@case.Command)), isCommand: true, ref replaced);
            if (Refusal(() => @case.Analyze(command)) is not { } error) continue;
            refused++;
            foreach (var sentinel in new[] { "1987654321", TextSentinel, "19876543.2" })
            {
                Assert.False(error.ToString().Contains(sentinel, StringComparison.Ordinal), $"{@case}: {error.Message}");
            }
        }

        output.WriteLine($"{refused} errors, {replaced} values replaced");
        Assert.InRange(refused, 300, int.MaxValue);
        Assert.InRange(replaced, refused, int.MaxValue);
    }

    [Fact]
    public void Every_error_of_a_case_says_what_to_do_and_where_it_was_refused()
        => Assert.All(AnalysisCase.LoadAll().Where(@case => @case.Expect.StartsWith("error ", StringComparison.Ordinal)), @case =>
        {
            var command = ExtendedJson.ToBson(@case.Command);
            var error = Refusal(() => @case.Analyze(command));
            Assert.NotNull(error);
            Assert.NotEmpty(error.Remedy);
            Assert.Contains(error.Remedy, error.Message, StringComparison.Ordinal);
            if (error is QueryAnalysisException refusal) Assert.True((refusal.Collection ?? refusal.Operator ?? refusal.Path) is not null, refusal.Message);
        });

    [VectorFact]
    public void Every_text_that_an_official_test_expects_of_the_analyzer_is_in_the_error_of_a_case()
    {
        // Of a KMS, of the server, and any error at all.
        string[] ofOthers = ["security token", "unable to find index", ""];
        var expected = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(OfficialVectors.PathOf("csfle/unified"), "*.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            Collect(json.RootElement, expected);
        }

        expected.ExceptWith(ofOthers);
        var messages = AnalysisCase.LoadAll()
            .Select(@case => (Case: @case, Command: ExtendedJson.ToBson(@case.Command)))
            .Select(each => Refusal(() => each.Case.Analyze(each.Command))?.Message).OfType<string>()
            .Append(Refusal(() => EncryptionSchema.Parse("""{"required": ["a"]}"""))!.Message).ToList();

        output.WriteLine($"{expected.Count} texts");
        Assert.InRange(expected.Count, 20, int.MaxValue);
        Assert.All(expected, text => Assert.Contains(messages, message => message.Contains(text, StringComparison.OrdinalIgnoreCase)));
    }

    private static CsfleException? Refusal(Func<object> action)
    {
        try
        {
            action();
            return null;
        }
        catch (CsfleException exception)
        {
            return exception;
        }
    }

    private static void Collect(JsonElement element, HashSet<string> texts)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray()) Collect(item, texts);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                if (property.Name == "errorContains") texts.Add(property.Value.GetString()!);
                else Collect(property.Value, texts);
            }
        }
    }

    /// <summary>The same command with every number and text in it replaced, but for names.</summary>
    private static byte[] WithSentinels(BsonReader reader, bool isCommand, ref int replaced)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        var isFirst = true;
        while (reader.Read())
        {
            var name = reader.GetName();
            var isName = isCommand && isFirst && reader.Type != BsonType.Document;
            if (isName || NamedThroughout.Contains(name) || (reader.Type == BsonType.String && (Named.Contains(name) || reader.GetUtf8() is [(byte)'$', ..])))
            {
                writer.WriteRaw(reader.Type, reader.Name, reader.Value);
            }
            else
            {
                WriteWithSentinel(writer, reader, isCommand && isFirst, ref replaced);
            }

            isFirst = false;
        }

        writer.EndDocument();
        return writer.ToArray();
    }

    private static void WriteWithSentinel(BsonWriter writer, in BsonReader reader, bool isCommand, ref int replaced)
    {
        switch (reader.Type)
        {
            case BsonType.Document or BsonType.Array:
                writer.WriteRaw(reader.Type, reader.Name, WithSentinels(reader.ReadDocument(), isCommand, ref replaced));
                return;
            case BsonType.Int32:
                writer.WriteInt32(reader.Name, IntegerSentinel);
                break;
            case BsonType.Int64:
                writer.WriteRaw(BsonType.Int64, reader.Name, BitConverter.GetBytes(1000L * IntegerSentinel));
                break;
            case BsonType.Double:
                writer.WriteRaw(BsonType.Double, reader.Name, BitConverter.GetBytes(19_876_543.25));
                break;
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                writer.WriteText(reader.Type, reader.Name, Encoding.UTF8.GetBytes(TextSentinel));
                break;
            default:
                writer.WriteRaw(reader.Type, reader.Name, reader.Value);
                return;
        }

        replaced++;
    }
}
