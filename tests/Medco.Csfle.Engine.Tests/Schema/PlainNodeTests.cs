using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using static Medco.Csfle.Engine.Tests.Schema.Schemas;

namespace Medco.Csfle.Engine.Tests.Schema;

public class PlainNodeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(500)]
    public void Every_listed_name_is_found_and_no_other(int count)
    {
        var names = Enumerable.Range(0, count).Select(index => $"feld_{index}_ä").ToArray();
        var root = EncryptionSchema.Parse(Schemas.Object(string.Join(",", names.Select((name, index)
            => $"\"{name}\":{(index % 2 == 0 ? RandomString : "{\"bsonType\":\"int\"}")}")))).Root;

        Assert.Equal(names, root.Properties.Select(property => property.Name));
        for (var index = 0; index < count; index++)
        {
            Assert.Equal(index % 2 == 0, root.Find(Encoding.UTF8.GetBytes(names[index])) is EncryptedNode);
            Assert.NotNull(root.Find(Encoding.UTF8.GetBytes(names[index])));
            Assert.Null(root.Find(Encoding.UTF8.GetBytes(names[index] + "x")));
        }

        Assert.Null(root.Find("Feld_0_ä"u8));
        Assert.Null(root.Find(""u8));
        Assert.False(root.EncryptsUnlistedNames);
    }

    [Fact]
    public void Finding_a_listed_name_allocates_nothing()
    {
        var root = EncryptionSchema.Parse(Schemas.Object(string.Join(",", Enumerable.Range(0, 40).Select(index => $"\"name{index}\":{RandomAny}")))).Root;
        var name = "name17"u8.ToArray();
        root.Find(name);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1000; round++) root.Find(name);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Patterns_come_before_additionalProperties_and_properties_before_both()
    {
        var root = EncryptionSchema.Parse($$$"""
            {"bsonType":"object",
             "properties":{"plain":{"bsonType":"string"}},
             "patternProperties":{"^num":{"encrypt":{{{Encrypt("Random", "\"bsonType\":\"int\"")}}}}},
             "additionalProperties":{{{RandomString}}}}
            """).Root;

        Assert.False(root.Find("plain"u8)!.HasEncryption);
        Assert.Equal(BsonTypeSet.Of(BsonType.Int32), Assert.IsType<EncryptedNode>(root.Find("number"u8)).Types);
        Assert.Equal(BsonTypeSet.Of(BsonType.String), Assert.IsType<EncryptedNode>(root.Find("other"u8)).Types);
        Assert.True(root.EncryptsUnlistedNames);
        Assert.Equal("^num", Assert.Single(root.PatternProperties).Pattern.Text);
    }

    [Fact]
    public void A_pattern_without_encryption_shields_a_name_from_additionalProperties()
    {
        var root = EncryptionSchema.Parse($$$"""{"bsonType":"object","patternProperties":{"^_":{}},"additionalProperties":{{{RandomAny}}}}""").Root;

        Assert.False(root.Find("_id"u8)!.HasEncryption);
        Assert.True(root.Find("id"u8)!.HasEncryption);
    }

    [Fact]
    public void Sub_schemas_that_agree_may_overlap()
    {
        var root = EncryptionSchema.Parse($$$$"""
            {"bsonType":"object","properties":{"foo":{{{{RandomString}}}},"bar":{"bsonType":"object","properties":{"x":{{{{RandomAny}}}}}}},
             "patternProperties":{"^f":{{{{RandomString}}}},"o$":{{{{RandomString}}}},"^bar":{"bsonType":"object","properties":{"x":{{{{RandomAny}}}},"y":{}}},"zzz":{}}}
            """.Replace(",\"y\":{}", "", StringComparison.Ordinal)).Root;

        Assert.IsType<EncryptedNode>(root.Find("foo"u8));
        Assert.IsType<EncryptedNode>(root.Find("fo"u8));
        Assert.True(root.Find("bar"u8)!.HasEncryption);
    }

    [Theory]
    [InlineData("""{"bsonType":"int"}""")]
    [InlineData("""{"bsonType":"object","properties":{"foo":ENCRYPT}}""")]
    [InlineData("""{"encrypt":{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":[{"$uuid":"00112233-4455-6677-8899-aabbccddeef0"}]}}""")]
    public void A_name_on_which_patterns_disagree_is_an_error_that_names_it(string other)
    {
        var root = EncryptionSchema.Parse(Schemas.Object($$$"""
            "sub":{"bsonType":"object","patternProperties":{"^a":{{{RandomAny}}},"b$":{{{other.Replace("ENCRYPT", RandomAny, StringComparison.Ordinal)}}}}}
            """)).Root;
        var sub = (PlainNode)root.Find("sub"u8)!;

        var error = Assert.Throws<EncryptionSchemaException>(() => sub.Find("ab"u8));

        Assert.IsType<EncryptedNode>(sub.Find("ax"u8));
        Assert.Equal("properties.sub.patternProperties", error.Errors[0].Location);
        Assert.Contains("'ab'", error.Errors[0].Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Ssn", "ssn")]
    [InlineData("SSN", "ssn")]
    [InlineData("GRÖßE", "größe")]
    [InlineData("Home", "home")]
    [InlineData("ssn", null)]
    [InlineData("sSn", null)]
    [InlineData("ssn2", null)]
    [InlineData("sn", null)]
    [InlineData("NAME", null)]
    [InlineData("GRÖSSE", null)]
    [InlineData("X_A", null)]
    [InlineData("", null)]
    public void A_name_that_differs_only_in_case_from_an_encrypted_one_is_found(string name, string? listed)
    {
        var root = EncryptionSchema.Parse($$$$"""
            {"bsonType":"object",
             "properties":{"ssn":{{{{RandomAny}}}},"sSn":{"bsonType":"int"},"name":{"bsonType":"string"},"größe":{{{{RandomAny}}}},
               "home":{"bsonType":"object","properties":{"x":{{{{RandomAny}}}}}}},
             "patternProperties":{"^x_":{{{{RandomAny}}}}}}
            """).Root;

        Assert.Equal(listed, root.FindCaseVariant(Encoding.UTF8.GetBytes(name)));
    }

    [Fact]
    public void Looking_for_another_case_of_a_plain_name_allocates_nothing()
    {
        var root = EncryptionSchema.Parse(Schemas.Object(string.Join(",", Enumerable.Range(0, 40).Select(index => $"\"name{index}\":{RandomAny}")))).Root;
        var name = "title4"u8.ToArray();
        root.FindCaseVariant(name);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1000; round++) root.FindCaseVariant(name);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_name_that_is_not_UTF8_is_refused_where_patterns_decide()
    {
        var root = EncryptionSchema.Parse($$$"""{"bsonType":"object","patternProperties":{"^a":{{{RandomAny}}}}}""").Root;

        var error = Assert.Throws<QueryAnalysisException>(() => root.Find([0x61, 0xFF]));
        Assert.Equal(CsfleErrorCode.MalformedCommand, error.Code);
    }

    [Fact]
    public void Metadata_are_equal_only_in_every_part()
    {
        var root = EncryptionSchema.Parse(Schemas.Object($$$"""
            "a":{{{RandomAny}}},"same":{{{RandomAny}}},"typed":{{{RandomString}}},
            "key":{"encrypt":{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":[{"$uuid":"00112233-4455-6677-8899-aabbccddeef0"}]}},
            "pointer":{"encrypt":{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":"/owner"}},
            "det":{"encrypt":{{{Encrypt("Deterministic", "\"bsonType\":\"string\"")}}}}
            """)).Root;
        var node = Node("a");

        Assert.True(node.HasSameMetadataAs(Node("same")));
        Assert.All(new[] { "typed", "key", "pointer", "det" }, name => Assert.False(node.HasSameMetadataAs(Node(name)), name));
        Assert.False(Node("typed").HasSameMetadataAs(Node("det")));

        EncryptedNode Node(string name) => (EncryptedNode)root.Find(Encoding.UTF8.GetBytes(name))!;
    }
}
