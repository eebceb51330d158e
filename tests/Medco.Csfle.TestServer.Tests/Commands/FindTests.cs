namespace Medco.Csfle.TestServer.Tests.Commands;

/// <summary><c>find</c>, <c>getMore</c> and <c>killCursors</c>.</summary>
public sealed class FindTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData("", "1 2 3 4 5")]
    [InlineData(", 'filter': {'a': {'$gt': 2}}", "3 4 5")]
    [InlineData(", 'filter': {'_id': 3}", "3")]
    [InlineData(", 'filter': {'_id': {'$eq': {'$numberLong': '3'}}}", "3")]
    [InlineData(", 'filter': {'_id': {'$in': [5, 1]}}", "1 5")]
    [InlineData(", 'filter': {'_id': 3, 'a': 4}", "")]
    [InlineData(", 'filter': {'_id': null}", "")]
    [InlineData(", 'filter': {'_id': {'$ne': 3}}", "1 2 4 5")]
    [InlineData(", 'sort': {'_id': -1}", "5 4 3 2 1")]
    [InlineData(", 'sort': {'_id': -1}, 'skip': 1, 'limit': 2", "4 3")]
    [InlineData(", 'hint': {'$natural': 1}", "1 2 3 4 5")]
    [InlineData(", 'skip': 10", "")]
    [InlineData(", 'limit': 0", "1 2 3 4 5")]
    [InlineData(", 'limit': {'$numberDouble': '2.0'}", "1 2")]
    [InlineData(", 'hint': '_id_', 'allowDiskUse': true, 'noCursorTimeout': false, 'let': {}, 'min': {}, 'collation': {'locale': 'simple'}", "1 2 3 4 5")]
    public void Documents_are_found(string options, string ids)
    {
        InsertFive();
        var expected = ids.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => $"{{'_id': {id}, 'a': {id}}}");
        Assert.Equal(expected, _server.RunOk($"{{'find': 'c'{options}}}").Batch());
    }

    [Fact]
    public void A_projection_applies_to_what_is_returned_and_not_to_what_is_sorted_by()
    {
        InsertFive();
        Assert.Equal(["{'_id': 5}", "{'_id': 4}"], _server.RunOk("{'find': 'c', 'sort': {'a': -1}, 'limit': 2, 'projection': {'_id': 1}}").Batch());
    }

    [Fact]
    public void Where_there_is_no_collection_nothing_is_found()
        => Assert.Equal("{'cursor': {'firstBatch': [], 'id': 0, 'ns': 'test.none'}, 'ok': 1.0}", Bson.Json(_server.RunOk("{'find': 'none'}")));

    [Theory]
    [InlineData(2, "'filter': {'a': {'$foo': 1}}")]
    [InlineData(14, "'filter': 1")]
    [InlineData(51024, "'limit': -1")]
    [InlineData(51024, "'skip': -1")]
    [InlineData(51024, "'batchSize': -1")]
    [InlineData(2, "'limit': 1.5")]
    [InlineData(14, "'limit': 'x'")]
    [InlineData(238, "'tailable': true")]
    [InlineData(238, "'let': {'x': 1}")]
    [InlineData(238, "'min': {'_id': 1}")]
    [InlineData(238, "'returnKey': true")]
    [InlineData(238, "'collation': {'locale': 'de'}")]
    [InlineData(2, "'hint': 'other_1'")]
    [InlineData(2, "'hint': {'$natural': -1}")]
    [InlineData(2, "'hint': 1")]
    [InlineData(31254, "'projection': {'a': 1, 'b': 0}")]
    public void A_query_that_is_none_is_an_error_with_and_without_a_collection(int code, string options)
    {
        _server.RunError(code, $"{{'find': 'c', {options}}}");
        InsertFive();
        _server.RunError(code, $"{{'find': 'c', {options}}}");
    }

    [Fact]
    public void A_long_result_comes_in_batches()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{string.Join(", ", Enumerable.Range(0, 250).Select(i => $"{{'_id': {i}}}"))}]}}");
        var first = _server.RunOk("{'find': 'c'}");
        Assert.Equal(101, first.Batch().Length);
        Assert.NotEqual(0, first.CursorId());

        var second = GetMore(first.CursorId(), ", 'batchSize': 100");
        Assert.Equal(100, second.Batch().Length);
        Assert.Equal(first.CursorId(), second.CursorId());

        var third = GetMore(first.CursorId());
        Assert.Equal(0, third.CursorId());
        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"{{'_id': {i}}}"), [.. first.Batch(), .. second.Batch(), .. third.Batch()]);
        Assert.Equal($"cursor id {first.CursorId()} not found", CursorError(43, first.CursorId()));
    }

    [Fact]
    public void A_first_batch_may_be_empty()
    {
        InsertFive();
        var first = _server.RunOk("{'find': 'c', 'batchSize': 0}");
        Assert.Empty(first.Batch());
        Assert.Equal(5, GetMore(first.CursorId()).Batch().Length);
    }

    [Fact]
    public void A_single_batch_leaves_no_cursor()
    {
        InsertFive();
        var reply = _server.RunOk("{'find': 'c', 'batchSize': 2, 'singleBatch': true}");
        Assert.Equal((2, 0L), (reply.Batch().Length, reply.CursorId()));
    }

    [Fact]
    public void A_batch_ends_at_16_MiB()
    {
        using var client = new Protocol.RawClient(_server);
        var text = new string('x', 7 * 1024 * 1024);
        for (var i = 0; i < 3; i++) client.RoundTrip($"{{'insert': 'c', 'documents': [{{'_id': {i}, 'a': '{text}'}}], '$db': 'test'}}");

        var first = client.RoundTrip("{'find': 'c', '$db': 'test'}");
        Assert.Equal(2, first.Batch().Length);
        Assert.Single(GetMore(first.CursorId()).Batch());
    }

    [Fact]
    public void A_result_does_not_change_while_it_is_read()
    {
        InsertFive();
        var first = _server.RunOk("{'find': 'c', 'batchSize': 2}");
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 6}]}");
        Assert.Equal(3, GetMore(first.CursorId()).Batch().Length);
    }

    [Fact]
    public void A_cursor_belongs_to_its_collection()
    {
        InsertFive();
        var id = _server.RunOk("{'find': 'c', 'batchSize': 2}").CursorId();
        _server.RunError(13, $"{{'getMore': {{'$numberLong': '{id}'}}, 'collection': 'other'}}");
        CursorError(2, id, ", 'maxTimeMS': 5");
        _server.RunError(14, "{'getMore': 5, 'collection': 'c'}");
        _server.RunError(40414, $"{{'getMore': {{'$numberLong': '{id}'}}}}");
        Assert.Equal(3, GetMore(id).Batch().Length);
    }

    [Fact]
    public void Cursors_are_killed()
    {
        InsertFive();
        var id = _server.RunOk("{'find': 'c', 'batchSize': 2}").CursorId();
        var other = _server.RunOk($"{{'killCursors': 'other', 'cursors': [{{'$numberLong': '{id}'}}]}}");
        Assert.Equal((0, 1), Killed(other));

        var reply = _server.RunOk($"{{'killCursors': 'c', 'cursors': [{{'$numberLong': '{id}'}}, {{'$numberLong': '7'}}]}}");
        Assert.Equal((1, 1), Killed(reply));
        Assert.Empty(reply.Find("cursorsAlive")!.Items);
        CursorError(43, id);
        _server.RunError(2, "{'killCursors': 'c', 'cursors': []}");
        _server.RunError(14, "{'killCursors': 'c', 'cursors': [7]}");
    }

    private static (int, int) Killed(TestServer.Values.Document reply)
        => (reply.Find("cursorsKilled")!.Items.Count(), reply.Find("cursorsNotFound")!.Items.Count());

    private void InsertFive()
        => _server.RunOk($"{{'insert': 'c', 'documents': [{string.Join(", ", Enumerable.Range(1, 5).Select(i => $"{{'_id': {i}, 'a': {i}}}"))}]}}");

    private TestServer.Values.Document GetMore(long id, string options = "")
        => _server.RunOk($"{{'getMore': {{'$numberLong': '{id}'}}, 'collection': 'c'{options}}}");

    private string CursorError(int code, long id, string options = "")
        => _server.RunError(code, $"{{'getMore': {{'$numberLong': '{id}'}}, 'collection': 'c'{options}}}");
}
