using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Schema;

public class EncryptionSchemaTests
{
    [Fact]
    public void A_field_takes_algorithm_key_and_type_from_its_encrypt()
    {
        var schema = EncryptionSchema.Parse(Schemas.Encrypting(Schemas.Encrypt("Deterministic", "\"bsonType\":\"int\"")));

        var node = schema.EncryptedAt("foo");
        Assert.Equal(CsfleAlgorithm.Deterministic, node.Algorithm);
        Assert.Equal(Schemas.KeyId, node.KeyId);
        Assert.Null(node.KeyPointer);
        Assert.Equal(BsonTypeSet.Of(BsonType.Int32), node.Types);
        Assert.True(schema.EncryptsAnything);
    }

    [Fact]
    public void Algorithm_and_key_are_inherited_each_from_the_nearest_level_that_has_it()
    {
        var schema = EncryptionSchema.Parse("""
            {"bsonType":"object",
             "encryptMetadata":{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":[{"$uuid":"00000000-0000-0000-0000-000000000001"}]},
             "properties":{
               "a":{"encrypt":{}},
               "b":{"bsonType":"object","encryptMetadata":{"keyId":[{"$uuid":"00000000-0000-0000-0000-000000000002"}]},
                    "properties":{"c":{"encrypt":{"bsonType":"string"}},
                                  "d":{"encrypt":{"bsonType":"string","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}},
                                  "e":{"encrypt":{"keyId":"/owner"}}}}}}
            """);

        Assert.Equal((CsfleAlgorithm.Random, Id(1)), Metadata("a"));
        Assert.Equal((CsfleAlgorithm.Random, Id(2)), Metadata("b.c"));
        Assert.Equal((CsfleAlgorithm.Deterministic, Id(2)), Metadata("b.d"));
        Assert.Equal((CsfleAlgorithm.Random, null), Metadata("b.e"));
        Assert.Equal("/owner", schema.EncryptedAt("b.e").KeyPointer?.Text);
        Assert.True(schema.EncryptedAt("a").Types.IsAny);

        (CsfleAlgorithm, Guid?) Metadata(string path) => (schema.EncryptedAt(path).Algorithm, schema.EncryptedAt(path).KeyId);
        static Guid? Id(int last) => new Guid($"00000000-0000-0000-0000-00000000000{last}");
    }

    [Fact]
    public void A_pointer_inherited_from_above_gives_way_to_a_key_of_the_field()
    {
        var schema = EncryptionSchema.Parse($$$$"""
            {"bsonType":"object","encryptMetadata":{"keyId":"/owner"},"properties":{"foo":{"encrypt":{{{{Schemas.Encrypt("Deterministic", "\"bsonType\":\"int\"")}}}}}}}
            """);

        Assert.Equal(Schemas.KeyId, schema.EncryptedAt("foo").KeyId);
        Assert.Null(schema.EncryptedAt("foo").KeyPointer);
    }

