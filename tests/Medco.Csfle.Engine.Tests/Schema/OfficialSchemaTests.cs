using System.Text.Json;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Schema;

/// <summary>The schemas of the official test data: all of them parse, but for those that are there to be refused.</summary>
public class OfficialSchemaTests
{
    [VectorFact]
    public void Every_official_schema_parses_and_the_bad_ones_are_refused_in_the_expected_words()
    {
        var parsed = 0;
        var refused = new List<string>();
        foreach (var file in Directory.EnumerateFiles(OfficialVectors.PathOf("."), "*.json", SearchOption.AllDirectories))
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var (schema, origin) in SchemasIn(json.RootElement, Path.GetFileName(file)))
            {
                try
                {
                    var result = EncryptionSchema.Parse(schema, origin);
                    Assert.True(result.Root.EncryptsLike(EncryptionSchema.Parse(result.ToBson(), origin).Root));
                    parsed++;
                }
                catch (EncryptionSchemaException exception)
                {
                    refused.Add($"{Path.GetFileName(file)}: {exception.Message}");
                }
            }
        }

        Assert.True(parsed >= 40, $"{parsed} schemas parsed");
        Assert.All(refused, message => Assert.Contains(message[..message.IndexOf(':', StringComparison.Ordinal)], new[] { "badSchema.json", "badQueries.json", "localSchema.json" }));
        Assert.Equal(4, refused.Count(message => message.StartsWith("badSchema.json", StringComparison.Ordinal)));
        Assert.True(refused.Count(message => message.StartsWith("badSchema.json", StringComparison.Ordinal) && message.Contains("Invalid schema", StringComparison.Ordinal)) >= 3);
        Assert.Single(refused, message => message.StartsWith("badSchema.json", StringComparison.Ordinal) && message.Contains("'encrypt' cannot be used in conjunction with 'bsonType'", StringComparison.Ordinal));
        Assert.Contains(refused, message => message.StartsWith("badQueries.json", StringComparison.Ordinal) && message.Contains("Invalid schema containing the 'encrypt' keyword.", StringComparison.Ordinal));
        Assert.Contains(refused, message => message.StartsWith("localSchema.json", StringComparison.Ordinal) && message.Contains("JSON schema keyword 'required' is only allowed with a remote schema", StringComparison.Ordinal));
    }

    [VectorFact]
    public void The_corpus_schema_gives_what_each_field_name_promises()
    {
        var schema = EncryptionSchema.Parse(OfficialVectors.ReadText("csfle/corpus/corpus-schema.json"), EncryptionSchemaOrigin.Server);
        var checkedFields = 0;
        foreach (var property in schema.Root.Properties)
        {
            var found = ((PlainNode)property.Node).Find("value"u8);
            if (!property.Name.Contains("_auto_", StringComparison.Ordinal))
            {
                Assert.False(found is { HasEncryption: true }, property.Name);
                continue;
            }

            var value = Assert.IsType<EncryptedNode>(found);
            if (property.Name.Contains("_det_", StringComparison.Ordinal)) Assert.Equal(CsfleAlgorithm.Deterministic, value.Algorithm);
            if (property.Name.Contains("_rand_", StringComparison.Ordinal)) Assert.Equal(CsfleAlgorithm.Random, value.Algorithm);
            Assert.Equal(property.Name.EndsWith("_altname", StringComparison.Ordinal), value.KeyPointer is not null);
            Assert.Equal(value.KeyPointer is null, value.KeyId is not null);
            checkedFields++;
        }

        Assert.True(checkedFields > 100, $"{checkedFields} fields");
    }

    /// <summary>Schemas in the files, wherever the formats of drivers and libmongocrypt put them.</summary>
    private static IEnumerable<(string Schema, EncryptionSchemaOrigin Origin)> SchemasIn(JsonElement element, string name)
    {
        if (name is "corpus-schema.json" or "limits-schema.json" or "external-schema.json" or "schema-csfle.json" or "schema-csfle2.json" or "schema-non-csfle.json" or "jsonSchema.json" or "jsonSchema2.json")
        {
            return [(element.GetRawText(), EncryptionSchemaOrigin.Server)];
        }

        if (name.EndsWith("schema-map.json", StringComparison.Ordinal) || name is "schema_map.json" or "schemaMap.json")
        {
            return element.EnumerateObject().Select(property => (property.Value.GetRawText(), EncryptionSchemaOrigin.Local));
        }

        return Nested(element);
    }

    private static IEnumerable<(string, EncryptionSchemaOrigin)> Nested(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                return element.EnumerateArray().SelectMany(Nested);
            case JsonValueKind.Object:
                return element.EnumerateObject().SelectMany(property => property switch
                {
                    { Name: "$jsonSchema", Value.ValueKind: JsonValueKind.Object } => [(property.Value.GetRawText(), EncryptionSchemaOrigin.Server)],
                    { Name: "schemaMap", Value.ValueKind: JsonValueKind.Object } => property.Value.EnumerateObject().Select(entry => (entry.Value.GetRawText(), EncryptionSchemaOrigin.Local)),
                    _ => Nested(property.Value),
                });
            default:
                return [];
        }
    }
}
