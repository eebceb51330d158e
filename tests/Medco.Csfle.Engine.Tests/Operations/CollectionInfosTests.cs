using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Bson;

namespace Medco.Csfle.Engine.Tests.Operations;

/// <summary>What the server is asked about its collections, and which schema is found in which answer.</summary>
public sealed class CollectionInfosTests
{
    internal const string Encrypting = """
        {"bsonType": "object", "properties": {"ssn": {"encrypt": {"bsonType": "string",
         "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic", "keyId": [{"$uuid": "11223344-5566-7788-99aa-bbccddeeff00"}]}}}}
        """;

    [Fact]
    public void One_collection_is_asked_for_by_its_name()
        => Assert.Equal("""{"listCollections":1,"filter":{"name":"a.b"},"cursor":{}}""", ExtendedJson.ToJson(new CollectionInfos("db", ["a.b"]).ToCommand()));

    [Fact]
    public void Several_are_asked_for_at_once()
        => Assert.Equal("""{"listCollections":1,"filter":{"name":{"$in":["a","b"]}},"cursor":{}}""", ExtendedJson.ToJson(new CollectionInfos("db", ["a", "b"]).ToCommand()));

    [Theory]
    [InlineData("""{"validator": {"$jsonSchema": SCHEMA}}""")]
    [InlineData("""{"validator": {"$jsonSchema": SCHEMA, "sibling": {}}, "validationLevel": "off"}""")]
    [InlineData("""{"validator": {"age": {"$gt": 1}, "$jsonSchema": SCHEMA, "$and": [{"$jsonSchema": {"required": ["encrypt"]}}, {"encrypt": 1}]}}""")]
    public void The_schema_at_the_top_of_the_validator_counts_and_is_marked_as_the_servers(string options)
    {
        var schema = Read(Info(options.Replace("SCHEMA", Encrypting, StringComparison.Ordinal)));
        Assert.True(schema!.EncryptsAnything);
        Assert.Equal(EncryptionSchemaOrigin.Server, schema.Origin);
        Assert.Equal(ExtendedJson.ToBson(Encrypting), schema.ToBson());
    }

