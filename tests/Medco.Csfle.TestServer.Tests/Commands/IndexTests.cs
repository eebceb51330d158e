namespace Medco.Csfle.TestServer.Tests.Commands;

/// <summary><c>createIndexes</c>, <c>listIndexes</c> and <c>dropIndexes</c>, and what a unique index does.</summary>
public sealed class IndexTests : IDisposable
{
    private const string UniqueNames = "{'key': {'keyAltNames': 1}, 'name': 'keyAltNames_1', 'unique': true, 'partialFilterExpression': {'keyAltNames': {'$exists': true}}}";

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void An_index_is_created_once_and_listed()
    {
        Assert.Equal("{'numIndexesBefore': 1, 'numIndexesAfter': 2, 'createdCollectionAutomatically': true, 'ok': 1.0}", Bson.Json(Create(UniqueNames)));
        Assert.Equal("{'numIndexesBefore': 2, 'numIndexesAfter': 2, 'note': 'all indexes already exist', 'ok': 1.0}", Bson.Json(Create(UniqueNames)));
        Assert.Equal(
            [
                "{'v': 2, 'key': {'_id': 1}, 'name': '_id_'}",
                "{'v': 2, 'key': {'keyAltNames': 1}, 'name': 'keyAltNames_1', 'unique': true, 'partialFilterExpression': {'keyAltNames': {'$exists': true}}}",
            ],
            List());
    }

    [Fact]
    public void The_list_is_a_cursor()
    {
        Create("{'key': {'a': 1}, 'name': 'a'}, {'key': {'b': -1}, 'name': 'b', 'sparse': true}");
        var first = _server.RunOk("{'listIndexes': 'c', 'cursor': {'batchSize': 2}}");
        Assert.Equal(2, first.Batch().Length);
        var second = _server.RunOk($"{{'getMore': {{'$numberLong': '{first.CursorId()}'}}, 'collection': 'c'}}");
        Assert.Equal(["{'v': 2, 'key': {'b': -1}, 'name': 'b', 'sparse': true}"], second.Batch());
        _server.RunError(26, "{'listIndexes': 'none'}");
    }

    [Theory]
    [InlineData("{'a': 1}", "{'a': 1}", false)]
    [InlineData("{'a': 1}", "{'a': {'$numberDouble': '1.0'}}", false)]
    [InlineData("{'a': 1}", "{'a': '1'}", true)]
    [InlineData("{}", "{'a': null}", false)]
    [InlineData("{}", "{}", false)]
    [InlineData("{'a': [1, 2]}", "{'a': [3, 2]}", false)]
    [InlineData("{'a': [1, 2]}", "{'a': 2}", false)]
    [InlineData("{'a': [1, 2]}", "{'a': [3, 4]}", true)]
    [InlineData("{'a': [1, 2]}", "{'a': [[1, 2]]}", true)]
    [InlineData("{'a': [[1, 2]]}", "{'a': [[1, 2]]}", false)]
    [InlineData("{'a': []}", "{'a': null}", true)]
    [InlineData("{'a': []}", "{'a': []}", false)]
    [InlineData("{'a': {'b': 1}}", "{'a': {'b': 1}}", false)]
    public void A_unique_key_is_every_element_of_an_array(string first, string second, bool areBothStored)
    {
        Create("{'key': {'a': 1}, 'name': 'a_1', 'unique': true}");
        Assert.Equal(areBothStored ? 0 : 11000, StoreBoth(first, second));
    }

    [Theory]
    [InlineData("{'a.b': 1}", "{'a': [{'b': 1}, {'b': 2}]}", "{'a': {'b': 2}}", 11000)]
    [InlineData("{'a.b': 1}", "{'a': [{'b': 1}, {}]}", "{}", 11000)]
    [InlineData("{'a.b': 1}", "{'a': [{'b': [1, 2]}]}", "{'a': [{'b': 2}]}", 11000)]
    [InlineData("{'a.b': 1}", "{'a': []}", "{'a': 5}", 11000)]
    [InlineData("{'a.0': 1}", "{'a': [7, 8]}", "{'a': [7, 9]}", 11000)]
    [InlineData("{'a.0': 1}", "{'a': [7, 8]}", "{'a': [8, 7]}", 0)]
    [InlineData("{'a': 1, 'b': 1}", "{'a': 1, 'b': 1}", "{'a': 1, 'b': 2}", 0)]
    [InlineData("{'a': 1, 'b': 1}", "{'a': 1, 'b': [1, 2]}", "{'a': 1, 'b': 2}", 11000)]
    [InlineData("{'a.b': 1, 'a.c': 1}", "{'a': [{'b': 1, 'c': 1}, {'b': 2, 'c': 2}]}", "{'a': {'b': 1, 'c': 2}}", 0)]
    [InlineData("{'a.b': 1, 'a.c': 1}", "{'a': [{'b': 1, 'c': 1}, {'b': 2, 'c': 2}]}", "{'a': {'b': 2, 'c': 2}}", 11000)]
    [InlineData("{'a': 1, 'b': 1}", "{}", "{'a': [1], 'b': [1]}", 171)]
    public void Paths_lead_through_arrays(string key, string first, string second, int code)
    {
        Create($"{{'key': {key}, 'name': 'x', 'unique': true}}");
        Assert.Equal(code, StoreBoth(first, second));
    }

