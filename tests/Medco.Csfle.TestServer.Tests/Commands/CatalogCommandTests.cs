namespace Medco.Csfle.TestServer.Tests.Commands;

/// <summary><c>collMod</c>, <c>renameCollection</c>, <c>listDatabases</c> and <c>dropDatabase</c>.</summary>
public sealed class CatalogCommandTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void A_validator_is_given_changed_and_taken_away()
    {
        _server.RunOk("{'create': 'c'}");
        _server.RunOk("{'collMod': 'c', 'validator': {'a': 1}}");
        Assert.Equal("{'validator': {'a': 1}, 'validationLevel': 'strict', 'validationAction': 'error'}", Options());
        Assert.False(IsInserted("{'a': 2}"));
        _server.RunOk("{'collMod': 'c', 'validationAction': 'warn'}");
        Assert.Equal("{'validator': {'a': 1}, 'validationLevel': 'strict', 'validationAction': 'warn'}", Options());
        Assert.True(IsInserted("{'a': 2}"));
        _server.RunOk("{'collMod': 'c', 'validationLevel': 'moderate', 'validationAction': 'error'}");
        Assert.False(IsInserted("{'a': 2}"));
        _server.RunOk("{'collMod': 'c', 'validator': {}}");
        Assert.True(IsInserted("{'a': 2}"));
        _server.RunError(26, "{'collMod': 'none', 'validator': {}}");
        _server.RunError(9, "{'collMod': 'c', 'validator': {'$jsonSchema': {'foo': 1}}}");
        _server.RunError(238, "{'collMod': 'c', 'index': {'name': 'x', 'hidden': true}}");
    }

    [Fact]
    public void A_renamed_collection_takes_documents_and_indexes_along()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}]}");
        _server.RunOk("{'createIndexes': 'c', 'indexes': [{'key': {'a': 1}, 'name': 'a', 'unique': true}]}");
        _server.RunOk("{'renameCollection': 'test.c', 'to': 'other.d'}", "admin");
        Assert.Empty(_server.RunOk("{'find': 'c'}").Batch());
        Assert.Equal(["{'_id': 1, 'a': 1}"], _server.RunOk("{'find': 'd'}", "other").Batch());
        Assert.Contains("collection: other.d index: a", Bson.Json(_server.RunOk("{'insert': 'd', 'documents': [{'a': 1}]}", "other")), StringComparison.Ordinal);

        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 2}]}");
        _server.RunError(48, "{'renameCollection': 'test.c', 'to': 'other.d'}", "admin");
        _server.RunOk("{'renameCollection': 'test.c', 'to': 'other.d', 'dropTarget': true}", "admin");
        Assert.Equal(["{'_id': 2}"], _server.RunOk("{'find': 'd'}", "other").Batch());
    }

    [Theory]
    [InlineData(26, "'renameCollection': 'test.none', 'to': 'test.d'", "admin")]
    [InlineData(20, "'renameCollection': 'test.c', 'to': 'test.c'", "admin")]
    [InlineData(73, "'renameCollection': 'test', 'to': 'test.c'", "admin")]
    [InlineData(73, "'renameCollection': 'test.c', 'to': 'test.system.x'", "admin")]
    [InlineData(13, "'renameCollection': 'test.c', 'to': 'test.d'", "test")]
    [InlineData(13297, "'renameCollection': 'test.c', 'to': 'TEST.c'", "admin")]
    public void A_name_that_cannot_be_given_is_an_error(int code, string command, string database)
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}]}");
        _server.RunError(code, $"{{{command}}}", database);
        Assert.Single(_server.RunOk("{'find': 'c'}").Batch());
    }

    [Fact]
    public void Databases_are_listed_and_dropped()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}]}", "b");
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}]}", "a");
        Assert.Equal("{'databases': [{'name': 'a'}, {'name': 'b'}], 'ok': 1.0}", Bson.Json(_server.RunOk("{'listDatabases': 1, 'nameOnly': true}", "admin")));
        Assert.Equal(
            "{'databases': [{'name': 'b', 'sizeOnDisk': 14, 'empty': false}], 'totalSize': 14, 'totalSizeMb': 0, 'ok': 1.0}",
            Bson.Json(_server.RunOk("{'listDatabases': 1, 'filter': {'name': 'b'}}", "admin")));
        _server.RunError(13, "{'listDatabases': 1}");

        var cursor = _server.RunOk("{'find': 'c', 'batchSize': 0}", "b").CursorId();
        Assert.Equal("{'dropped': 'b', 'ok': 1.0}", Bson.Json(_server.RunOk("{'dropDatabase': 1}", "b")));
        Assert.Equal("{'ok': 1.0}", Bson.Json(_server.RunOk("{'dropDatabase': 1}", "b")));
        _server.RunError(175, $"{{'getMore': {{'$numberLong': '{cursor}'}}, 'collection': 'c'}}", "b");
        Assert.Equal("{'databases': [{'name': 'a'}], 'ok': 1.0}", Bson.Json(_server.RunOk("{'listDatabases': 1, 'nameOnly': true}", "admin")));
    }

    private string Options() => Bson.Json(Bson.Document(_server.RunOk("{'listCollections': 1}").Batch()[0]).Find("options")!.Document);

    private bool IsInserted(string document) => ServerCalls.Int(_server.RunOk($"{{'insert': 'c', 'documents': [{document}]}}").Find("n")!) == 1;
}
