using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using static Medco.Csfle.Engine.Tests.Schema.Schemas;

namespace Medco.Csfle.Engine.Tests.Schema;

/// <summary>Every rule of the grammar broken once: where the mistake is reported, and in which words.</summary>
public class EncryptionSchemaMistakeTests
{
    private const string InvalidSchema = "Invalid schema containing the 'encrypt' keyword.";

    public static TheoryData<string, string, string> GrammarMistakes => new()
    {
        { """{"$ref":"x"}""", "$ref", "$jsonSchema keyword '$ref' is not currently supported" },
        { """{"$schema":"x"}""", "$schema", "$jsonSchema keyword '$schema' is not currently supported" },
        { """{"default":1}""", "default", "$jsonSchema keyword 'default' is not currently supported" },
        { """{"definitions":{}}""", "definitions", "$jsonSchema keyword 'definitions' is not currently supported" },
        { """{"properties":{"a":{"format":"x"}}}""", "properties.a.format", "$jsonSchema keyword 'format' is not currently supported" },
        { """{"id":"x"}""", "id", "$jsonSchema keyword 'id' is not currently supported" },
        { """{"Properties":{}}""", "Properties", "Unknown $jsonSchema keyword: Properties" },
        { """{"properties":{"a":{"encrypted":{}}}}""", "properties.a.encrypted", "Unknown $jsonSchema keyword: encrypted" },
        { """{"title":1}""", "title", "$jsonSchema keyword 'title' must be a string, found int" },
        { """{"description":{}}""", "description", "$jsonSchema keyword 'description' must be a string, found object" },
        { """{"properties":[]}""", "properties", "$jsonSchema keyword 'properties' must be an object, found array" },
        { """{"properties":{"a":1}}""", "properties.a", "Nested schema for $jsonSchema keyword 'properties' must be an object, found int" },
        { """{"patternProperties":1}""", "patternProperties", "$jsonSchema keyword 'patternProperties' must be an object, found int" },
        { """{"patternProperties":{"a":true}}""", "patternProperties.a", "Nested schema for $jsonSchema keyword 'patternProperties' must be an object, found bool" },
        { """{"additionalProperties":1}""", "additionalProperties", "$jsonSchema keyword 'additionalProperties' must be an object or a boolean, found int" },
        { """{"type":"object","bsonType":"object"}""", "(root)", "Cannot specify both $jsonSchema keywords 'type' and 'bsonType'" },
        { """{"bsonType":3}""", "bsonType", "$jsonSchema keyword 'bsonType' must be a string or an array of strings, found int" },
        { """{"bsonType":["int",3]}""", "bsonType.1", "$jsonSchema keyword 'bsonType' must be a string or an array of strings, found int" },
        { """{"bsonType":"Object"}""", "bsonType", "Unknown type name alias: Object" },
        { """{"bsonType":["int","int"]}""", "bsonType.1", "$jsonSchema keyword 'bsonType' has duplicate value: int" },
        { """{"bsonType":["int","Int"]}""", "bsonType.1", "Unknown type name alias: Int" },
        { """{"bsonType":{"a":1}}""", "bsonType", "$jsonSchema keyword 'bsonType' must be a string or an array of strings, found object" },
        { """{"type":2}""", "type", "$jsonSchema keyword 'type' must be a string or an array of strings, found int" },
        { """{"type":["string","integer"]}""", "type.1", "$jsonSchema type 'integer' is not currently supported" },
        { """{"additionalProperties":[]}""", "additionalProperties", "$jsonSchema keyword 'additionalProperties' must be an object or a boolean, found array" },
        { """{"bsonType":[]}""", "bsonType", "$jsonSchema keyword 'bsonType' must name at least one type" },
        { """{"type":"integer"}""", "type", "$jsonSchema type 'integer' is not currently supported" },
        { """{"type":"objectId"}""", "type", "Unknown type name alias: objectId" },
    };

