namespace Medco.Csfle.TestServer.Tests.Commands;

/// <summary>Inserts into collections with a validator.</summary>
public sealed class ValidatorTests : IDisposable
{
    private const string Ciphertext = "{'$binary': {'base64': 'AQIDBA==', 'subType': '06'}}";
    private const string Encrypted = "'validator': {'$jsonSchema': {'bsonType': 'object', 'properties': {'ssn': {'encrypt': {'bsonType': 'int'}}}}}";

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Plaintext_in_an_encrypted_field_is_refused_and_not_repeated()
    {
        _server.RunOk($"{{'create': 'c', {Encrypted}}}");
        var reply = _server.RunOk("{'insert': 'c', 'documents': [{'_id': 7, 'ssn': 123}]}");
        Assert.Equal(
            "{'n': 0, 'writeErrors': [{'index': 0, 'code': 121, 'errInfo': {'failingDocumentId': 7, 'details': {'operatorName': '$jsonSchema', "
            + "'schemaRulesNotSatisfied': [{'operatorName': 'properties', 'propertiesNotSatisfied': [{'propertyName': 'ssn', 'details': "
            + "[{'operatorName': 'encrypt', 'reason': 'value was not encrypted'}]}]}]}}, 'errmsg': 'Document failed validation'}], 'ok': 1.0}",
            Bson.Json(reply));
        Assert.Empty(_server.RunOk("{'find': 'c'}").Batch());
    }

    [Fact]
    public void Ciphertext_in_an_encrypted_field_is_stored()
    {
        _server.RunOk($"{{'create': 'c', {Encrypted}}}");
        Assert.Equal(1, Insert($"{{'ssn': {Ciphertext}}}"));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData(", 'validationLevel': 'strict', 'validationAction': 'error'", 0)]
    [InlineData(", 'validationLevel': 'moderate'", 0)]
    [InlineData(", 'validationLevel': 'off'", 1)]
    [InlineData(", 'validationAction': 'warn'", 1)]
    public void Level_and_action_decide_what_a_validator_does(string options, int inserted)
    {
        _server.RunOk($"{{'create': 'c', {Encrypted}{options}}}");
        Assert.Equal(inserted, Insert("{'ssn': 1}"));
    }

    [Fact]
    public void Validation_may_be_bypassed()
    {
        _server.RunOk($"{{'create': 'c', {Encrypted}}}");
        Assert.Equal(1, Insert("{'ssn': 1}", ", 'bypassDocumentValidation': true"));
    }

    [Theory]
    [InlineData("{'a': {'$gt': 1}}", "{'a': 2}", "{'a': 1}")]
    [InlineData("{'$or': [{'a': 1}, {'b': 1}]}", "{'b': 1}", "{'c': 1}")]
    [InlineData("{'$and': [{'$jsonSchema': {'required': ['a']}}, {'a': {'$lt': 5}}]}", "{'a': 4}", "{'b': 1}")]
    [InlineData("{'$jsonSchema': {'required': ['a']}, 'b': 1}", "{'a': 1, 'b': 1}", "{'a': 1}")]
    [InlineData("{'_id': {'$type': 'int'}}", "{'_id': 1}", "{}")]
    public void A_validator_is_any_filter(string validator, string accepted, string refused)
    {
        _server.RunOk($"{{'create': 'c', 'validator': {validator}}}");
        Assert.Equal(1, Insert(accepted));
        Assert.Equal(0, Insert(refused));
    }

    [Fact]
    public void Every_broken_rule_is_told()
    {
        _server.RunOk("{'create': 'c', 'validator': {'$jsonSchema': {'required': ['a', 'b'], 'additionalProperties': false, 'properties': {'_id': {}, 'a': {'bsonType': 'int'}}}}}");
        var reply = _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 'x', 'z': 1}]}");
        Assert.Contains(
            "[{'operatorName': 'required', 'specifiedAs': {'required': ['a', 'b']}, 'missingProperties': ['b']}, "
            + "{'operatorName': 'additionalProperties', 'specifiedAs': {'additionalProperties': false}, 'additionalProperties': ['z']}, "
            + "{'operatorName': 'properties', 'propertiesNotSatisfied': [{'propertyName': 'a', 'details': [{'operatorName': 'bsonType', "
            + "'specifiedAs': {'bsonType': 'int'}, 'reason': 'type did not match', 'consideredValue': 'x', 'consideredType': 'string'}]}]}]",
            Bson.Json(reply), StringComparison.Ordinal);
    }

    [Fact]
    public void An_ordered_batch_ends_at_the_document_that_fails()
    {
        _server.RunOk("{'create': 'c', 'validator': {'a': 1}}");
        var reply = _server.RunOk("{'insert': 'c', 'documents': [{'a': 1}, {'a': 2}, {'a': 1}]}");
        Assert.Equal(1, ServerCalls.Int(reply.Find("n")!));
        reply = _server.RunOk("{'insert': 'c', 'ordered': false, 'documents': [{'a': 1}, {'a': 2}, {'a': 1}]}");
        Assert.Equal(2, ServerCalls.Int(reply.Find("n")!));
    }

    private int Insert(string document, string options = "")
        => ServerCalls.Int(_server.RunOk($"{{'insert': 'c', 'documents': [{document}]{options}}}").Find("n")!);
}
