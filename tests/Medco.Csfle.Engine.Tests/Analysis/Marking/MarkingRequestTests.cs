using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Analysis.Marking;

/// <summary>What a request may look like, and what becomes of it.</summary>
public sealed class MarkingRequestTests
{
    private const string Schema = """
        {"bsonType": "object", "properties": {"ssn": {"encrypt": {
          "keyId": [{"$uuid": "11111111-1111-4111-8111-111111111111"}], "bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}
        """;

    [Fact]
    public void All_that_is_not_for_query_analysis_comes_back_as_it_was()
    {
        var reply = Answer($$$"""
            {"find": "coll", "filter": {"a": 1}, "$db": "db", "lsid": {"id": {"$uuid": "22222222-2222-4222-8222-222222222222"}}, "txnNumber": {"$numberLong": "7"},
             "jsonSchema": {{{Schema}}}, "isRemoteSchema": false, "comment": "x", "readConcern": {"level": "majority"}}
            """);

        Assert.Equal(
            """{"hasEncryptionPlaceholders":false,"schemaRequiresEncryption":true,"result":{"find":"coll","filter":{"a":1},"lsid":{"id":{"$binary":{"base64":"IiIiIiIiQiKCIiIiIiIiIg==","subType":"04"}}},"txnNumber":7,"comment":"x","readConcern":{"level":"majority"}},"ok":1.0}""",
            Json(reply));
    }

    [Fact]
    public void A_value_of_an_encrypted_field_comes_back_marked()
    {
        var reply = Answer($$$"""{"insert": "coll", "documents": [{"ssn": 7}, {"name": "x"}, {"ssn": 8}], "jsonSchema": {{{Schema}}}, "isRemoteSchema": false}""");

        var markings = MarkingRequests.Markings(reply);
        Assert.Equal([7, 8], markings.Select(marking => Value(marking)));
        Assert.Equal(
            """{"a":1,"ki":{"$binary":{"base64":"ERERERERQRGBEREREREREQ==","subType":"04"}},"v":7}""",
            ExtendedJson.ToJson(markings[0].AsSpan(1), ExtendedJsonMode.Relaxed));
        Assert.StartsWith("""{"hasEncryptionPlaceholders":true,"schemaRequiresEncryption":true,"result":{"insert":"coll","documents":[""", Json(reply), StringComparison.Ordinal);

        static int Value(byte[] marking)
        {
            var reader = new BsonReader(marking.AsSpan(1));
            Assert.True(reader.ReadTo("v"u8));
            return reader.GetInt32();
        }
    }

    [Fact]
    public void A_key_that_the_document_names_is_in_the_marking_by_its_name()
    {
        var reply = Answer("""
            {"insert": "coll", "documents": [{"owner": "anna", "note": "x"}], "isRemoteSchema": false, "jsonSchema": {"bsonType": "object", "properties": {"note": {"encrypt": {
              "keyId": "/owner", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}}}}
            """);

        var marking = Assert.Single(MarkingRequests.Markings(reply));
        Assert.Equal("""{"a":2,"ka":"anna","v":"x"}""", ExtendedJson.ToJson(marking.AsSpan(1), ExtendedJsonMode.Relaxed));
    }