    [Fact]
    public void Number_stands_for_four_types_and_a_list_for_its_members()
    {
        var number = EncryptionSchema.Parse(Schemas.Encrypting(Schemas.Encrypt("Random", "\"bsonType\":\"number\"")));
        var list = EncryptionSchema.Parse(Schemas.Encrypting(Schemas.Encrypt("Random", "\"bsonType\":[\"string\",\"bool\"]")));

        Assert.Equal(BsonTypeSet.Of(BsonType.Int32, BsonType.Int64, BsonType.Double, BsonType.Decimal128), number.EncryptedAt("foo").Types);
        Assert.Equal(BsonTypeSet.Of(BsonType.String, BsonType.Boolean), list.EncryptedAt("foo").Types);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"bsonType":"object","properties":{"a":{"bsonType":"int"},"b":{"type":["string","null"]}},"additionalProperties":false}""")]
    public void A_schema_may_encrypt_nothing(string json)
    {
        var schema = EncryptionSchema.Parse(json);

        Assert.False(schema.EncryptsAnything);
        Assert.False(schema.Root.HasEncryption);
    }

    [Fact]
    public void The_word_encrypt_inside_enum_is_data()
    {
        var schema = EncryptionSchema.Parse("""{"bsonType":"object","properties":{"a":{"enum":[{"encrypt":{"keyId":7}}]}}}""", EncryptionSchemaOrigin.Server);

        Assert.False(schema.EncryptsAnything);
    }

    [Fact]
    public void A_property_may_be_called_like_a_keyword()
    {
        var schema = EncryptionSchema.Parse(Schemas.Object($$$"""
            "encrypt":{"bsonType":"object","properties":{"properties":{{{Schemas.RandomAny}}}}}
            """));

        Assert.IsType<EncryptedNode>(schema.At("encrypt.properties"));
    }

    [Fact]
    public void A_server_schema_may_use_every_keyword_of_validation()
    {
        var schema = EncryptionSchema.Parse($$$$$"""
            {"bsonType":"object","required":["a"],"title":"t","description":"d","minProperties":1,"maxProperties":9,
             "dependencies":{"a":["b"],"c":{"properties":{"d":{"bsonType":"int"}}}},
             "anyOf":[{"properties":{"a":{"minLength":3}}}],"allOf":[{}],"oneOf":[{}],"not":{"required":["z"]},
             "properties":{"a":{{{{{Schemas.RandomAny}}}}},
               "list":{"bsonType":"array","items":[{"bsonType":"int"}],"additionalItems":false,"uniqueItems":true,"minItems":1,"maxItems":3},
               "list2":{"items":{"enum":[1]},"additionalItems":{"pattern":"^x"}},
               "n":{"minimum":1,"exclusiveMinimum":true,"maximum":2,"exclusiveMaximum":false,"multipleOf":2,"maxLength":4}}}
            """, EncryptionSchemaOrigin.Server);

        Assert.True(schema.EncryptsAnything);
        Assert.IsType<EncryptedNode>(schema.At("a"));
        Assert.False(Assert.IsType<PlainNode>(schema.At("list")).HasEncryption);
    }

    [Fact]
    public void Patterns_that_decide_nothing_about_encryption_need_not_be_understood()
    {
        var schema = EncryptionSchema.Parse("""{"patternProperties":{"(?<=x)y(?i)[[:alpha:]]":{"bsonType":"int"}}}""", EncryptionSchemaOrigin.Server);

        Assert.False(schema.EncryptsAnything);
    }

    [Fact]
    public void Bytes_and_text_come_back_and_give_the_same_tree()
    {
        var bson = ExtendedJson.ToBson(Schemas.Object($$"""
            "a":{{Schemas.RandomString}},"b":{"bsonType":"object","patternProperties":{"^x":{{Schemas.RandomAny}}},"additionalProperties":{{Schemas.RandomString}}}
            """));

        var schema = EncryptionSchema.Parse(bson);
        var again = EncryptionSchema.Parse(schema.ToJson(indented: true));

        Assert.Equal(bson, schema.ToBson());
        Assert.Equal(bson, again.ToBson());
        Assert.True(schema.Root.EncryptsLike(again.Root));
    }

    [Fact]
    public void The_caller_cannot_change_a_schema_through_its_bytes()
    {
        var bson = ExtendedJson.ToBson("{}");
        var schema = EncryptionSchema.Parse(bson);

        bson[0] = 0xFF;
        schema.ToBson()[0] = 0xFF;

        Assert.Equal(5, schema.ToBson()[0]);
    }

    [Fact]
    public void A_schema_nested_beyond_the_limit_is_refused()
    {
        var json = new StringBuilder();
        for (var level = 0; level < 150; level++) json.Append("{\"properties\":{\"a\":");
        json.Append("{}");
        for (var level = 0; level < 150; level++) json.Append("}}");

        var error = Assert.ThrowsAny<CsfleException>(() => EncryptionSchema.Parse(json.ToString()));
        Assert.Contains(error.Code, new[] { CsfleErrorCode.BsonLimit, CsfleErrorCode.MalformedExtendedJson });
    }

    [Fact]
    public void Bytes_that_are_not_BSON_are_a_typed_error()
        => Assert.Throws<BsonFormatException>(() => EncryptionSchema.Parse([5, 0, 0, 0, 1]));
}