    [Fact]
    public void Validation_keywords_are_the_servers_business()
        => Assert.False(Read(Info("""{"validator": {"$jsonSchema": {"bsonType": "object", "required": ["a"], "properties": {"a": {"minimum": 3}}}}}"""))!.EncryptsAnything);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"validator": {}}""")]
    [InlineData("""{"validator": {"ssn": {"$type": "string"}}}""")]
    [InlineData("""{"validator": {"$or": [{"$jsonSchema": {"required": ["a"]}}]}, "capped": true}""")]
    public void Without_a_schema_at_the_top_there_is_none(string options) => Assert.Null(Read(Info(options)));

    [Fact]
    public void A_collection_that_is_not_there_has_no_schema() => Assert.Null(Read());

    [Theory]
    [InlineData("""{"$and": [{"$jsonSchema": SCHEMA}]}""", "$and")]
    [InlineData("""{"$jsonSchema": {"bsonType": "object"}, "$or": [{"a": 1}, {"$nor": [{"$jsonSchema": SCHEMA}]}]}""", "$or")]
    [InlineData("""{"$and": [{"$jsonSchema": {"properties": {"a": {"bsonType": "object", "encryptMetadata": {}}}}}]}""", "$and")]
    [InlineData("""{"$jsonSchema": 1}""", "$jsonSchema")]
    [InlineData("""{"$jsonSchema": {"bsonType": "object", "properties": {"ssn": {"encrypt": {}}}}}""", "properties.ssn.encrypt")]
    [InlineData("""{"$jsonSchema": {"anyOf": [SCHEMA]}}""", "anyOf")]
    public void Encryption_where_it_would_be_overlooked_is_an_error(string validator, string location)
    {
        var error = Assert.Throws<EncryptionSchemaException>(
            () => Read(Info($$"""{"validator": {{validator.Replace("SCHEMA", Encrypting, StringComparison.Ordinal)}} }""")));
        Assert.Contains("'db.coll'", error.Message, StringComparison.Ordinal);
        Assert.Contains(location, error.Errors[0].Location, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_schemas_in_one_validator_are_an_error()
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.StartDocument("$jsonSchema"u8);
        writer.EndDocument();
        writer.WriteDocument("$jsonSchema"u8, ExtendedJson.ToBson(Encrypting));
        writer.EndDocument();
        var validator = writer.ToArray();

        var error = Assert.Throws<EncryptionSchemaException>(() => ValidatorSchema.Read("db.coll", new BsonReader(validator)));
        Assert.Contains("duplicate `$jsonSchema` fields found", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_view_is_refused()
    {
        var error = Assert.Throws<QueryAnalysisException>(() => Read("""{"name": "coll", "type": "view", "options": {"viewOn": "other"}}"""));
        Assert.Contains("cannot auto encrypt a view: db.coll", error.Message, StringComparison.Ordinal);
        Assert.Equal((CsfleErrorCode.CommandNotSupported, "db.coll"), (error.Code, error.Collection));
    }

    [Fact]
    public void A_time_series_has_no_schema()
        => Assert.Null(Read("""{"name": "coll", "type": "timeseries", "options": {"timeseries": {"timeField": "t"}}}"""));

    [Fact]
    public void Queryable_encryption_is_refused()
        => Assert.Contains("Queryable Encryption", Assert.Throws<QueryAnalysisException>(() => Read(Info("""{"encryptedFields": {"fields": []}}"""))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"name": "other", "type": "collection"}""", "got unexpected collinfo result")]
    [InlineData("""{"name": "COLL", "type": "collection"}""", "got unexpected collinfo result")]
    [InlineData("""{"type": "collection"}""", "got unexpected collinfo result")]
    [InlineData("""{"name": 1, "type": "collection"}""", "no single name")]
    [InlineData("""{"name": "coll"}""", "neither a collection nor a view")]
    [InlineData("""{"name": "coll", "type": "something"}""", "neither a collection nor a view")]
    [InlineData("""{"name": "coll", "type": 1}""", "no single type")]
    [InlineData("""{"name": "coll", "type": "collection", "options": []}""", "options")]
    [InlineData("""{"name": "coll", "type": "collection", "options": {"validator": "x"}}""", "validator")]
    [InlineData("""{"name": "coll", "type": "collection"}, {"name": "coll", "type": "collection"}""", "unexpected duplicate collinfo result")]
    [InlineData("1", "something else than documents")]
    public void An_answer_to_another_question_is_an_error(string batch, string problem)
    {
        var error = Assert.Throws<ServerSchemaException>(() => Read(batch));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        Assert.Equal((CsfleErrorCode.ServerSchemaUnavailable, "db.coll"), (error.Code, error.Collection));
    }

    [Theory]
    [InlineData("""{"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "SECRET"}""", 13)]
    [InlineData("""{"ok": 0, "errmsg": "SECRET"}""", null)]
    [InlineData("""{"ok": 1}""", null)]
    [InlineData("""{"cursor": {"id": {"$numberLong": "5"}, "firstBatch": []}, "ok": 1}""", null)]
    public void An_error_of_the_server_carries_its_code_and_not_its_text(string reply, int? code)
    {
        var error = Assert.Throws<ServerSchemaException>(() => new CollectionInfos("db", ["coll", "b"]).Read(ExtendedJson.ToBson(reply)));
        Assert.Equal(code, error.ServerCode);
        Assert.Contains("'db.coll' and 1 more", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_is_not_bson_is_a_typed_error()
        => Assert.Throws<ServerSchemaException>(() => new CollectionInfos("db", ["coll"]).Read([1, 2, 3]));

    [Fact]
    public void Whatever_is_answered_it_is_understood_or_a_typed_error()
    {
        var random = new Random(20300102);
        var reply = ExtendedJson.ToBson(Reply(Info($$$"""{"validator": {"a": {"$jsonSchema": {}}, "$jsonSchema": {{{Encrypting}}} } }""")));
        var understood = 0;
        for (var i = 0; i < 5000; i++)
        {
            try
            {
                new CollectionInfos("db", ["coll"]).Read(Mutation.Of(reply, random));
                understood++;
            }
            catch (Exception e) when (e is ServerSchemaException or EncryptionSchemaException or QueryAnalysisException)
            {
            }
        }

        Assert.InRange(understood, 1, 4999);
    }

    [Fact]
    public void Several_collections_have_a_schema_each()
    {
        var schemas = new CollectionInfos("db", ["a", "b", "c"]).Read(ExtendedJson.ToBson(Reply(
            $$$"""{"name": "c", "type": "collection", "options": {"validator": {"$jsonSchema": {{{Encrypting}}} } } }""",
            """{"name": "a", "type": "collection", "options": {}}""")));
        Assert.Equal(["a", "b", "c"], schemas.Keys.Order());
        Assert.Equal((null, null, true), (schemas["a"], schemas["b"], schemas["c"]!.EncryptsAnything));
    }

    [VectorFact]
    public void Official_answers_are_read_as_libmongocrypt_reads_them()
    {
        Assert.Null(ReadVector("test", "collection-info-no-validator.json"));
        Assert.True(ReadVector("test", "collinfo-siblings.json")!.EncryptsAnything);
        Assert.True(ReadVector("coll", "schema-broker/collinfo-jsonSchema.json")!.EncryptsAnything);
        Assert.Equal(
            ExtendedJson.ToBson(OfficialVectors.ReadText("libmongocrypt/schema-broker/jsonSchema.json")),
            ReadVector("coll", "schema-broker/collinfo-jsonSchema.json")!.ToBson());
        Assert.Null(ReadVector("coll", "schema-broker/collinfo-noSchema.json"));
        Assert.Contains("cannot auto encrypt a view: test.v", Assert.Throws<QueryAnalysisException>(() => ReadVector("v", "collection-info-view.json")).Message, StringComparison.Ordinal);

        // Queryable Encryption, which libmongocrypt supports and this library refuses.
        Assert.Throws<QueryAnalysisException>(() => ReadVector("coll", "schema-broker/collinfo-encryptedFields.json"));
        Assert.Throws<QueryAnalysisException>(() => ReadVector("coll2", "schema-broker/collinfo-encryptedFields2.json"));
    }

    internal static string Info(string options, string name = "coll") => $$"""{"name": "{{name}}", "type": "collection", "options": {{options}} }""";

    internal static string Reply(params string[] infos)
        => $$$"""{"cursor": {"id": {"$numberLong": "0"}, "ns": "db.$cmd.listCollections", "firstBatch": [{{{string.Join(", ", infos)}}}]}, "ok": {"$numberDouble": "1"}}""";

    private static EncryptionSchema? Read(params string[] infos) => new CollectionInfos("db", ["coll"]).Read(ExtendedJson.ToBson(Reply(infos)))["coll"];

    private static EncryptionSchema? ReadVector(string collection, string file)
        => new CollectionInfos("test", [collection]).Read(ExtendedJson.ToBson(Reply(OfficialVectors.ReadText($"libmongocrypt/{file}"))))[collection];
}
