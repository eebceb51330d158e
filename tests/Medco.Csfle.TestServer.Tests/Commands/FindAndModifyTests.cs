namespace Medco.Csfle.TestServer.Tests.Commands;

public sealed class FindAndModifyTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public FindAndModifyTests() => _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}, {'_id': 2, 'a': 1}, {'_id': 3, 'a': 2}]}");

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData("'query': {'a': 1}, 'update': {'$inc': {'a': 5}}", "{'n': 1, 'updatedExisting': true}", "{'_id': 1, 'a': 1}")]
    [InlineData("'query': {'a': 1}, 'update': {'$inc': {'a': 5}}, 'new': true", "{'n': 1, 'updatedExisting': true}", "{'_id': 1, 'a': 6}")]
    [InlineData("'query': {'a': 1}, 'update': {'$inc': {'a': 5}}, 'new': true, 'sort': {'_id': -1}", "{'n': 1, 'updatedExisting': true}", "{'_id': 2, 'a': 6}")]
    [InlineData("'query': {'a': 1}, 'update': {'b': 5}, 'new': true, 'fields': {'b': 1, '_id': 0}", "{'n': 1, 'updatedExisting': true}", "{'b': 5}")]
    [InlineData("'query': {'a': 9}, 'update': {'b': 5}", "{'n': 0, 'updatedExisting': false}", "null")]
    [InlineData("'query': {'_id': 9}, 'update': {'$set': {'a': 9}}, 'upsert': true", "{'n': 1, 'updatedExisting': false, 'upserted': 9}", "null")]
    [InlineData("'query': {'_id': 9}, 'update': {'$set': {'a': 9}}, 'upsert': true, 'new': true", "{'n': 1, 'updatedExisting': false, 'upserted': 9}", "{'_id': 9, 'a': 9}")]
    [InlineData("'query': {'a': 2}, 'remove': true", "{'n': 1}", "{'_id': 3, 'a': 2}")]
    [InlineData("'query': {'a': 9}, 'remove': true", "{'n': 0}", "null")]
    public void The_document_comes_back_as_it_was_or_became(string options, string outcome, string value)
    {
        var reply = _server.RunOk($"{{'findAndModify': 'c', {options}}}");
        Assert.Equal($"{{'lastErrorObject': {outcome}, 'value': {value}, 'ok': 1.0}}", Bson.Json(reply));
    }

    [Fact]
    public void What_comes_back_is_what_is_stored()
    {
        _server.RunOk("{'findAndModify': 'c', 'query': {'_id': 1}, 'update': {'a': [1, 2]}}");
        _server.RunOk("{'findAndModify': 'c', 'query': {'_id': 1}, 'update': {'$set': {'a.$[e]': 9}}, 'arrayFilters': [{'e': 2}]}");
        _server.RunOk("{'findAndModify': 'c', 'query': {'_id': 2}, 'remove': true}");
        Assert.Equal(["{'_id': 1, 'a': [1, 9]}", "{'_id': 3, 'a': 2}"], _server.RunOk("{'find': 'c'}").Batch());
    }

    [Theory]
    [InlineData(9, "'query': {}")]
    [InlineData(9, "'remove': true, 'update': {}")]
    [InlineData(9, "'remove': true, 'new': true")]
    [InlineData(9, "'remove': true, 'upsert': true")]
    [InlineData(66, "'update': {'$set': {'_id': 5}}")]
    [InlineData(11000, "'query': {'_id': 8}, 'update': {'$set': {'u': 1}}, 'upsert': true")]
    [InlineData(121, "'query': {'_id': 1}, 'update': {'$set': {'a': 'x'}}")]
    [InlineData(2, "'query': {'a': {'$foo': 1}}, 'remove': true")]
    public void What_cannot_be_is_an_error_and_changes_nothing(int code, string options)
    {
        _server.RunOk("{'createIndexes': 'c', 'indexes': [{'key': {'u': 1}, 'name': 'u', 'unique': true, 'sparse': true}]}");
        _server.RunOk("{'update': 'c', 'updates': [{'q': {'_id': 3}, 'u': {'$set': {'u': 1}}}]}");
        _server.RunOk("{'collMod': 'c', 'validator': {'a': {'$not': {'$type': 'string'}}}}");
        var before = _server.RunOk("{'find': 'c'}").Batch();
        _server.RunError(code, $"{{'findAndModify': 'c', {options}}}");
        Assert.Equal(before, _server.RunOk("{'find': 'c'}").Batch());
    }
}
