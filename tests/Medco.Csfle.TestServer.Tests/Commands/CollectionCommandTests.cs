namespace Medco.Csfle.TestServer.Tests.Commands;

/// <summary><c>create</c>, <c>drop</c> and <c>listCollections</c>.</summary>
public sealed class CollectionCommandTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void A_collection_is_listed_as_MongoDB_lists_it()
    {
        _server.RunOk("{'create': 'c', 'validator': {'a': {'$gt': 1}}}");
        var listed = Assert.Single(_server.RunOk("{'listCollections': 1}").Batch());
        var uuid = Bson.Document(listed).Find("info")!.Document.Find("uuid")!;
        Assert.Equal((4, 16), (uuid.BinarySubtype, uuid.Binary.Length));
        Assert.StartsWith("{'name': 'c', 'type': 'collection', 'options': {'validator': {'a': {'$gt': 1}}, 'validationLevel': 'strict', 'validationAction': 'error'}, 'info': {'readOnly': false, 'uuid': ", listed, StringComparison.Ordinal);
        Assert.EndsWith("'idIndex': {'v': 2, 'key': {'_id': 1}, 'name': '_id_'}}", listed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{'listCollections': 1, 'nameOnly': true}", "a,b,c")]
    [InlineData("{'listCollections': 1, 'nameOnly': true, 'filter': {'name': 'b'}}", "b")]
    [InlineData("{'listCollections': 1, 'nameOnly': true, 'filter': {'name': {'$in': ['a', 'c', 'x']}}}", "a,c")]
    [InlineData("{'listCollections': 1, 'nameOnly': true, 'filter': {'name': 'B'}}", "")]
    [InlineData("{'listCollections': 1, 'nameOnly': true, 'authorizedCollections': true, 'filter': {'type': 'view'}}", "")]
    public void Collections_are_listed_by_filter(string command, string names)
    {
        foreach (var name in "bca") _server.RunOk($"{{'create': '{name}'}}");
        var expected = names.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(name => $"{{'name': '{name}', 'type': 'collection'}}");
        Assert.Equal(expected, _server.RunOk(command).Batch());
    }

    [Fact]
    public void The_list_is_a_cursor()
    {
        foreach (var name in "abc") _server.RunOk($"{{'create': '{name}'}}");
        var first = _server.RunOk("{'listCollections': 1, 'nameOnly': true, 'cursor': {'batchSize': 2}}");
        Assert.Equal(2, first.Batch().Length);
        Assert.Equal("test.$cmd.listCollections", first.Find("cursor")!.Document.Find("ns")!.Text);

        var second = _server.RunOk($"{{'getMore': {{'$numberLong': '{first.CursorId()}'}}, 'collection': '$cmd.listCollections'}}");
        Assert.Single(second.Batch());
        Assert.Equal(0, second.CursorId());
    }

    [Fact]
    public void A_collection_belongs_to_one_database()
    {
        _server.RunOk("{'create': 'c'}", "one");
        Assert.Empty(_server.RunOk("{'listCollections': 1}", "two").Batch());
    }

    [Fact]
    public void Names_are_case_sensitive_but_databases_may_not_differ_in_case_alone()
    {
        _server.RunOk("{'create': 'c'}", "db");
        _server.RunOk("{'create': 'C'}", "db");
        _server.RunError(13297, "{'create': 'c'}", "DB");
        _server.RunError(13297, "{'insert': 'c', 'documents': [{}]}", "dB");
        Assert.Equal(2, _server.RunOk("{'listCollections': 1}", "db").Batch().Length);
    }

    [Fact]
    public void Creating_the_same_again_is_fine_and_something_else_is_an_error()
    {
        _server.RunOk("{'create': 'c', 'validator': {'a': 1}}");
        _server.RunOk("{'create': 'c', 'validator': {'a': 1}}");
        _server.RunError(48, "{'create': 'c'}");
        _server.RunError(48, "{'create': 'c', 'validator': {'a': 2}}");
    }

    [Theory]
    [InlineData(238, "'viewOn': 'd', 'pipeline': []")]
    [InlineData(238, "'capped': true, 'size': 100")]
    [InlineData(238, "'timeseries': {'timeField': 't'}")]
    [InlineData(238, "'encryptedFields': {'fields': []}")]
    [InlineData(238, "'collation': {'locale': 'de'}")]
    [InlineData(2, "'validationLevel': 'sometimes'")]
    [InlineData(2, "'validationAction': 'pray'")]
    [InlineData(14, "'validator': 1")]
    [InlineData(2, "'validator': {'a': {'$foo': 1}}")]
    [InlineData(9, "'validator': {'$jsonSchema': {'foo': 1}}")]
    [InlineData(9, "'validator': {'$and': [{'$jsonSchema': {'foo': 1}}]}, 'validationLevel': 'off'")]
    public void What_cannot_be_created_is_an_error_and_creates_nothing(int code, string options)
    {
        _server.RunError(code, $"{{'create': 'c', {options}}}");
        Assert.Empty(_server.RunOk("{'listCollections': 1}").Batch());
    }

    [Theory]
    [InlineData("'system.users'")]
    [InlineData("'system'")]
    [InlineData("'a$b'")]
    [InlineData("'.a'")]
    [InlineData("'a.'")]
    [InlineData("''")]
    [InlineData("1")]
    public void A_collection_has_a_proper_name(string name)
    {
        _server.RunError(73, $"{{'create': {name}}}");
        _server.RunError(73, $"{{'drop': {name}}}");
        _server.RunError(73, $"{{'insert': {name}, 'documents': [{{}}]}}");
    }

    [Fact]
    public void A_namespace_has_at_most_255_bytes()
    {
        _server.RunOk($"{{'create': '{new string('c', 250)}'}}");
        _server.RunError(73, $"{{'create': '{new string('c', 251)}'}}");
    }

    [Fact]
    public void A_dropped_collection_is_gone_with_its_documents_and_cursors()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{}, {}]}");
        var cursor = _server.RunOk("{'find': 'c', 'batchSize': 1}").CursorId();

        Assert.Equal("{'nIndexesWas': 1, 'ns': 'test.c', 'ok': 1.0}", Bson.Json(_server.RunOk("{'drop': 'c'}")));
        Assert.Empty(_server.RunOk("{'find': 'c'}").Batch());
        Assert.Empty(_server.RunOk("{'listCollections': 1}").Batch());
        _server.RunError(175, $"{{'getMore': {{'$numberLong': '{cursor}'}}, 'collection': 'c'}}");
        Assert.Equal("{'ok': 1.0}", Bson.Json(_server.RunOk("{'drop': 'c'}")));
    }
}
