using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>The runner itself: what does not hold fails, and what it cannot do is skipped with a reason.</summary>
public sealed class SpecRunTests
{
    private const string Insert = """{"name": "insertOne", "object": "coll", "arguments": {"document": {"_id": 1, "secret": "x"}}}""";

    // A document with a string in place of an encrypted value is refused by the collection's validator.
    private const string PlainInsert = """{"name": "insertOne", "object": "plain", "arguments": {"document": {"_id": 2, "secret": "x"}}""";

    [Fact]
    public Task A_test_whose_expectations_hold_passes() => Run("""
        "operations": [INSERT,
            {"name": "find", "object": "coll", "arguments": {"filter": {"secret": "x"}}, "expectResult": [{"_id": 1, "secret": "x"}]},
            {"name": "find", "object": "plain", "arguments": {"filter": {}}, "expectResult": [{"_id": 1, "secret": {"$$type": "binData"}}]},
            PLAIN, "expectError": {"isClientError": false, "errorCode": 121}},
            {"name": "updateOne", "object": "coll", "arguments": {"filter": {}, "update": {"secret": "y"}}, "expectError": {"isClientError": true}}],
        "expectEvents": [{"client": "client", "events": [
            {"commandStartedEvent": {"commandName": "listCollections"}}, {"commandStartedEvent": {"commandName": "find", "databaseName": "keyvault"}},
            {"commandStartedEvent": {"command": {"insert": "coll", "documents": [{"_id": 1, "secret": {"$$type": "binData"}}]}}},
            {"commandStartedEvent": {"command": {"find": "coll", "filter": {"secret": {"$eq": {"$$type": "binData"}}}}}}]}]
        """.Replace("INSERT", Insert, StringComparison.Ordinal).Replace("PLAIN", PlainInsert, StringComparison.Ordinal));

