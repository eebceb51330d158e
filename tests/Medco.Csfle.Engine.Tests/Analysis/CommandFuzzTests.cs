using System.Diagnostics;
using System.Globalization;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>
/// Any bytes, any schema, any command: a result or a typed error. As many commands as <c>CSFLE_FUZZ</c> says, and a few without
/// it; <c>CSFLE_FUZZ_SEED</c> repeats a run or makes it another.
/// </summary>
public sealed class CommandFuzzTests(ITestOutputHelper output)
{
    private const int CommandsOfTheSuite = 20_000;

    [Fact]
    public void A_mutated_command_under_a_mutated_schema_gives_a_result_or_a_typed_error()
    {
        var count = Setting("CSFLE_FUZZ", CommandsOfTheSuite);
        var seed = Setting("CSFLE_FUZZ_SEED", 20_264);
        var random = new Random(seed);
        var cases = AnalysisCase.LoadAll();
        var commands = cases.Select(@case => ExtendedJson.ToBson(@case.Command)).ToArray();
        var schemas = cases.Select(@case => @case.Schema).Distinct().Select(schema => ExtendedJson.ToBson(schema)).ToArray();
        var maps = cases.Select(@case => @case.Schema).Distinct().ToDictionary(schema => schema, schema => Map(EncryptionSchema.Parse(schema)));
        var mutation = new CommandMutation(commands);
        var schemaMutation = new CommandMutation(schemas);
        var analyzer = new CommandAnalyzer(new UnencryptedNamespaces(["db.other"]));
        using var key = new DataKey(Guid.NewGuid(), new byte[AeadKey.KeyLength]);

        var watch = Stopwatch.StartNew();
        var refused = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var encrypted = 0;
        for (var i = 0; i < count; i++)
        {
            var number = random.Next(cases.Count);
            var command = mutation.Of(commands[number], random);
            var map = random.Next(4) == 0 ? maps.Values.ElementAt(random.Next(maps.Count)) : maps[cases[number].Schema];
            byte[]? schema = null;
            try
            {
                if (random.Next(20) == 0)
                {
                    schema = schemaMutation.Of(schemas[random.Next(schemas.Length)], random);
                    map = Map(EncryptionSchema.Parse(schema, (EncryptionSchemaOrigin)random.Next(2)));
                }

                _ = CommandNamespaces.Of("db", command);
                var plan = analyzer.Analyze("db", command, map);
                if (!plan.HasPlaceholders) continue;
                encrypted++;
                var result = plan.Apply([.. plan.Keys.Select(_ => key)], SystemRandomSource.Instance);
                Assert.Equal(plan.EncryptedLength, result.Length);
                Walk(new BsonReader(result));
            }
            catch (CsfleException exception)
            {
                refused[exception.Code] = refused.GetValueOrDefault(exception.Code) + 1;
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(
                    $"seed {seed}, number {i}: {exception.GetType().Name}; command {Convert.ToHexString(command)}; schema {Convert.ToHexString(schema ?? [])}", exception);
            }
        }

        output.WriteLine($"{count} mutated commands, seed {seed}: {refused.Values.Sum()} refused ({string.Join(", ", refused)}), {encrypted} encrypted, {watch.Elapsed.TotalSeconds:F1} s");
        Assert.InRange(refused.Values.Sum(), 1, count - 1);
        Assert.InRange(encrypted, 1, count);
    }

    private static SchemaMap Map(EncryptionSchema schema) => new([new("db.coll", schema)]);

    private static int Setting(string name, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    private static void Walk(BsonReader reader)
    {
        while (reader.Read())
        {
            if (reader.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope) Walk(reader.ReadDocument());
        }
    }
}
