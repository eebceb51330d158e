using Medco.Csfle.TestServer.Tests.Transactions;
using Medco.Csfle.TestServer.Values;
using static Medco.Csfle.TestServer.Tests.Transactions.SessionCalls;

namespace Medco.Csfle.TestServer.Tests.Replication;

/// <summary>Change streams, as the manual's "Change Streams" and "Change Events" have them.</summary>
public sealed class ChangeStreamTests : IDisposable
{
    /// <summary>What stands for the collection where there is none.</summary>
    private const string WholeDatabase = "$cmd.aggregate";

    private readonly InProcessMongoServer _server = InProcessMongoServer.StartReplicaSet();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Every_kind_of_write_has_its_event()
    {
        var cursor = Watch("'c'");
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': {'b': 1, 'c': 1}, 'l': [1, 2]}]}");
        _server.RunOk("{'update': 'c', 'updates': [{'q': {}, 'u': {'$set': {'a.b': 2, 'l': [5], 'n': {'x': 1}}, '$unset': {'a.c': ''}}}]}");
        _server.RunOk("{'update': 'c', 'updates': [{'q': {}, 'u': {'b': 3}}]}");
        _server.RunOk("{'delete': 'c', 'deletes': [{'q': {}, 'limit': 0}]}");
        _server.RunOk("{'insert': 'elsewhere', 'documents': [{}]}");

        const string Where = "'ns': {'db': 'test', 'coll': 'c'}, 'documentKey': {'_id': 1}";
        Assert.Equal(
        [
            $"{{'operationType': 'insert', 'fullDocument': {{'_id': 1, 'a': {{'b': 1, 'c': 1}}, 'l': [1, 2]}}, {Where}}}",
            $"{{'operationType': 'update', {Where}, 'updateDescription': {{'updatedFields': {{'a.b': 2, 'l.0': 5, 'n': {{'x': 1}}}}, 'removedFields': ['a.c'], 'truncatedArrays': [{{'field': 'l', 'newSize': 1}}]}}}}",
            $"{{'operationType': 'replace', 'fullDocument': {{'_id': 1, 'b': 3}}, {Where}}}",
            $"{{'operationType': 'delete', {Where}}}",
        ], Events(More(cursor)).Select(WithoutPlace));
    }

    [Fact]
    public void Events_have_a_place_and_a_time()
    {
        var cursor = Watch("'c'");
        var written = _server.RunOk("{'insert': 'c', 'documents': [{}]}").Find("operationTime")!.Int64;
        var told = Assert.Single(Events(More(cursor)));
        Assert.Equal("_data", told.Find("_id")!.Document[0].Name);
        Assert.Equal(written, told.Find("clusterTime")!.Int64);
        Assert.Equal(Engine.Bson.BsonType.DateTime, told.Find("wallTime")!.Type);
    }

