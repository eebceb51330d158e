namespace Medco.Csfle.TestServer.Tests.Replication;

public sealed class ReplicaSetTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.StartReplicaSet("clinic");

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Hello_announces_the_primary_of_a_set_of_one()
    {
        var address = $"127.0.0.1:{_server.Port}";
        var reply = _server.RunOk("{'hello': 1}", "admin");

        Assert.Equal($"mongodb://{address}/?replicaSet=clinic", _server.ConnectionString);
        Assert.Equal("clinic", reply.Find("setName")!.Text);
        Assert.True(reply.Find("isWritablePrimary")!.Boolean);
        Assert.Equal((address, address, address), (reply.Find("primary")!.Text, reply.Find("me")!.Text, Assert.Single(reply.Find("hosts")!.Items).Text));
        Assert.Equal(30, ServerCalls.Int(reply.Find("logicalSessionTimeoutMinutes")!));
    }

    [Fact]
    public void Time_goes_on_with_every_write_and_is_told_with_every_reply()
    {
        long Time(string command)
        {
            var reply = _server.Run(command);
            Assert.Equal(reply.Find("operationTime")!.Int64, reply.Find("$clusterTime")!.Document.Find("clusterTime")!.Int64);
            return reply.Find("operationTime")!.Int64;
        }

        var start = Time("{'ping': 1}");
        var written = Time("{'insert': 'c', 'documents': [{}]}");
        Assert.True(start < written);
        Assert.Equal(written, Time("{'find': 'c'}"));
        Assert.Equal(written, Time("{'nothing': 1}"));
        Assert.True(written < Time("{'delete': 'c', 'deletes': [{'q': {}, 'limit': 1}]}"));
    }

    [Fact]
    public void A_standalone_tells_no_time_and_watches_nothing()
    {
        using var standalone = InProcessMongoServer.Start();
        Assert.Null(standalone.RunOk("{'ping': 1}").Find("operationTime"));
        standalone.RunError(238, "{'aggregate': 'c', 'pipeline': [{'$changeStream': {}}], 'cursor': {}}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    public void A_set_has_a_proper_name(string name) => Assert.ThrowsAny<ArgumentException>(() => InProcessMongoServer.StartReplicaSet(name));

    [Fact]
    public void One_member_cannot_meet_a_concern_of_two() => _server.RunError(238, "{'insert': 'c', 'documents': [{}], 'writeConcern': {'w': 2}}");
}
