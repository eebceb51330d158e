namespace Medco.Csfle.TestServer.Tests.Commands;

public sealed class HelloTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Hello_announces_a_writable_standalone_of_MongoDB_7()
    {
        var reply = _server.RunOk("{'hello': 1}", "admin");
        Assert.True(reply.Find("isWritablePrimary")!.Boolean);
        Assert.False(reply.Find("readOnly")!.Boolean);
        Assert.Equal(16777216, ServerCalls.Int(reply.Find("maxBsonObjectSize")!));
        Assert.Equal(48000000, ServerCalls.Int(reply.Find("maxMessageSizeBytes")!));
        Assert.Equal(100000, ServerCalls.Int(reply.Find("maxWriteBatchSize")!));
        Assert.Equal(30, ServerCalls.Int(reply.Find("logicalSessionTimeoutMinutes")!));
        Assert.Equal(0, ServerCalls.Int(reply.Find("minWireVersion")!));
        Assert.Equal(21, ServerCalls.Int(reply.Find("maxWireVersion")!));
        Assert.InRange(reply.Find("localTime")!.Int64, DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds());

        // No replica set, no changes to wait for.
        Assert.Null(reply.Find("setName"));
        Assert.Null(reply.Find("topologyVersion"));
    }

    [Fact]
    public void Connections_have_numbers_of_their_own()
    {
        using var first = new Protocol.RawClient(_server);
        using var second = new Protocol.RawClient(_server);
        const string Hello = "{'hello': 1, '$db': 'admin'}";
        var ids = new[] { first.RoundTrip(Hello), second.RoundTrip(Hello) }.Select(reply => ServerCalls.Int(reply.Find("connectionId")!));
        Assert.Equal(2, ids.Distinct().Count());
    }

    [Fact]
    public void BuildInfo_is_that_of_a_community_server()
    {
        var reply = _server.RunOk("{'buildInfo': 1}", "admin");
        Assert.Equal("7.0.0", reply.Find("version")!.Text);
        Assert.Empty(reply.Find("modules")!.Items);
    }

    [Fact]
    public void Sessions_can_be_ended() => _server.RunOk("{'endSessions': [{'id': {'$uuid': '00112233-4455-6677-8899-aabbccddeeff'}}]}", "admin");
}