    [Fact]
    public void The_end_of_a_collection_ends_its_stream()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{}]}");
        var cursor = Watch("'c'");
        _server.RunOk("{'drop': 'c'}");

        var reply = More(cursor);
        Assert.Equal(["drop", "invalidate"], Types(reply));
        Assert.Equal(0, reply.CursorId());
    }

    [Fact]
    public void A_rename_ends_the_stream_of_the_old_name_and_drops_what_was_in_its_way()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{}]}");
        _server.RunOk("{'insert': 'd', 'documents': [{}]}");
        var (collection, database) = (Watch("'c'"), Watch("1"));
        _server.RunOk("{'renameCollection': 'test.c', 'to': 'test.d', 'dropTarget': true}", "admin");

        var renamed = Events(More(collection));
        Assert.Equal(["rename", "invalidate"], renamed.Select(Type));
        Assert.Equal("{'db': 'test', 'coll': 'd'}", Bson.Json(renamed[0].Find("to")!.Document));
        var seen = More(database, collection: WholeDatabase);
        Assert.Equal(["drop", "rename"], Types(seen));
        Assert.NotEqual(0, seen.CursorId());
    }

    [Fact]
    public void A_database_and_a_cluster_can_be_watched()
    {
        var database = Watch("1");
        var cluster = Watch("1", "'allChangesForCluster': true", "admin");
        _server.RunOk("{'insert': 'c', 'documents': [{}]}");
        _server.RunOk("{'insert': 'd', 'documents': [{}]}", "other");
        _server.RunOk("{'insert': 'd', 'documents': [{}]}", "admin");
        _server.RunOk("{'dropDatabase': 1}");

        Assert.Equal(["insert", "drop", "dropDatabase", "invalidate"], Types(More(database, collection: WholeDatabase)));
        Assert.Equal(["insert", "insert", "drop", "dropDatabase"], Types(More(cluster, collection: WholeDatabase, database: "admin")));
    }

    [Fact]
    public void An_update_looks_the_document_up_as_it_is_now()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}, {'_id': 2}]}");
        var cursor = Watch("'c'", "'fullDocument': 'updateLookup'");
        _server.RunOk("{'update': 'c', 'updates': [{'q': {}, 'u': {'$set': {'a': 1}}, 'multi': true}]}");
        _server.RunOk("{'update': 'c', 'updates': [{'q': {'_id': 1}, 'u': {'$set': {'a': 2}}}]}");
        _server.RunOk("{'delete': 'c', 'deletes': [{'q': {'_id': 2}, 'limit': 1}]}");

        var events = Events(More(cursor));
        Assert.Equal("{'_id': 1, 'a': 2}", Bson.Json(events[0].Find("fullDocument")!.Document));
        Assert.Equal(Engine.Bson.BsonType.Null, events[1].Find("fullDocument")!.Type);
        Assert.Null(events[3].Find("fullDocument"));
    }

    [Fact]
    public void Stages_choose_and_shape_events()
    {
        var reply = _server.RunOk("{'aggregate': 'c', 'pipeline': [{'$changeStream': {}}, {'$match': {'fullDocument.a': {'$gt': 1}}}, {'$project': {'fullDocument.a': 1}}], 'cursor': {}}");
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}, {'_id': 2, 'a': 2, 'b': 1}]}");
        var told = Assert.Single(Events(More(reply.CursorId())));
        Assert.Equal("{'a': 2}", Bson.Json(told.Find("fullDocument")!.Document));
        Assert.Equal(2, told.Count);
    }

    [Fact]
    public void An_event_keeps_its_place()
    {
        var reply = _server.RunOk("{'aggregate': 'c', 'pipeline': [{'$changeStream': {}}, {'$project': {'_id': 0}}], 'cursor': {}}");
        _server.RunOk("{'insert': 'c', 'documents': [{}]}");
        var error = _server.Run($"{{'getMore': {{'$numberLong': '{reply.CursorId()}'}}, 'collection': 'c'}}");
        Assert.Equal((280, "NonResumableChangeStreamError"), (ServerCalls.Int(error.Find("code")!), Assert.Single(error.Labels())));
    }

    [Theory]
    [InlineData("resumeAfter")]
    [InlineData("startAfter")]
    public void A_stream_goes_on_behind_any_of_its_events(string option)
    {
        var cursor = Watch("'c'");
        for (var i = 0; i < 4; i++) _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': {i}}}]}}");
        var events = Events(More(cursor));
        for (var i = 0; i < 4; i++)
        {
            var resumed = Open("'c'", $"'{option}': {Bson.Json(events[i].Find("_id")!.Document)}");
            Assert.Equal(events.Skip(i + 1).Select(Bson.Json), Events(resumed).Select(Bson.Json));
        }
    }

    [Fact]
    public void A_stream_goes_on_behind_the_token_of_a_batch_and_from_a_time()
    {
        var opened = Open("'c'", "");
        var first = _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}]}").Find("operationTime")!.Int64;
        var batch = More(opened.CursorId());
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 2}]}");

        Assert.Equal(2, Events(Open("'c'", $"'resumeAfter': {Bson.Json(TokenOf(opened))}")).Length);
        Assert.Single(Events(Open("'c'", $"'resumeAfter': {Bson.Json(TokenOf(batch))}")));
        Assert.Equal(2, Events(Open("'c'", $"'startAtOperationTime': {Timestamp(first)}")).Length);
        Assert.Single(Events(Open("'c'", $"'startAtOperationTime': {Timestamp(first + 1)}")));
        _server.RunError(286, $"{{'aggregate': 'c', 'pipeline': [{{'$changeStream': {{'startAtOperationTime': {Timestamp(1L << 32)}}}}}], 'cursor': {{}}}}");
    }

    [Fact]
    public void A_batch_holds_as_many_events_as_were_asked_for()
    {
        var cursor = Watch("'c'");
        for (var i = 0; i < 3; i++) _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': {i}}}]}}");
        var reply = _server.RunOk($"{{'getMore': {{'$numberLong': '{cursor}'}}, 'collection': 'c', 'batchSize': 2}}");
        Assert.Equal(2, Events(reply).Length);

        // The token is that of the last event read, not of the last known.
        Assert.Equal(Bson.Json(Events(reply)[1].Find("_id")!.Document), Bson.Json(TokenOf(reply)));
        Assert.Single(Events(Open("'c'", $"'resumeAfter': {Bson.Json(TokenOf(reply))}")));
    }

    [Fact]
    public void Behind_its_end_a_stream_starts_anew_and_does_not_resume()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{}]}");
        var cursor = Watch("'c'");
        _server.RunOk("{'drop': 'c'}");
        var events = Events(More(cursor));
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 2}]}");

        var (drop, end) = (Bson.Json(events[0].Find("_id")!.Document), Bson.Json(events[1].Find("_id")!.Document));
        Assert.Equal(["insert"], Types(Open("'c'", $"'startAfter': {end}")));
        Assert.Equal(["invalidate"], Types(Open("'c'", $"'resumeAfter': {drop}")));
        _server.RunError(260, $"{{'aggregate': 'c', 'pipeline': [{{'$changeStream': {{'resumeAfter': {end}}}}}], 'cursor': {{}}}}");
    }

    [Fact]
    public async Task A_stream_waits_for_an_event()
    {
        var cursor = Watch("'c'");
        var waiting = Task.Factory.StartNew(() => More(cursor, wait: 60_000), TaskCreationOptions.LongRunning);
        _server.RunOk("{'insert': 'other', 'documents': [{}]}");
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}]}");
        Assert.Equal(["insert"], Types(await waiting.WaitAsync(TimeSpan.FromSeconds(30))));

        var empty = More(cursor, wait: 1);
        Assert.Empty(Events(empty));
        Assert.Equal(cursor, empty.CursorId());
    }

    [Fact]
    public async Task Who_waits_is_told_that_the_cursor_was_killed()
    {
        var cursor = Watch("'c'");
        var waiting = Task.Factory.StartNew(() => _server.Run($"{{'getMore': {{'$numberLong': '{cursor}'}}, 'collection': 'c', 'maxTimeMS': 60000}}"), TaskCreationOptions.LongRunning);
        _server.RunOk($"{{'killCursors': 'c', 'cursors': [{{'$numberLong': '{cursor}'}}]}}");
        Assert.Equal(43, ServerCalls.Int((await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Find("code")!));
    }

    [Fact]
    public void The_events_of_a_transaction_come_with_its_commit_and_at_one_time()
    {
        var cursor = Watch("'c'");
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 1}}], {Start(1)}}}");
        _server.RunOk($"{{'update': 'c', 'updates': [{{'q': {{'_id': 1}}, 'u': {{'$set': {{'a': 1}}}}}}], {Continue(1)}}}");
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(2)}}}");
        Assert.Empty(Events(More(cursor, wait: 1)));

        _server.Abort(2);
        _server.Commit(1);
        var events = Events(More(cursor));
        Assert.Equal(["insert", "update"], events.Select(Type));
        Assert.Single(events.Select(told => told.Find("clusterTime")!.Int64).Distinct());
        Assert.All(events, told => Assert.Equal(1, told.Find("txnNumber")!.Int64));
        Assert.Single(Events(Open("'c'", $"'resumeAfter': {Bson.Json(events[0].Find("_id")!.Document)}")));
    }

    [Theory]
    [InlineData(238, "{'fullDocument': 'required'}")]
    [InlineData(238, "{'fullDocument': 'whenAvailable'}")]
    [InlineData(2, "{'fullDocument': 'sometimes'}")]
    [InlineData(238, "{'fullDocumentBeforeChange': 'required'}")]
    [InlineData(238, "{'showExpandedEvents': true}")]
    [InlineData(40415, "{'surprise': 1}")]
    [InlineData(72, "{'allChangesForCluster': true}")]
    [InlineData(260, "{'resumeAfter': {'_data': 'xyz'}}")]
    [InlineData(280, "{'resumeAfter': {'_data': '00000000000000010000000001'}}")]
    [InlineData(14, "{'startAtOperationTime': 1}")]
    [InlineData(72, "{'startAtOperationTime': {'$timestamp': {'t': 1, 'i': 1}}, 'resumeAfter': {'_data': '00000000000000010000000001'}}")]
    public void What_is_not_built_or_wrong_is_refused(int code, string specification)
        => _server.RunError(code, $"{{'aggregate': 'c', 'pipeline': [{{'$changeStream': {specification}}}], 'cursor': {{}}}}");

    [Theory]
    [InlineData(20, "[{'$changeStream': {}}, {'$group': {'_id': 1}}]")]
    [InlineData(20, "[{'$changeStream': {}}, {'$sort': {'a': 1}}]")]
    [InlineData(40602, "[{'$match': {}}, {'$changeStream': {}}]")]
    public void Not_every_stage_can_follow(int code, string pipeline) => _server.RunError(code, $"{{'aggregate': 'c', 'pipeline': {pipeline}, 'cursor': {{}}}}");

    [Fact]
    public void The_server_s_own_databases_are_not_watched() => _server.RunError(73, "{'aggregate': 'c', 'pipeline': [{'$changeStream': {}}], 'cursor': {}}", "config");

    private long Watch(string collection, string specification = "", string database = "test")
    {
        var reply = Open(collection, specification, database);
        Assert.Empty(reply.Batch());
        return reply.CursorId();
    }

    private Document Open(string collection, string specification, string database = "test")
        => _server.RunOk($"{{'aggregate': {collection}, 'pipeline': [{{'$changeStream': {{{specification}}}}}], 'cursor': {{}}}}", database);

    private Document More(long cursor, int wait = 60_000, string collection = "c", string database = "test")
        => _server.RunOk($"{{'getMore': {{'$numberLong': '{cursor}'}}, 'collection': '{collection}', 'maxTimeMS': {wait}}}", database);

    private static Document[] Events(Document reply)
    {
        var cursor = reply.Find("cursor")!.Document;
        return [.. (cursor.Find("firstBatch") ?? cursor.Find("nextBatch")!).Items.Select(item => item.Document)];
    }

    private static string[] Types(Document reply) => [.. Events(reply).Select(Type)];

    private static string Type(Document told) => told.Find("operationType")!.Text;

    private static Document TokenOf(Document reply) => reply.Find("cursor")!.Document.Find("postBatchResumeToken")!.Document;

    private static string WithoutPlace(Document told) => Bson.Json(new Document(told.Elements.Where(element => element.Name is not ("_id" or "clusterTime" or "wallTime"))));

    private static string Timestamp(long time) => $"{{'$timestamp': {{'t': {time >> 32}, 'i': {time & 0xFFFF_FFFF}}}}}";
}