    public static TheoryData<string, string, string> LocalMistakes
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var keyword in new[] { "additionalItems", "allOf", "anyOf", "dependencies", "enum", "exclusiveMaximum", "exclusiveMinimum", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not", "oneOf", "pattern", "required", "uniqueItems" })
            {
                data.Add($$$$$"""{"properties":{"a":{"{{{{{keyword}}}}}":{}}}}""", $"properties.a.{keyword}", $"JSON schema keyword '{keyword}' is only allowed with a remote schema");
            }

            return data;
        }
    }

    public static TheoryData<string, string, string> ServerMistakes => new()
    {
        { """{"anyOf":{}}""", "anyOf", "$jsonSchema keyword 'anyOf' must be an array of objects, found object" },
        { """{"allOf":[]}""", "allOf", "$jsonSchema keyword 'allOf' must be a non-empty array" },
        { """{"oneOf":[1]}""", "oneOf.0", "$jsonSchema keyword 'oneOf' must be an object, found int" },
        { """{"not":[]}""", "not", "$jsonSchema keyword 'not' must be an object, found array" },
        { """{"items":1}""", "items", "$jsonSchema keyword 'items' must be an object, found int" },
        { """{"items":[1]}""", "items.0", "$jsonSchema keyword 'items' must be an object, found int" },
        { """{"additionalItems":1}""", "additionalItems", "$jsonSchema keyword 'additionalItems' must be an object, found int" },
        { """{"dependencies":[]}""", "dependencies", "$jsonSchema keyword 'dependencies' must be an object, found array" },
        { """{"dependencies":{"a":1}}""", "dependencies.a", "$jsonSchema keyword 'dependencies' must be an object, found int" },
        { $$$"""{"bsonType":"object","anyOf":[{"properties":{"a":{{{RandomString}}}}}]}""", "anyOf.0.properties.a.encrypt", InvalidSchema },
        { $$"""{"bsonType":"object","allOf":[{{RandomString}}]}""", "allOf.0.encrypt", InvalidSchema },
        { $$"""{"bsonType":"object","oneOf":[{{RandomString}}]}""", "oneOf.0.encrypt", InvalidSchema },
        { $$"""{"bsonType":"object","not":{{RandomString}}}""", "not.encrypt", InvalidSchema },
        { $$"""{"bsonType":"array","items":{{RandomString}}}""", "items.encrypt", InvalidSchema },
        { $$"""{"bsonType":"array","items":[{{RandomString}}]}""", "items.0.encrypt", InvalidSchema },
        { $$"""{"bsonType":"array","additionalItems":{{RandomString}}}""", "additionalItems.encrypt", InvalidSchema },
        { $$$"""{"bsonType":"object","dependencies":{"a":{{{RandomString}}}}}""", "dependencies.a.encrypt", InvalidSchema },
        { $$$$"""{"additionalItems":{"bsonType":"object","encryptMetadata":{"keyId":{{{{Key}}}}}}}""", "additionalItems.encryptMetadata", InvalidSchema },
        { """{"anyOf":[]}""", "anyOf", "$jsonSchema keyword 'anyOf' must be a non-empty array" },
        { """{"oneOf":[]}""", "oneOf", "$jsonSchema keyword 'oneOf' must be a non-empty array" },
        { $$$$"""{"items":{"bsonType":"object","encryptMetadata":{"keyId":{{{{Key}}}}}}}""", "items.encryptMetadata", InvalidSchema },
        { $$$$"""{"not":{"not":{"items":{{{{RandomString}}}}}}}""", "not.not.items.encrypt", "It stands below 'not'" },
        { Object($$"""
            "foo":{"encrypt":{{Encrypt("Random")}},"required":["a"]}
            """), "properties.foo", InvalidSchema },
    };

    public static TheoryData<string, string, string> EncryptMistakes => new()
    {
        { Encrypting("1"), "properties.foo.encrypt", "$jsonSchema keyword 'encrypt' must be an object, found int" },
        { Encrypting(Encrypt("Random", "\"initializationVector\":1")), "properties.foo.encrypt.initializationVector", "BSON field 'encrypt.initializationVector' is an unknown field" },
        { Encrypting($$"""{"algorithm":"AES","keyId":{{Key}}}"""), "properties.foo.encrypt.algorithm", "Enumeration value for field 'algorithm' is not a valid value" },
        { Encrypting($$"""{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-random","keyId":{{Key}}}"""), "properties.foo.encrypt.algorithm", "Enumeration value for field 'algorithm' is not a valid value" },
        { Encrypting($$"""{"algorithm":2,"keyId":{{Key}}}"""), "properties.foo.encrypt.algorithm", "$jsonSchema keyword 'algorithm' must be a string, found int" },
        { Encrypting(WithKeyId("7")), "properties.foo.encrypt.keyId", "Expected either string or array of UUID for EncryptSchemaKeyId, found int" },
        { Encrypting(WithKeyId("""{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}""")), "properties.foo.encrypt.keyId", "Expected either string or array of UUID for EncryptSchemaKeyId, found binData" },
        { Encrypting(WithKeyId("""["x"]""")), "properties.foo.encrypt.keyId.0", "Array elements must have type BinData, found string" },
        { Encrypting(WithKeyId("""[{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"03"}}]""")), "properties.foo.encrypt.keyId.0", "Array elements must have bindata type UUID, found subtype 3" },
        { Encrypting(WithKeyId("""[{"$binary":{"base64":"AAAA","subType":"04"}}]""")), "properties.foo.encrypt.keyId.0", "Array elements must have bindata type UUID, found subtype 4 with 3 bytes" },
        { Encrypting(WithKeyId("[]")), "properties.foo.encrypt.keyId", "'keyId' holds 0 keys" },
        { Encrypting(WithKeyId("""[{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"},{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}]""")), "properties.foo.encrypt.keyId", "'keyId' holds 2 keys" },
        { Encrypting(WithKeyId("\"\"")), "properties.foo.encrypt.keyId", "Empty JSONPointers are not supported" },
        { Encrypting(WithKeyId("\"owner\"")), "properties.foo.encrypt.keyId", "JSONPointer must start with a '/'" },
        { Encrypting(WithKeyId("\"/ow~ner\"")), "properties.foo.encrypt.keyId", "JSONPointer cannot contain unescaped ~ character" },
        { Encrypting($$"""{"keyId":{{Key}}}"""), "properties.foo.encrypt", "There is no 'algorithm'" },
        { Encrypting("""{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random"}"""), "properties.foo.encrypt", "There is no 'keyId'" },
        { Encrypting(Encrypt("Deterministic")), "properties.foo.encrypt", "Deterministic encryption requires exactly one 'bsonType'" },
        { Encrypting(Encrypt("Deterministic", "\"bsonType\":[\"string\"]")), "properties.foo.encrypt", "Deterministic encryption requires exactly one 'bsonType'" },
        { Encrypting(Encrypt("Deterministic", "\"bsonType\":\"number\"")), "properties.foo.encrypt", "Deterministic encryption requires exactly one 'bsonType'" },
        { Encrypting("""{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic","keyId":"/owner","bsonType":"string"}"""), "properties.foo.encrypt", "Deterministic encryption cannot take its key from the document" },
        { Encrypting(Encrypt("Random", "\"bsonType\":\"strong\"")), "properties.foo.encrypt.bsonType", "Unknown type name alias: strong" },
        { Encrypting(Encrypt("Random", "\"bsonType\":2")), "properties.foo.encrypt.bsonType", "$jsonSchema keyword 'bsonType' must be a string or an array of strings, found int" },
        { Object($$"""
            "foo":{"encrypt":{{Encrypt("Random")}},"bsonType":"string"}
            """), "properties.foo", "'encrypt' cannot be used in conjunction with 'bsonType', 'encrypt' implies type 'bsonType::BinData'" },
        { Object($$"""
            "foo":{"encrypt":{{Encrypt("Random")}},"type":"string"}
            """), "properties.foo", "'encrypt' cannot be used in conjunction with 'type'" },
        { Object($$$"""
            "foo":{"encrypt":{{{Encrypt("Random")}}},"encryptMetadata":{"keyId":{{{Key}}}}}
            """), "properties.foo", "Cannot specify both $jsonSchema keywords 'encrypt' and 'encryptMetadata'" },
        { Object($$"""
            "foo":{"encrypt":{{Encrypt("Random")}},"title":"x"}
            """), "properties.foo", InvalidSchema },
        { """{"bsonType":"object","encryptMetadata":{}}""", "encryptMetadata", "$jsonSchema keyword 'encryptMetadata' cannot be an empty object" },
        { """{"bsonType":"object","encryptMetadata":1}""", "encryptMetadata", "$jsonSchema keyword 'encryptMetadata' must be an object, found int" },
        { """{"bsonType":"object","encryptMetadata":{"algorithm":"x"}}""", "encryptMetadata.algorithm", "Enumeration value for field 'algorithm' is not a valid value" },
        { """{"bsonType":"object","encryptMetadata":{"keyId":1}}""", "encryptMetadata.keyId", "Expected either string or array of UUID for EncryptSchemaKeyId, found int" },
        { """{"bsonType":["object"],"encryptMetadata":{"keyId":"/k"}}""", "encryptMetadata", "'encryptMetadata' stands at a level that is not \"bsonType\": \"object\"" },
        { Encrypting(WithKeyId($"\"{string.Concat(Enumerable.Repeat("/a", 101))}\"")), "properties.foo.encrypt.keyId", "JSONPointer has 101 steps, but 100 are the most" },
        { """{"bsonType":"object","encryptMetadata":{"bsonType":"int"}}""", "encryptMetadata.bsonType", "BSON field 'encryptMetadata.bsonType' is an unknown field" },
        { $$$"""{"encryptMetadata":{"keyId":{{{Key}}}}}""", "encryptMetadata", "'encryptMetadata' stands at a level that is not \"bsonType\": \"object\"" },
        { RandomAny, "encrypt", InvalidSchema },
        { $$$"""{"properties":{"foo":{{{RandomAny}}}}}""", "(root)", InvalidSchema },
        { $$$"""{"bsonType":"array","properties":{"foo":{{{RandomAny}}}}}""", "(root)", InvalidSchema },
        { $$$"""{"bsonType":["object"],"properties":{"foo":{{{RandomAny}}}}}""", "(root)", InvalidSchema },
        { $$$"""{"bsonType":["object","array"],"properties":{"foo":{{{RandomAny}}}}}""", "(root)", InvalidSchema },
        { $$$"""{"type":"object","properties":{"foo":{{{RandomAny}}}}}""", "(root)", InvalidSchema },
        { Object($$$"""
            "foo":{"properties":{"bar":{{{RandomAny}}}}}
            """), "properties.foo", InvalidSchema },
        { Object($$"""
            "foo":{"additionalProperties":{{RandomAny}}}
            """), "properties.foo", InvalidSchema },
        { Object($$$"""
            "foo":{"patternProperties":{"x":{{{RandomAny}}}}}
            """), "properties.foo", InvalidSchema },
        { Object("\"a.b\":" + RandomAny), "properties.a.b", "cannot have a name that contains a dot" },
        { Object("\"\":" + RandomAny), "properties.", "cannot have a name that is empty" },
        { Object("\"$a\":" + RandomAny), "properties.$a", "cannot have a name that starts with '$'" },
        { Object($$$"""
            "a.b":{"bsonType":"object","properties":{"c":{{{RandomAny}}}}}
            """), "properties.a.b", "cannot have a name that contains a dot" },
        { Object($$"""
            "owner":{{RandomAny}},"foo":{"encrypt":{{WithKeyId("\"/owner\"")}}}
            """), "properties.foo.encrypt", "The JSON pointer '/owner' leads to a field that is encrypted" },
        { Object($$"""
            "owner":{{RandomAny}},"foo":{"encrypt":{{WithKeyId("\"/owner/name\"")}}}
            """), "properties.foo.encrypt", "The JSON pointer '/owner/name' leads to a field that is encrypted" },
        { Object($$$"""
            "owner":{"bsonType":"object","properties":{"x":{{{RandomAny}}}}},"foo":{"encrypt":{{{WithKeyId("\"/owner\"")}}}}
            """), "properties.foo.encrypt", "The JSON pointer '/owner' leads to a field that is encrypted itself or holds one" },
        { Encrypting(WithKeyId("\"/foo\"")), "properties.foo.encrypt", "The JSON pointer '/foo' leads to a field that is encrypted" },
        { $$$"""{"bsonType":"object","properties":{"foo":{{{RandomAny}}}},"patternProperties":{"^f":{{{RandomString}}}}}""", "patternProperties", "The name 'foo' is matched by the pattern '^f'" },
        { $$$"""{"bsonType":"object","properties":{"foo":{"bsonType":"int"}},"patternProperties":{"o":{{{RandomString}}}}}""", "patternProperties", "The name 'foo' is matched by the pattern 'o'" },
        { $$$"""{"bsonType":"object","patternProperties":{"(?i)ssn":{{{RandomAny}}}}}""", "patternProperties.(?i)ssn", "The pattern '(?i)ssn' cannot decide what is encrypted" },
    };

    public static TheoryData<string, string> ProhibitedTypes
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var type in new[] { "null", "undefined", "minKey", "maxKey" })
            {
                data.Add("Deterministic", type);
                data.Add("Random", type);
            }

            foreach (var type in new[] { "double", "decimal", "bool", "object", "array", "javascriptWithScope" }) data.Add("Deterministic", type);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(GrammarMistakes))]
    public void A_mistake_in_the_grammar_is_reported_for_both_origins(string schema, string location, string text)
    {
        AssertMistake(schema, EncryptionSchemaOrigin.Local, location, text);
        AssertMistake(schema, EncryptionSchemaOrigin.Server, location, text);
    }

    [Theory]
    [MemberData(nameof(LocalMistakes))]
    public void A_keyword_that_only_validates_is_refused_in_a_local_schema(string schema, string location, string text)
        => AssertMistake(schema, EncryptionSchemaOrigin.Local, location, text);

    [Theory]
    [MemberData(nameof(ServerMistakes))]
    public void A_mistake_in_validation_keywords_is_reported_for_a_server_schema(string schema, string location, string text)
        => AssertMistake(schema, EncryptionSchemaOrigin.Server, location, text);

    [Theory]
    [MemberData(nameof(EncryptMistakes))]
    public void A_mistake_about_encryption_is_reported(string schema, string location, string text)
    {
        AssertMistake(schema, EncryptionSchemaOrigin.Local, location, text);
        AssertMistake(schema, EncryptionSchemaOrigin.Server, location, text);
    }

    [Theory]
    [MemberData(nameof(ProhibitedTypes))]
    public void A_type_that_can_never_be_encrypted_is_refused_whatever_the_values(string algorithm, string type)
    {
        AssertMistake(Encrypting(Encrypt(algorithm, $"\"bsonType\":\"{type}\"")), EncryptionSchemaOrigin.Server, "properties.foo.encrypt.bsonType", $"Cannot encrypt element of type: {type}");
        if (algorithm == "Random")
        {
            AssertMistake(Encrypting(Encrypt(algorithm, $"\"bsonType\":[\"string\",\"{type}\"]")), EncryptionSchemaOrigin.Server, "properties.foo.encrypt.bsonType", $"Cannot encrypt element of type: {type}");
        }
    }

    [Theory]
    [InlineData("string objectId date binData regex dbPointer javascript symbol int long timestamp", "Deterministic")]
    [InlineData("string objectId date binData regex dbPointer javascript symbol int long timestamp double decimal bool object array javascriptWithScope", "Random")]
    public void Every_other_type_is_accepted(string types, string algorithm)
    {
        foreach (var type in types.Split(' '))
        {
            Assert.True(EncryptionSchema.Parse(Encrypting(Encrypt(algorithm, $"\"bsonType\":\"{type}\""))).EncryptsAnything);
        }
    }

    [Fact]
    public void All_mistakes_are_reported_at_once()
    {
        var error = Assert.Throws<EncryptionSchemaException>(() => EncryptionSchema.Parse($$$"""
            {"required":["a"],"properties":{"a":{"encrypt":{"algorithm":"x"}},"b":{"encrypt":{{{Encrypt("Deterministic", "\"bsonType\":\"double\"")}}}},"c.d":{{{RandomAny}}}}}
            """));

        Assert.Equal(CsfleErrorCode.InvalidSchema, error.Code);
        Assert.Equal(
            ["(root)", "properties.a.encrypt.algorithm", "properties.b.encrypt.bsonType", "properties.c.d", "required"],
            error.Errors.Select(mistake => mistake.Location).Order(StringComparer.Ordinal));
        Assert.All(error.Errors, mistake => Assert.Contains(mistake.Problem, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Keywords_fields_and_names_that_stand_twice_are_refused()
    {
        // JSON readers drop one of the two, so that the schema is written as BSON.
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("bsonType"u8, "object"u8);
        writer.WriteString("bsonType"u8, "object"u8);
        writer.StartDocument("properties");
        writer.StartDocument("a");
        writer.StartDocument("encrypt");
        writer.WriteString("keyId"u8, "/x"u8);
        writer.WriteString("keyId"u8, "/y"u8);
        writer.EndDocument();
        writer.EndDocument();
        writer.StartDocument("a");
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();

        var error = Assert.Throws<EncryptionSchemaException>(() => EncryptionSchema.Parse(writer.ToArray()));

        Assert.Contains(error.Errors, mistake => mistake.Location == "bsonType" && mistake.Problem.StartsWith("Duplicate $jsonSchema keyword: bsonType", StringComparison.Ordinal));
        Assert.Contains(error.Errors, mistake => mistake.Location == "properties.a" && mistake.Problem.StartsWith("The name stands twice", StringComparison.Ordinal));
        Assert.Contains(error.Errors, mistake => mistake.Location == "properties.a.encrypt.keyId" && mistake.Problem.StartsWith("BSON field 'encrypt.keyId' is a duplicate field", StringComparison.Ordinal));
    }

    private static string WithKeyId(string keyId) => $$"""{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":{{keyId}}}""";

    private static void AssertMistake(string schema, EncryptionSchemaOrigin origin, string location, string text)
    {
        var error = Assert.Throws<EncryptionSchemaException>(() => EncryptionSchema.Parse(schema, origin));

        Assert.Contains(error.Errors, mistake => mistake.Location == location && mistake.Problem.Contains(text, StringComparison.Ordinal));
        Assert.All(error.Errors, mistake => Assert.False(string.IsNullOrWhiteSpace(mistake.Remedy)));
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
    }
}
