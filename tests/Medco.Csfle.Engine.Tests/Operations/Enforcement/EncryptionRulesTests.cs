using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Operations.Enforcement;

public sealed class EncryptionRulesTests
{
    private const string Random = """{"encrypt":{"keyId":[{"$binary":{"base64":"4RT3ra16SmiBp+vLnqCVOg==","subType":"04"}}],"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}""";
    private const string Key = """ "keyId": [{"$uuid": "e114f7ad-ad7a-4a68-81a7-ebcb9ea0953a"}] """;
    private const string Algorithm = """ "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random" """;

    [Fact]
    public void Keys_and_algorithms_from_above_are_written_out_and_plain_fields_left_out()
        => AssertRules(
            """{"bsonType":"object","properties":{"a":RULE,"b":{"bsonType":"object","properties":{"c":RULE}}}}""",
            """
            {"bsonType": "object", "encryptMetadata": {KEY, ALGORITHM}, "properties": {
              "plain": {"bsonType": "string"}, "a": {"encrypt": {}}, "plainToo": {"bsonType": "object", "properties": {"x": {}}},
              "b": {"bsonType": "object", "properties": {"c": {"encrypt": {}}, "d": {"bsonType": "int"}}}}}
            """);

    [Fact]
    public void Types_are_named_one_by_one()
        => AssertRules(
            """{"bsonType":"object","properties":{"a":{"encrypt":{"keyId":"/key","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","bsonType":["string","date"]}}}}""",
            """{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": "/key", ALGORITHM, "bsonType": ["date", "string"]}}}}""");

    [Fact]
    public void Plain_names_stay_where_all_others_are_encrypted()
        => AssertRules(
            """{"bsonType":"object","properties":{"_id":{},"a":RULE},"patternProperties":{"^p_":{}},"additionalProperties":RULE}""",
            """
            {"bsonType": "object", "encryptMetadata": {KEY, ALGORITHM}, "properties": {"_id": {"bsonType": "objectId"}, "a": {"encrypt": {}}},
             "patternProperties": {"^p_": {"bsonType": "string"}}, "additionalProperties": {"encrypt": {}}}
            """);

    [Fact]
    public void Patterns_without_encryption_are_left_out_where_they_decide_nothing()
        => AssertRules(
            """{"bsonType":"object","patternProperties":{"^s_":RULE}}""",
            """
            {"bsonType": "object", "encryptMetadata": {KEY, ALGORITHM}, "patternProperties": {"^s_": {"encrypt": {}}, "^p_": {"bsonType": "string"}}}
            """);

    [Fact]
    public void A_source_that_leaves_an_encryption_rule_out_is_refused()
    {
        var schema = Schema("""{"bsonType": "object", "encryptMetadata": {KEY, ALGORITHM}, "properties": {"a": {"encrypt": {}}, "b": {"encrypt": {}}}}""");

        var exception = Assert.Throws<EnforcementException>(() => new WantedValidator("db.coll", schema,
            ExtendedJson.ToBson(Fill("""{"bsonType": "object", "required": ["a"], "properties": {"a": RULE, "b": {"bsonType": "string"}}}"""))));

        Assert.Equal(CsfleErrorCode.NotEnforceable, exception.Code);
        Assert.Contains("'$jsonSchema.properties.b'", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("properties.a", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"bsonType": "object", "properties": {"a": RULE}, "requird": []}""")]
    [InlineData("""{"bsonType": "object", "properties": {"a": RULE, "list": {"bsonType": "array", "items": RULE}}}""")]
    [InlineData("""{"bsonType": "object", "encryptMetadata": {"keyId": [{"$uuid": "e114f7ad-ad7a-4a68-81a7-ebcb9ea0953a"}]}, "properties": {"a": {"encrypt": {"algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}}}""")]
    public void A_source_that_writes_no_schema_of_MongoDB_or_an_incomplete_rule_is_refused(string jsonSchema)
    {
        var schema = Schema("""{"bsonType": "object", "encryptMetadata": {KEY, ALGORITHM}, "properties": {"a": {"encrypt": {}}}}""");

        var exception = Assert.Throws<EnforcementException>(() => new WantedValidator("db.coll", schema,
            ExtendedJson.ToBson(Fill(jsonSchema))));

        Assert.Equal(CsfleErrorCode.NotEnforceable, exception.Code);
    }

    [Fact]
    public void Rules_merged_with_whatever_is_there_are_all_there_and_a_server_takes_them()
    {
        var schema = Schema("""
            {"bsonType": "object", "encryptMetadata": {KEY, ALGORITHM}, "properties": {"a": {"encrypt": {}}, "b": {"bsonType": "object", "properties": {"c": {"encrypt": {"bsonType": "string"}}}}}}
            """);
        string[] atA = ["", """ "a": {}, """, """ "a": {"bsonType": "int", "minimum": 1}, """, """ "a": RULE, """, """ "a": {"encrypt": {KEY}}, """];
        string[] atB = ["", """ "b": {}, """, """ "b": {"type": "object", "required": ["c"]}, """, """ "b": {"bsonType": ["object", "null"], "properties": {"c": {"type": "string"}, "d": {}}}, """, """ "b": RULE, """];
        string[] others = ["", """, "required": ["a"]""", """, "type": "object", "additionalProperties": true""", """, "bsonType": "object", "encryptMetadata": {KEY}""", """, "bsonType": "object", "anyOf": [{"required": ["x"]}]"""];
        using var server = InProcessMongoServer.Start();
        var enforcement = new ServerEnforcement(server);
        var number = 0;
        foreach (var (a, b, other) in from a in atA from b in atB from other in others select (a, b, other))
        {
            var name = $"c{number++}";
            var properties = $"{a}{b}".TrimEnd(' ', ',');
            var create = ExtendedJson.ToBson(Fill("""{"create": "NAME", "validator": {"$jsonSchema": {"properties": {PROPERTIES}OTHER}}}"""
                .Replace("NAME", name, StringComparison.Ordinal)
                .Replace("PROPERTIES", properties, StringComparison.Ordinal)
                .Replace("OTHER", other, StringComparison.Ordinal)));
            Assert.True(ServerReply.IsOk(server.RunCommand("db", create), out var error), error.ToString());

            var plan = enforcement.Plan([new WantedValidator($"db.{name}", schema, ExistingRules.Override)]);
            var applied = enforcement.Apply(plan);

            Assert.NotEqual(EnforcementStatus.Conflict, plan.Collections[0].Status);
            Assert.True(applied.IsEnforced);
        }
    }

    private static EncryptionSchema Schema(string json) => EncryptionSchema.Parse(Fill(json));

    private static string Fill(string json) => json
        .Replace("KEY", Key, StringComparison.Ordinal)
        .Replace("ALGORITHM", Algorithm, StringComparison.Ordinal)
        .Replace("RULE", Random, StringComparison.Ordinal);

    private static void AssertRules(string expected, string schema)
    {
        var parsed = Schema(schema);
        var rules = EncryptionRules.ToJsonSchema("db.coll", parsed);

        Assert.Equal(Fill(expected), ExtendedJson.ToJson(rules));
        Assert.Equal(rules, EncryptionRules.ToJsonSchema("db.coll", EncryptionSchema.Parse(rules, EncryptionSchemaOrigin.Server)));
    }
}