    [Theory]
    [InlineData("""{"insert": "coll", "documents": [{"a": 1}]}""")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"a": 1}}}]}""")]
    [InlineData("""{"findAndModify": "coll", "query": {}, "update": {"$set": {"a": 1}}}""")]
    [InlineData("""{"explain": {"find": "coll", "filter": {"a": 1}}}""")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$facet": {}}], "cursor": {}}""")]
    [InlineData("""{"bulkWrite": 1, "ops": [{"insert": 0, "document": {"a": 1}}], "nsInfo": [{"ns": "db.coll"}]}""")]
    [InlineData("""{"createIndexes": "coll", "indexes": [{"key": {"a": 1}, "name": "a"}]}""")]
    public void A_collection_with_the_empty_schema_may_be_written_to(string command)
    {
        var request = MarkingRequests.WithSchema(ExtendedJson.ToBson(command), ExtendedJson.ToBson("{}"), isRemote: true);

        var reply = MarkingReply.For("db", request);

        Assert.Equal(Json(ExtendedJson.ToBson(command)), Json(MarkingRequests.Document(reply, "result")));
        Assert.StartsWith("""{"hasEncryptionPlaceholders":false,"schemaRequiresEncryption":false,""", Json(reply), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_remote_schema_may_say_what_a_local_one_may_not(bool isRemote)
    {
        var request = MarkingRequests.WithSchema(
            ExtendedJson.ToBson("""{"find": "coll"}"""), ExtendedJson.ToBson("""{"bsonType": "object", "required": ["a"]}"""), isRemote);

        if (isRemote) Assert.NotEmpty(MarkingReply.For("db", request));
        else Assert.Contains("'required' is only allowed with a remote schema", Assert.Throws<EncryptionSchemaException>(() => MarkingReply.For("db", request)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"find": "coll"}""", "CSFLE3006", "neither 'jsonSchema' nor 'csfleEncryptionSchemas'")]
    [InlineData("""{"find": "coll", "jsonSchema": {}}""", "CSFLE3006", "'isRemoteSchema'")]
    [InlineData("""{"find": "coll", "jsonSchema": 1, "isRemoteSchema": true}""", "CSFLE3006", "'jsonSchema' must be a document")]
    [InlineData("""{"find": "coll", "jsonSchema": {}, "isRemoteSchema": 1}""", "CSFLE3006", "'isRemoteSchema'")]
    [InlineData("""{"find": "coll", "jsonSchema": {}, "isRemoteSchema": true, "csfleEncryptionSchemas": {}}""", "CSFLE3006", "Only one of")]
    [InlineData("""{"find": "coll", "csfleEncryptionSchemas": 1}""", "CSFLE3006", "must be a document")]
    [InlineData("""{"find": "coll", "csfleEncryptionSchemas": {"db.coll": 1}}""", "CSFLE3006", "must hold documents")]
    [InlineData("""{"find": "coll", "csfleEncryptionSchemas": {"db.coll": {}}}""", "CSFLE3006", "'jsonSchema'")]
    [InlineData("""{"find": "coll", "csfleEncryptionSchemas": {"db.coll": {"jsonSchema": {}, "isRemoteSchema": true, "x": 1}}}""", "CSFLE3006", "unknown field")]
    [InlineData("""{"find": "coll", "csfleEncryptionSchemas": {}}""", "CSFLE3001", "encryption schema is not known (collection 'db.coll')")]
    [InlineData("""{"find": "coll", "csfleEncryptionSchemas": {"db.other": {"jsonSchema": {}, "isRemoteSchema": true}}}""", "CSFLE3001", "collection 'db.coll'")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$out": "other"}], "jsonSchema": {}, "isRemoteSchema": true}""", "CSFLE3001", "collection 'db.other'")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$graphLookup": {"from": "other"}}], "jsonSchema": {}, "isRemoteSchema": true}""", "CSFLE3001", "collection 'db.other'")]
    [InlineData("""{"bulkWrite": 1, "ops": [], "nsInfo": [{"ns": "db.coll"}, {"ns": "db.other"}], "jsonSchema": {}, "isRemoteSchema": true}""", "CSFLE3001", "collection 'db.other'")]
    [InlineData("""{"aggregate": 1, "pipeline": [], "jsonSchema": {}, "isRemoteSchema": true}""", "CSFLE3001", "non-collection command not supported for auto encryption: aggregate")]
    [InlineData("""{"find": "coll", "encryptionInformation": {"type": 1, "schema": {"db.coll": {"fields": [{"path": "a"}]}}}, "jsonSchema": {}, "isRemoteSchema": true}""", "CSFLE3001", "Queryable Encryption")]
    [InlineData("""{"find": "coll", "encryptionInformation": 1, "jsonSchema": {}, "isRemoteSchema": true}""", "CSFLE3001", "Queryable Encryption")]
    [InlineData("""{"find": "coll", "encryptionInformation": {"schema": {"db.coll": {}}}}""", "CSFLE3001", "Queryable Encryption")]
    [InlineData("""{"find": "coll", "jsonSchema": {"properties": {"a": {"encrypt": 1}}}, "isRemoteSchema": true}""", "CSFLE2001", "encrypt")]
    public void A_request_that_leaves_a_question_open_is_refused(string request, string code, string text)
    {
        var refusal = Assert.ThrowsAny<CsfleException>(() => Answer(request));

        Assert.Equal(code, refusal.Code);
        Assert.Contains(text, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jsonSchema")]
    [InlineData("isRemoteSchema")]
    [InlineData("$db")]
    public void A_field_that_stands_twice_is_refused(string name)
    {
        var request = ExtendedJson.ToBson("""{"find": "coll", "jsonSchema": {}, "isRemoteSchema": true, "$db": "db"}""");
        var reader = new BsonReader(request);
        Assert.True(reader.ReadTo(System.Text.Encoding.UTF8.GetBytes(name)));
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteElements(request);
        writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        writer.EndDocument();
        var twice = writer.ToArray();

        Assert.Contains($"'{name}' stands twice", Assert.Throws<QueryAnalysisException>(() => MarkingReply.For("db", twice)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_marking_of_the_callers_own_never_comes_back_where_anything_is_encrypted()
    {
        const string Marking = """{"$binary": {"base64": "AA==", "subType": "06"}}""";
        string[] requests =
        [
            $$$"""{"find": "coll", "filter": {"a": {{{Marking}}}}, "jsonSchema": {{{Schema}}}, "isRemoteSchema": false}""",
            $$$$"""{"find": "coll", "filter": {"a": {{{{Marking}}}}}, "csfleEncryptionSchemas": {"db.coll": {"jsonSchema": {}, "isRemoteSchema": false}, "db.other": {"jsonSchema": {{{{Schema}}}}, "isRemoteSchema": false}}}""",
        ];

        foreach (var request in requests)
        {
            Assert.Equal(CsfleErrorCode.WouldLeakPlaintext, Assert.Throws<QueryAnalysisException>(() => Answer(request)).Code);
        }
    }

    [Fact]
    public void Bytes_that_are_not_bson_below_the_first_level_are_refused()
    {
        var request = ExtendedJson.ToBson("""{"find": "coll", "filter": {"a": "x"}, "jsonSchema": {}, "isRemoteSchema": true}""");
        request[request.AsSpan().IndexOf("x\0"u8)] = 0xFF;

        Assert.Throws<BsonFormatException>(() => MarkingReply.For("db", request));
    }

    [Theory]
    [InlineData("find", true)]
    [InlineData("bulkWrite", true)]
    [InlineData("explain", true)]
    [InlineData("getMore", false)]
    [InlineData("renameCollection", false)]
    [InlineData("mapReduce", false)]
    public void It_is_asked_about_the_commands_that_libmongocrypt_asks_about(string command, bool answers)
        => Assert.Equal(answers, MarkingReply.Answers(command));

    private static byte[] Answer(string request) => MarkingReply.For("db", ExtendedJson.ToBson(request));

    private static string Json(byte[] document) => ExtendedJson.ToJson(document);
}