    [Theory]
    [InlineData("", """ "expectEvents": [{"client": "client", "events": []}]""", "expected 0 events")]
    [InlineData("", """ "expectEvents": [{"client": "client", "events": [{"commandStartedEvent": {"commandName": "find"}}]}]""", "expected \"find\", found \"listCollections\"")]
    [InlineData("", """ "outcome": [{"databaseName": "db", "collectionName": "coll", "documents": []}]""", "outcome of db.coll")]
    [InlineData("", """ "outcome": [{"databaseName": "db", "collectionName": "coll", "documents": [{"_id": 1, "secret": "x"}]}]""", "outcome of db.coll")]
    [InlineData(""", {"name": "find", "object": "coll", "arguments": {"filter": {}}, "expectResult": []}""", "", "coll.find: expected []")]
    [InlineData(""", {"name": "find", "object": "coll", "arguments": {"filter": {}}, "expectError": {"isError": true}}""", "", "was to fail")]
    [InlineData(""", {"name": "find", "object": "coll", "arguments": {"filter": {"secret": {"$gt": "x"}}}}""", "", "coll.find failed: QueryAnalysisException")]
    [InlineData(""", {"name": "find", "object": "coll", "arguments": {"filter": {"secret": {"$gt": "x"}}}, "expectError": {"errorContains": "another text"}}""", "", "does not meet errorContains")]
    [InlineData(""", {"name": "find", "object": "coll", "arguments": {"filter": {"secret": {"$gt": "x"}}}, "expectError": {"isClientError": false}}""", "", "does not meet isClientError")]
    [InlineData(""", {"name": "find", "object": "coll", "arguments": {"filter": {"secret": {"$gt": "x"}}}, "expectError": {"isTimeoutError": true}}""", "", "does not meet isTimeoutError")]
    [InlineData(""", {"name": "find", "object": "coll", "arguments": {"filter": {}, "frobnicate": 1}}""", "", "has no argument 'frobnicate'")]
    [InlineData(""", {"name": "assertCollectionExists", "object": "testRunner", "arguments": {"databaseName": "db", "collectionName": "none"}}""", "", "assertCollectionExists: none")]
    public async Task What_does_not_hold_fails(string operation, string expectation, string message)
    {
        var failure = await Assert.ThrowsAsync<SpecFailure>(() => Run($"\"operations\": [{Insert}{operation}]{(expectation.Length > 0 ? "," : "")}{expectation}"));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", """ "skipReason": "SERVER-1" """, "the file says: SERVER-1")]
    [InlineData(""" "runOnRequirements": [{"minServerVersion": "8.0"}],""", "", "needs minServerVersion \"8.0\"")]
    [InlineData(""" "runOnRequirements": [{"topologies": ["sharded"]}, {"maxServerVersion": "6.99"}],""", "", "; or needs maxServerVersion")]
    [InlineData(""" "runOnRequirements": [{"csfle": false}],""", "", "needs csfle false")]
    [InlineData("", """ "expectLogMessages": []""", "does not check 'expectLogMessages'")]
    [InlineData(""" "x": "encryptedFields",""", "", "Queryable Encryption")]
    public void What_cannot_run_is_skipped_with_the_reason(string file, string test, string reason)
        => Assert.Contains(reason, SpecSkips.Reason(Test($"\"operations\": []{(test.Length > 0 ? "," : "")}{test}", file)), StringComparison.Ordinal);

    [Theory]
    [InlineData("createChangeStream", "has no operation 'createChangeStream' on a collection")]
    [InlineData("insertOne", null)]
    public void An_operation_that_the_runner_does_not_have_is_a_reason(string operation, string? reason)
    {
        var actual = SpecSkips.Reason(Test($$""" "operations": [{"name": "{{operation}}", "object": "coll"}]"""));
        if (reason is null) Assert.Null(actual);
        else Assert.Contains(reason, actual, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""" "runOnRequirements": [{"minServerVersion": "4.1.10", "csfle": {"minLibmongocryptVersion": "1.15.1"}}],""")]
    [InlineData(""" "runOnRequirements": [{"minServerVersion": "8.0"}, {"topologies": ["replicaset", "single"], "csfle": true}],""")]
    public void Requirements_that_are_met_are_no_reason(string file)
        => Assert.Null(SpecSkips.Reason(Test("\"operations\": []", file)));

    private static Task Run(string body) => SpecRun.RunAsync(Test(body));

    private static SpecTest Test(string body, string file = "")
    {
        var content = Document.Parse(ExtendedJson.ToBson("""
            {"description": "file", "schemaVersion": "1.0", FILE
             "createEntities": [
                {"client": {"id": "client", "observeEvents": ["commandStartedEvent"], "autoEncryptOpts": {
                    "keyVaultNamespace": "keyvault.datakeys", "kmsProviders": {"local": {"key": {"$$placeholder": 1}}}}}},
                {"database": {"id": "db", "client": "client", "databaseName": "db"}},
                {"collection": {"id": "coll", "database": "db", "collectionName": "coll"}},
                {"client": {"id": "plainClient"}},
                {"database": {"id": "plainDb", "client": "plainClient", "databaseName": "db"}},
                {"collection": {"id": "plain", "database": "plainDb", "collectionName": "coll"}}],
             "initialData": [
                {"databaseName": "db", "collectionName": "coll", "documents": [], "createOptions": {"validator": {"$jsonSchema": {
                    "bsonType": "object", "properties": {"secret": {"encrypt": {"keyId": [{"$uuid": "KEYID"}], "bsonType": "string",
                        "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}}}},
                {"databaseName": "keyvault", "collectionName": "datakeys", "documents": [KEY]}],
             "tests": [{"description": "test", BODY}]}
            """
            .Replace("FILE", file, StringComparison.Ordinal).Replace("BODY", body, StringComparison.Ordinal)
            .Replace("KEYID", KeyId, StringComparison.Ordinal).Replace("KEY", Key.Value, StringComparison.Ordinal)));
        return new SpecTest("file", "test", content, content.Items("tests").Single());
    }

    private const string KeyId = "11111111-2222-4333-8444-555555555555";

    private static readonly Lazy<string> Key = new(() =>
    {
        using var service = new LocalKeyManagementService(LocalMasterKey.FromBase64(OfficialKeys.LocalMasterKeyBase64));
        var wrapped = service.Wrap(ExtendedJson.ToBson("""{"provider": "local"}"""), new byte[96]);
        return $$$"""
            {"_id": {"$uuid": "{{{KeyId}}}"}, "keyMaterial": {"$binary": {"base64": "{{{Convert.ToBase64String(wrapped)}}}", "subType": "00"}},
             "creationDate": {"$date": "2020-01-01T00:00:00Z"}, "updateDate": {"$date": "2020-01-01T00:00:00Z"}, "status": 0, "masterKey": {"provider": "local"}}
            """;
    });
}
