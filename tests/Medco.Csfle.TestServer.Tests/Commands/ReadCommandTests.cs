namespace Medco.Csfle.TestServer.Tests.Commands;

/// <summary><c>count</c>, <c>distinct</c> and <c>aggregate</c>.</summary>
public sealed class ReadCommandTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public ReadCommandTests()
        => _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1, 'b': [1, 2], 'o': {'p': 'x'}}, {'_id': 2, 'a': 1, 'b': [2, 3]}, {'_id': 3, 'a': 2, 'o': [{'p': 'x'}, {'p': 'y'}]}]}");

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData("", 3)]
    [InlineData(", 'query': {'a': 1}", 2)]
    [InlineData(", 'query': {'a': 1}, 'limit': 1", 1)]
    [InlineData(", 'limit': -2", 2)]
    [InlineData(", 'limit': 0", 3)]
    [InlineData(", 'skip': 2", 1)]
    [InlineData(", 'skip': 9", 0)]
    [InlineData(", 'hint': '_id_', 'collation': {'locale': 'simple'}", 3)]
    public void Documents_are_counted(string options, int count)
        => Assert.Equal($"{{'n': {count}, 'ok': 1.0}}", Bson.Json(_server.RunOk($"{{'count': 'c'{options}}}")));

    [Theory]
    [InlineData("'key': 'a'", "[1, 2]")]
    [InlineData("'key': 'b'", "[1, 2, 3]")]
    [InlineData("'key': 'o.p'", "['x', 'y']")]
    [InlineData("'key': 'b.0'", "[1, 2]")]
    [InlineData("'key': 'none'", "[]")]
    [InlineData("'key': 'b', 'query': {'_id': 1}", "[1, 2]")]
    public void Different_values_are_found(string options, string values)
        => Assert.Equal($"{{'values': {values}, 'ok': 1.0}}", Bson.Json(_server.RunOk($"{{'distinct': 'c', {options}}}")));

    [Fact]
    public void Where_there_is_no_collection_there_is_nothing()
    {
        Assert.Equal("{'n': 0, 'ok': 1.0}", Bson.Json(_server.RunOk("{'count': 'none'}")));
        Assert.Equal("{'values': [], 'ok': 1.0}", Bson.Json(_server.RunOk("{'distinct': 'none', 'key': 'a'}")));
        Assert.Empty(_server.RunOk("{'aggregate': 'none', 'pipeline': [{'$match': {}}], 'cursor': {}}").Batch());
        Assert.Empty(_server.RunOk("{'listCollections': 1, 'filter': {'name': 'none'}}").Batch());
    }

    [Theory]
    [InlineData("{'$match': {}}", 3)]
    [InlineData("{'$match': {'a': 1}}", 2)]
    [InlineData("{'$match': {'_id': 3}}", 1)]
    [InlineData("{'$match': {}}, {'$skip': 1}, {'$limit': 1}", 1)]
    [InlineData("{'$match': {'a': 9}}", 0)]
    public void Drivers_count_with_a_pipeline(string stages, int count)
    {
        string[] expected = count == 0 ? [] : [$"{{'_id': 1, 'n': {count}}}"];
        Assert.Equal(expected, _server.RunOk($"{{'aggregate': 'c', 'pipeline': [{stages}, {{'$group': {{'_id': 1, 'n': {{'$sum': 1}}}}}}], 'cursor': {{}}}}").Batch());
    }

    [Fact]
    public void The_result_of_a_pipeline_is_a_cursor()
    {
        var first = _server.RunOk("{'aggregate': 'c', 'pipeline': [{'$project': {'_id': 1}}], 'cursor': {'batchSize': 2}, 'allowDiskUse': true}");
        Assert.Equal(2, first.Batch().Length);
        Assert.Equal(["{'_id': 3}"], _server.RunOk($"{{'getMore': {{'$numberLong': '{first.CursorId()}'}}, 'collection': 'c'}}").Batch());
    }

    [Theory]
    [InlineData("'localField': 'a', 'foreignField': '_id'", "1:10 2:10 3:20")]
    [InlineData("'localField': 'b', 'foreignField': '_id'", "1:10,20 2:20 3:30")]
    [InlineData("'localField': '_id', 'foreignField': 'tags'", "1:20 2:20 3:")]
    [InlineData("'localField': 'none', 'foreignField': 'tags'", "1:10,30 2:10,30 3:10,30")]
    public void A_lookup_joins_equal_values(string fields, string expected)
    {
        _server.RunOk("{'insert': 'd', 'documents': [{'_id': 1, 'v': 10}, {'_id': 2, 'v': 20, 'tags': [1, 2]}, {'_id': null, 'v': 30}]}");
        var found = _server.RunOk($"{{'aggregate': 'c', 'pipeline': [{{'$lookup': {{'from': 'd', {fields}, 'as': 'j'}}}}], 'cursor': {{}}}}").Batch();
        Assert.Equal(expected, string.Join(' ', found.Select(Bson.Document).Select(document =>
            $"{ServerCalls.Int(document.Find("_id")!)}:{string.Join(',', document.Find("j")!.Items.Select(item => ServerCalls.Int(item.Document.Find("v")!)))}")));
    }

    [Theory]
    [InlineData(9, "'aggregate': 'c', 'pipeline': []")]
    [InlineData(14, "'aggregate': 'c', 'pipeline': {}, 'cursor': {}")]
    [InlineData(40324, "'aggregate': 'c', 'pipeline': [{'$foo': 1}], 'cursor': {}")]
    [InlineData(73, "'aggregate': 1, 'pipeline': [{'$listLocalSessions': {}}], 'cursor': {}")]
    [InlineData(238, "'aggregate': 'c', 'pipeline': [{'$out': 'd'}], 'cursor': {}")]
    [InlineData(238, "'aggregate': 'c', 'pipeline': [], 'cursor': {}, 'explain': true")]
    [InlineData(238, "'aggregate': 'c', 'pipeline': [], 'cursor': {}, 'let': {'x': 1}")]
    [InlineData(238, "'aggregate': 'c', 'pipeline': [], 'cursor': {}, 'collation': {'locale': 'de'}")]
    [InlineData(2, "'count': 'c', 'query': {'a': {'$foo': 1}}")]
    [InlineData(51024, "'count': 'c', 'skip': -1")]
    [InlineData(14, "'count': 'c', 'limit': 'x'")]
    [InlineData(40414, "'distinct': 'c'")]
    [InlineData(2, "'distinct': 'c', 'key': 'a', 'hint': 'x'")]
    public void What_cannot_be_read_is_an_error(int code, string command) => _server.RunError(code, $"{{{command}}}");
}
