using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Tests;

public sealed class RemoteCommandRunnerTests
{
    [Fact]
    public async Task Commands_run_over_the_wire_as_they_do_in_process()
    {
        using var server = InProcessMongoServer.Start();
        using var remote = RemoteCommandRunner.Connect(server.ConnectionString);
        remote.RunCommand("db", ExtendedJson.ToBson("""{"insert": "coll", "documents": [{"_id": 1, "a": "x"}]}"""));
        var find = ExtendedJson.ToBson("""{"find": "coll", "singleBatch": true}""");

        var direct = server.RunCommand("db", find);

        Assert.Contains("\"a\":\"x\"", ExtendedJson.ToJson(direct), StringComparison.Ordinal);
        Assert.Equal(direct, remote.RunCommand("db", find));
        Assert.Equal(direct, await remote.RunCommandAsync("db", find));
    }

    [Fact]
    public void An_error_reply_is_a_reply()
    {
        using var server = InProcessMongoServer.Start();
        using var remote = RemoteCommandRunner.Connect(server.ConnectionString);
        Assert.Contains("CommandNotFound", ExtendedJson.ToJson(remote.RunCommand("db", ExtendedJson.ToBson("""{"frobnicate": 1}"""))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mongodb://user:secret@127.0.0.1:27017")]
    [InlineData("mongodb+srv://example.com")]
    [InlineData("mongodb://a:1,b:2")]
    [InlineData("mongodb://127.0.0.1/?tls=true")]
    [InlineData("nonsense")]
    public void What_this_client_cannot_do_is_said(string connectionString)
    {
        var exception = Assert.Throws<NotSupportedException>(() => RemoteCommandRunner.Connect(connectionString));
        Assert.DoesNotContain("secret", exception.Message, StringComparison.Ordinal);
    }
}