    [Theory]
    [InlineData("'sparse': true", "{}", "{}", 0)]
    [InlineData("'sparse': true", "{'a': null}", "{'a': null}", 11000)]
    [InlineData("'partialFilterExpression': {'b': {'$gt': 5}}", "{'a': 1, 'b': 6}", "{'a': 1, 'b': 5}", 0)]
    [InlineData("'partialFilterExpression': {'b': {'$gt': 5}}", "{'a': 1, 'b': 6}", "{'a': 1, 'b': 7}", 11000)]
    public void A_sparse_or_partial_index_leaves_documents_out(string options, string first, string second, int code)
    {
        Create($"{{'key': {{'a': 1}}, 'name': 'a_1', 'unique': true, {options}}}");
        Assert.Equal(code, StoreBoth(first, second));
    }

    [Fact]
    public void A_duplicate_is_told_as_MongoDB_tells_it()
    {
        Create(UniqueNames);
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'keyAltNames': ['x', 'y']}]}");
        Assert.Equal(
            "{'n': 0, 'writeErrors': [{'index': 0, 'code': 11000, 'keyPattern': {'keyAltNames': 1}, 'keyValue': {'keyAltNames': 'y'}, "
            + "'errmsg': 'E11000 duplicate key error collection: test.c index: keyAltNames_1 dup key: { keyAltNames: \"y\" }'}], 'ok': 1.0}".Replace('"', '\''),
            Bson.Json(_server.RunOk("{'insert': 'c', 'documents': [{'_id': 2, 'keyAltNames': ['z', 'y']}]}")).Replace("\\'", "'", StringComparison.Ordinal));
    }

    [Fact]
    public void An_update_may_neither_take_a_key_nor_keep_an_old_one()
    {
        Create(UniqueNames);
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'keyAltNames': ['x']}, {'_id': 2}]}");
        const string TakeX = "{'update': 'c', 'updates': [{'q': {'_id': 2}, 'u': {'$addToSet': {'keyAltNames': 'x'}}}]}";
        Assert.Equal(11000, FirstError(_server.RunOk(TakeX)));
        Assert.Equal(["{'_id': 1, 'keyAltNames': ['x']}", "{'_id': 2}"], _server.RunOk("{'find': 'c'}").Batch());

        _server.RunOk("{'update': 'c', 'updates': [{'q': {'_id': 1}, 'u': {'$set': {'keyAltNames': ['y']}}}]}");
        Assert.Equal(0, FirstError(_server.RunOk(TakeX)));
        _server.RunOk("{'delete': 'c', 'deletes': [{'q': {'_id': 2}, 'limit': 1}]}");
        Assert.Equal(0, FirstError(_server.RunOk("{'insert': 'c', 'documents': [{'_id': 3, 'keyAltNames': ['x']}]}")));
    }

    [Fact]
    public void Duplicates_that_are_there_refuse_the_index_and_all_that_come_with_it()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'a': 1}, {'a': 1}]}");
        Assert.Contains("dup key", CreateError(11000, "{'key': {'b': 1}, 'name': 'b'}, {'key': {'a': 1}, 'name': 'a', 'unique': true}"), StringComparison.Ordinal);
        Assert.Single(List());
    }

    [Theory]
    [InlineData(85, "{'key': {'a': 1}, 'name': 'other', 'unique': true}")]
    [InlineData(86, "{'key': {'b': 1}, 'name': 'a_1', 'unique': true}")]
    [InlineData(86, "{'key': {'a': 1}, 'name': 'a_1'}")]
    [InlineData(86, "{'key': {'a': 1}, 'name': 'a_1', 'unique': true, 'sparse': true}")]
    public void An_index_that_contradicts_another_is_an_error(int code, string index)
    {
        Create("{'key': {'a': 1}, 'name': 'a_1', 'unique': true}");
        CreateError(code, index);
    }

    [Theory]
    [InlineData(9, "{'name': 'a'}")]
    [InlineData(9, "{'key': {'a': 1}}")]
    [InlineData(67, "{'key': {}, 'name': 'a'}")]
    [InlineData(67, "{'key': {'a': 0}, 'name': 'a'}")]
    [InlineData(67, "{'key': {'a..b': 1}, 'name': 'a'}")]
    [InlineData(67, "{'key': {'a': 1}, 'name': '_id_'}")]
    [InlineData(67, "{'key': {'_id': 1}, 'name': 'x', 'sparse': true}")]
    [InlineData(67, "{'key': {'a': 1}, 'name': 'a', 'sparse': true, 'partialFilterExpression': {'a': 1}}")]
    [InlineData(67, "{'key': {'a': 1}, 'name': 'a', 'partialFilterExpression': {'a': {'$ne': 1}}}")]
    [InlineData(67, "{'key': {'a': 1}, 'name': 'a', 'partialFilterExpression': {'$nor': [{'a': 1}]}}")]
    [InlineData(67, "{'key': {'a': 1}, 'name': 'a', 'partialFilterExpression': {'a': {'$exists': false}}}")]
    [InlineData(197, "{'key': {'a': 1}, 'name': 'a', 'uniqe': true}")]
    [InlineData(238, "{'key': {'a': 'text'}, 'name': 'a'}")]
    [InlineData(238, "{'key': {'$**': 1}, 'name': 'a'}")]
    [InlineData(238, "{'key': {'a': 1}, 'name': 'a', 'expireAfterSeconds': 5}")]
    [InlineData(238, "{'key': {'a': 1}, 'name': 'a', 'collation': {'locale': 'de'}}")]
    [InlineData(14, "{'key': 1, 'name': 'a'}")]
    [InlineData(14, "{'key': {'a': 1}, 'name': 'a', 'unique': 'yes'}")]
    public void What_is_no_index_is_an_error_and_creates_nothing(int code, string index)
    {
        CreateError(code, index);
        Assert.Empty(_server.RunOk("{'listCollections': 1}").Batch());
    }

    [Theory]
    [InlineData("'a'", "_id_,b,e")]
    [InlineData("{'a': 1}", "_id_,b,e")]
    [InlineData("['a', 'e']", "_id_,b")]
    [InlineData("'*'", "_id_")]
    public void Indexes_are_dropped(string which, string left)
    {
        Create("{'key': {'a': 1}, 'name': 'a'}, {'key': {'b': 1}, 'name': 'b'}, {'key': {'e': 1}, 'name': 'e'}");
        Assert.Equal("{'nIndexesWas': 4, 'ok': 1.0}", Bson.Json(_server.RunOk($"{{'dropIndexes': 'c', 'index': {which}}}")));
        Assert.Equal(left, string.Join(',', List().Select(index => Bson.Document(index).Find("name")!.Text)));
    }

    [Theory]
    [InlineData(27, "'z'")]
    [InlineData(27, "['a', 'z']")]
    [InlineData(72, "'_id_'")]
    [InlineData(14, "1")]
    public void An_index_that_cannot_be_dropped_is_an_error(int code, string which)
    {
        Create("{'key': {'a': 1}, 'name': 'a'}");
        _server.RunError(code, $"{{'dropIndexes': 'c', 'index': {which}}}");
        Assert.Equal(2, List().Length);
    }

    [Theory]
    [InlineData("'a_1'", 0)]
    [InlineData("{'a': 1}", 0)]
    [InlineData("{'a': -1}", 2)]
    [InlineData("'s_1'", 238)]
    public void A_hint_names_an_index_that_has_all_documents(string hint, int code)
    {
        Create("{'key': {'a': 1}, 'name': 'a_1'}, {'key': {'s': 1}, 'name': 's_1', 'sparse': true}");
        var reply = _server.Run($"{{'find': 'c', 'hint': {hint}}}");
        Assert.Equal(code, reply.Find("code") is { } found ? ServerCalls.Int(found) : 0);
    }

    private TestServer.Values.Document Create(string indexes) => _server.RunOk($"{{'createIndexes': 'c', 'indexes': [{indexes}]}}");

    private string CreateError(int code, string indexes) => _server.RunError(code, $"{{'createIndexes': 'c', 'indexes': [{indexes}]}}");

    private string[] List() => _server.RunOk("{'listIndexes': 'c'}").Batch();

    private int StoreBoth(string first, string second)
    {
        Assert.Equal(0, FirstError(_server.RunOk($"{{'insert': 'c', 'documents': [{first}]}}")));
        return FirstError(_server.RunOk($"{{'insert': 'c', 'documents': [{second}]}}"));
    }

    private static int FirstError(TestServer.Values.Document reply)
        => reply.Find("writeErrors") is { } errors ? ServerCalls.Int(errors.Document[0].Value.Document.Find("code")!) : 0;
}
