using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Analysis;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>Any bytes, any schema, any command: a result or a typed error.</summary>
public sealed class CommandFuzzTests(ITestOutputHelper output)
{
    private static readonly IReadOnlyList<AnalysisCase> Cases = AnalysisCase.LoadAll();

    private static readonly byte[][] Commands = [.. Cases.Select(@case => ExtendedJson.ToBson(@case.Command))];

    private static readonly Dictionary<string, byte[]> Schemas = Cases.Select(@case => @case.Schema).Distinct().ToDictionary(schema => schema, schema => ExtendedJson.ToBson(schema));

    // Schemas that were not changed are parsed once.
    private readonly Dictionary<byte[], SchemaMap> _maps = Schemas.Values.ToDictionary(schema => schema, schema => Map(schema, EncryptionSchemaOrigin.Local));

    [Fact]
    public void A_mutated_command_under_a_mutated_schema_gives_a_result_or_a_typed_error()
    {
        var commands = new CommandMutation(Commands);
        var schemas = new CommandMutation(Schemas.Values);
        var analyzer = new CommandAnalyzer(new UnencryptedNamespaces(["db.other"]));
        using var key = new DataKey(Guid.NewGuid(), new byte[AeadKey.KeyLength]);
        new FuzzTarget("Commands", output) { InSuite = 20_000, BytesPerByte = FuzzTarget.PerByteOfPatterns }.Run(
            random =>
            {
                var number = random.Next(Cases.Count);
                var schema = random.Next(4) == 0 ? Schemas.Values.ElementAt(random.Next(Schemas.Count)) : Schemas[Cases[number].Schema];
                if (random.Next(20) == 0) schema = schemas.Of(schema, random);
                return (Command: commands.Of(Commands[number], random), Schema: schema);
            },
            input => [input.Command, input.Schema],
            input =>
            {
                var map = _maps.GetValueOrDefault(input.Schema) ?? Map(input.Schema, (EncryptionSchemaOrigin)(input.Schema.Length % 2));
                _ = CommandNamespaces.Of("db", input.Command);
                var plan = analyzer.Analyze("db", input.Command, map);
                if (!plan.HasPlaceholders) return false;
                var result = plan.Apply([.. plan.Keys.Select(_ => key)], SystemRandomSource.Instance);
                Assert.Equal(plan.EncryptedLength, result.Length);
                Walk(new BsonReader(result));
                return true;
            });
    }

    private static SchemaMap Map(byte[] schema, EncryptionSchemaOrigin origin) => new([new("db.coll", EncryptionSchema.Parse(schema, origin))]);

    private static void Walk(BsonReader reader)
    {
        while (reader.Read())
        {
            if (reader.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope) Walk(reader.ReadDocument());
        }
    }
}
