namespace Medco.Csfle.TestServer.Tests.Protocol;

public sealed class OpQueryTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly RawClient _client;

    public OpQueryTests() => _client = new RawClient(_server);

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData("{'isMaster': 1, 'helloOk': true, 'client': {'driver': {'name': 'x', 'version': '1'}}, 'compression': []}", "ismaster")]
    [InlineData("{'ismaster': 1}", "ismaster")]
    [InlineData("{'hello': 1}", "isWritablePrimary")]
    [InlineData("{'$query': {'isMaster': 1}, '$readPreference': {'mode': 'primaryPreferred'}}", "ismaster")]
    public void The_old_query_says_hello(string query, string primary)
    {
        _client.Send(RawClient.Query("admin.$cmd", query));
        var reply = _client.ReadReply();
        Assert.True(reply.Find(primary)!.Boolean);
        Assert.Equal(21, ServerCalls.Int(reply.Find("maxWireVersion")!));
        Assert.Equal(query.Contains("helloOk"), reply.Find("helloOk") is not null);
    }

    [Theory]
    [InlineData("admin.$cmd", "{'ping': 1}")]
    [InlineData("test.$cmd", "{'isMaster': 1}")]
    [InlineData("test.c", "{'a': 1}")]
    [InlineData("admin.$cmd", "{}")]
    public void The_old_query_does_nothing_else(string ns, string query)
    {
        _client.Send(RawClient.Query(ns, query));
        Assert.Equal(352, ServerCalls.Int(_client.ReadReply().Find("code")!));

        _client.Send(RawClient.Query("admin.$cmd", "{'hello': 1}"));
        Assert.Equal(1, ServerCalls.Int(_client.ReadReply().Find("ok")!));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 65, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 65, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0 })]
    public void A_malformed_query_is_told_and_ends_the_connection(byte[] content)
    {
        _client.Send(RawClient.Message(2004, content));
        Assert.Equal(0, ServerCalls.Int(_client.ReadReply().Find("ok")!));
        Assert.True(_client.IsClosed());
    }
}
