using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Bson;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Schema;

/// <summary>Whatever comes in: a schema, a pattern or a typed error comes out, and nothing else.</summary>
public class SchemaPropertyTests(ITestOutputHelper output)
{
    private static readonly string[] Seeds =
    [
        $$$$$$"""{"bsonType":"object","encryptMetadata":{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":{{{{{{Schemas.Key}}}}}}},"properties":{"a":{"encrypt":{"bsonType":["string","int"]}},"b":{"bsonType":"object","properties":{"c":{"encrypt":{"keyId":"/d/e"}}}}},"patternProperties":{"^x[0-9]{2}":{"encrypt":{}}},"additionalProperties":{"bsonType":"int"}}""",
        """{"bsonType":["object"],"required":["a"],"properties":{"a":{"type":"string","anyOf":[{"pattern":"x"}],"items":[{"not":{}}]}},"dependencies":{"a":["b"],"c":{}},"title":"t"}""",
        Schemas.Encrypting(Schemas.Encrypt("Deterministic", "\"bsonType\":\"long\"")),
    ];

    private static readonly string[] Words =
    [
        "bsonType", "type", "properties", "patternProperties", "additionalProperties", "encrypt", "encryptMetadata", "keyId", "algorithm", "items", "anyOf", "not",
        "object", "string", "number", "null", "AEAD_AES_256_CBC_HMAC_SHA_512-Random", "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic", "/a/b", "~", "$a", "a.b", "", "(", "a{2}",
    ];

    [Fact]
    public void A_schema_whose_bytes_were_changed_gives_a_tree_or_a_typed_error()
    {
        var changes = Gen.Choose(0, 100_000).Zip(ArbMap.Default.GeneratorFor<byte>()).ArrayOf(3);
        var outcomes = new Dictionary<string, int>();

        Check.One(Seeded.Config(output, 2000), Prop.ForAll(Arb.From(Gen.Elements(Seeds).Zip(changes)), input =>
        {
            var bson = ExtendedJson.ToBson(input.Item1);
            foreach (var (position, value) in input.Item2) bson[position % bson.Length] = value;
            Count(outcomes, Outcome(() => EncryptionSchema.Parse(bson, EncryptionSchemaOrigin.Server)));
        }));

        Assert.True(outcomes.Count >= 3, string.Join(", ", outcomes));
    }

    [Fact]
    public void A_schema_put_together_at_random_gives_a_tree_or_a_typed_error()
    {
        var outcomes = new Dictionary<string, int>();

        Check.One(Seeded.Config(output, 2000), Prop.ForAll(Arb.From(Gen.Sized(size => Document(Math.Min(size / 10, 5)))), bson =>
        {
            foreach (var origin in Enum.GetValues<EncryptionSchemaOrigin>())
            {
                Count(outcomes, Outcome(() =>
                {
                    var schema = EncryptionSchema.Parse(bson, origin);
                    Assert.True(schema.Root.EncryptsLike(EncryptionSchema.Parse(schema.ToBson(), origin).Root));
                }));
            }
        }));

        Assert.True(outcomes.GetValueOrDefault("none") > 0 && outcomes.GetValueOrDefault(CsfleErrorCode.InvalidSchema) > 0, string.Join(", ", outcomes));
    }

    [Fact]
    public void Any_document_is_a_schema_or_a_typed_error()
        => Check.One(Seeded.Config(output, 300), Prop.ForAll(BsonGenerators.Documents, document => { Outcome(() => EncryptionSchema.Parse(document)); }));

    [Fact]
    public void Any_text_is_a_pattern_or_is_refused()
    {
        var parsed = 0;
        var text = Gen.Elements([.. "ab1-^$.|()[]{}*+?\\,:dDwWsSbxAzQ<=! \U0001F600".Select(one => one.ToString()), "(?:", "[^", "{2}", "{1,3}", "\\x41", "\\."]).ArrayOf();

        Check.One(Seeded.Config(output, 2000), Prop.ForAll(Arb.From(text), parts =>
        {
            var pattern = NamePattern.Parse(string.Concat(parts), out var problem);
            Assert.Equal(pattern is null, problem.Length > 0);
            if (pattern is null) return;
            parsed++;
            Assert.True(pattern.TryMatch("ab1-a\U0001F600", out _));
        }));

        Assert.True(parsed > 100, $"{parsed} patterns");
    }

    private static Gen<byte[]> Document(int depth)
        => Gen.Elements(Words).Zip(Value(depth)).ListOf().Select(elements =>
        {
            using var writer = new BsonWriter();
            writer.StartDocument();
            foreach (var (name, (type, value)) in elements.Take(4)) writer.WriteRaw(type, Encoding.UTF8.GetBytes(name), value);
            writer.EndDocument();
            return writer.ToArray();
        });

    private static Gen<(BsonType, byte[])> Value(int depth)
    {
        var text = Gen.Elements(Words).Select(word => (BsonType.String, (byte[])[.. BitConverter.GetBytes(word.Length + 1), .. Encoding.UTF8.GetBytes(word), 0]));
        var key = Gen.Constant((BsonType.Array, ExtendedJson.ToBson($$"""{"a":{{Schemas.Key}}}""")[7..^1]));
        var scalar = Gen.OneOf(text, key, Gen.Constant((BsonType.Boolean, (byte[])[1])), Gen.Constant((BsonType.Null, Array.Empty<byte>())));
        return depth <= 0 ? scalar : Gen.OneOf(scalar, Document(depth - 1).Select(bson => (BsonType.Document, bson)), Document(depth - 1).Select(bson => (BsonType.Array, bson)));
    }

    private static string Outcome(Action action)
    {
        try
        {
            action();
            return "none";
        }
        catch (CsfleException exception)
        {
            return exception.Code;
        }
    }

    private static void Count(Dictionary<string, int> outcomes, string outcome) => outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
}
