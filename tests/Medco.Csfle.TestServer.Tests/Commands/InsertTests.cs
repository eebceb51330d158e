using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Tests.Commands;

public sealed class InsertTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void A_document_comes_back_byte_for_byte()
    {
        // A duplicate name and an array whose names are no numbers: a server that wrote it anew would change both.
        byte[] odd =
        [
            0x2A, 0, 0, 0,
            0x10, (byte)'_', (byte)'i', (byte)'d', 0, 1, 0, 0, 0,
            0x0A, (byte)'a', 0,
            0x0A, (byte)'a', 0,
            0x04, (byte)'b', 0, 0x13, 0, 0, 0, 0x10, (byte)'x', 0, 1, 0, 0, 0, 0x10, (byte)'x', 0, 2, 0, 0, 0, 0,
            0,
        ];
        var stored = Insert(Document.Parse(odd));
        Assert.Equal(odd, stored.Bytes.ToArray());
    }

    [Fact]
    public void The_id_moves_to_the_front_and_all_else_keeps_its_order()
        => Assert.Equal("{'_id': 5, 'b': 1, 'a': 2}", Bson.Json(Insert(Bson.Document("{'b': 1, '_id': 5, 'a': 2}"))));

    [Fact]
    public void A_document_without_an_id_gets_an_ObjectId_of_its_own()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'a': 1}, {'a': 2}]}");
        var ids = Found("{}").Select(document => document[0]).ToArray();
        Assert.All(ids, id => Assert.Equal(("_id", Engine.Bson.BsonType.ObjectId), (id.Name, id.Value.Type)));
        Assert.False(ValueOrder.AreEqual(ids[0].Value, ids[1].Value));
    }

    [Fact]
    public void An_empty_timestamp_at_the_top_becomes_the_current_time_and_below_it_does_not()
    {
        var stored = Insert(Bson.Document("{'_id': 1, 't': {'$timestamp': {'t': 0, 'i': 0}}, 'd': {'t': {'$timestamp': {'t': 0, 'i': 0}}}}"));
        Assert.NotEqual(0, stored.Find("t")!.Int64);
        Assert.Equal(0, stored.Find("d")!.Document.Find("t")!.Int64);
    }

    [Fact]
    public void A_duplicate_id_is_told_as_MongoDB_tells_it()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}]}");
        var reply = _server.RunOk("{'insert': 'c', 'documents': [{'_id': {'$numberDouble': '1.0'}}]}");
        Assert.Equal(
            "{'n': 0, 'writeErrors': [{'index': 0, 'code': 11000, 'keyPattern': {'_id': 1}, 'keyValue': {'_id': 1.0}, "
            + "'errmsg': 'E11000 duplicate key error collection: test.c index: _id_ dup key: { _id: 1 }'}], 'ok': 1.0}",
            Bson.Json(reply));
    }

    [Theory]
    [InlineData("", 1, new[] { 1 })]
    [InlineData("'ordered': true,", 1, new[] { 1 })]
    [InlineData("'ordered': false,", 2, new[] { 1, 3 })]
    public void An_ordered_batch_ends_at_its_first_error(string ordered, int inserted, int[] errors)
    {
        var reply = _server.RunOk($"{{'insert': 'c', {ordered} 'documents': [{{'_id': 1}}, {{'_id': 1}}, {{'_id': 2}}, {{'_id': 2}}]}}");
        Assert.Equal(inserted, ServerCalls.Int(reply.Find("n")!));
        Assert.Equal(errors, reply.Find("writeErrors")!.Items.Select(error => ServerCalls.Int(error.Document.Find("index")!)));
        Assert.Equal(inserted, Found("{}").Length);
    }

    [Theory]
    [InlineData(53, "{'_id': [1]}")]
    [InlineData(53, "{'_id': {'$regularExpression': {'pattern': 'a', 'options': ''}}}")]
    [InlineData(53, "{'_id': {'$undefined': true}}")]
    [InlineData(52, "{'_id': {'$a': 1}}")]
    [InlineData(2, "{'_id': 1, '_id': 2}")]
    public void An_id_that_cannot_be_is_a_write_error(int code, string document)
    {
        var reply = _server.RunOk($"{{'insert': 'c', 'documents': [{document}]}}");
        Assert.Equal(code, ServerCalls.Int(Assert.Single(reply.Find("writeErrors")!.Items).Document.Find("code")!));
        Assert.Empty(Found("{}"));
    }

    [Theory]
    [InlineData(16, "{'insert': 'c', 'documents': []}")]
    [InlineData(14, "{'insert': 'c', 'documents': [1]}")]
    [InlineData(14, "{'insert': 'c', 'documents': {}}")]
    [InlineData(40414, "{'insert': 'c'}")]
    [InlineData(14, "{'insert': 'c', 'documents': [{}], 'ordered': 'yes'}")]
    public void A_command_that_is_no_insert_is_an_error(int code, string command) => _server.RunError(code, command);

    [Theory]
    [InlineData(100, 1)]
    [InlineData(101, 0)]
    public void A_document_has_at_most_100_levels(int levels, int inserted)
    {
        var document = string.Concat(Enumerable.Repeat("{'a': ", levels - 1)) + "{}" + new string('}', levels - 1);
        var reply = _server.RunOk($"{{'insert': 'c', 'documents': [{document}]}}");
        Assert.Equal(inserted, ServerCalls.Int(reply.Find("n")!));
    }

    [Fact]
    public void A_document_of_more_than_16_MiB_is_a_write_error()
    {
        using var client = new Protocol.RawClient(_server);
        var reply = client.RoundTrip($"{{'insert': 'c', 'documents': [{{'a': '{new string('x', 16 * 1024 * 1024)}'}}], '$db': 'test'}}");
        Assert.Equal(2, ServerCalls.Int(Assert.Single(reply.Find("writeErrors")!.Items).Document.Find("code")!));
    }

    [Fact]
    public void A_hundred_thousand_documents_are_one_batch()
    {
        using var client = new Protocol.RawClient(_server);
        var documents = Enumerable.Range(0, 100_000).Select(i => $"{{'_id': {i}}}").ToArray();
        var reply = client.RoundTrip(Protocol.RawClient.Msg(0, Protocol.RawClient.Body("{'insert': 'c', '$db': 'test'}"), Protocol.RawClient.Sequence("documents", documents)));
        Assert.Equal("{'n': 100000, 'ok': 1.0}", Bson.Json(reply));
        Assert.Equal("{'_id': 99999}", Bson.Json(Assert.Single(Found("{'_id': 99999}"))));
    }

    [Fact]
    public async Task Inserts_from_many_connections_are_all_there_and_unique()
    {
        const int Connections = 8;
        const int Documents = 100;
        var inserted = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(() =>
        {
            using var client = new Protocol.RawClient(_server);
            return Enumerable.Range(0, Documents).Sum(i => ServerCalls.Int(
                client.RoundTrip($"{{'insert': 'c', 'documents': [{{}}, {{'_id': {i}}}], '$db': 'test'}}").Find("n")!));
        })));

        // Everybody's documents without an id, and of every id one.
        Assert.Equal(Connections * Documents + Documents, inserted.Sum());
        Assert.Equal(Connections * Documents + Documents, Found("{}").Length);
    }

    private Document Insert(Document document)
    {
        var command = new Document(Bson.Document("{'insert': 'c'}").Elements.Append(new("documents", Value.FromArray([new Value(document)]))));
        var reply = Document.Parse(_server.RunCommand("test", command.Bytes));
        Assert.Equal("{'n': 1, 'ok': 1.0}", Bson.Json(reply));
        return Found("{}")[^1];
    }

    private Document[] Found(string filter)
        => [.. _server.RunOk($"{{'find': 'c', 'filter': {filter}, 'batchSize': 1000000}}").Find("cursor")!.Document.Find("firstBatch")!.Items.Select(item => item.Document)];
}
