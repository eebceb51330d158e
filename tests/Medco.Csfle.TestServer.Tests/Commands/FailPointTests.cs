using System.Diagnostics;

namespace Medco.Csfle.TestServer.Tests.Commands;

public sealed class FailPointTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void The_commands_it_names_fail_as_often_as_it_says()
    {
        Configure("{'times': 2}", "{'failCommands': ['insert', 'find'], 'errorCode': 91, 'errorLabels': ['RetryableWriteError']}");
        _server.RunError(91, "{'find': 'c'}");
        _server.RunOk("{'ping': 1}");
        Assert.Equal("RetryableWriteError", Assert.Single(_server.Run("{'insert': 'c', 'documents': [{}]}").Find("errorLabels")!.Items).Text);
        Assert.Empty(_server.RunOk("{'find': 'c'}").Batch());
    }

    [Fact]
    public void It_can_be_always_on_and_off_again()
    {
        Configure("'alwaysOn'", "{'failCommands': ['ping'], 'errorCode': 91}");
        for (var i = 0; i < 3; i++) _server.RunError(91, "{'ping': 1}");
        Configure("'off'", "{}");
        _server.RunOk("{'ping': 1}");
    }

    [Fact]
    public void A_command_that_is_held_back_runs_in_the_end()
    {
        Configure("{'times': 1}", "{'failCommands': ['insert'], 'blockConnection': true, 'blockTimeMS': 50}");
        var watch = Stopwatch.StartNew();
        _server.RunOk("{'insert': 'c', 'documents': [{}]}");
        Assert.True(watch.ElapsedMilliseconds >= 40);
        Assert.Single(_server.RunOk("{'find': 'c'}").Batch());
    }

    [Fact]
    public void Who_gives_up_on_a_command_that_is_held_back_need_not_wait_and_it_does_not_run()
    {
        Configure("{'times': 1}", "{'failCommands': ['insert'], 'blockConnection': true, 'blockTimeMS': 60000}");
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        Assert.ThrowsAny<OperationCanceledException>(() => _server.RunCommand("test", Bson.Bytes("{'insert': 'c', 'documents': [{}]}"), source.Token));
        Assert.Empty(_server.RunOk("{'find': 'c'}").Batch());
    }

    [Theory]
    [InlineData(13, "test", "{'configureFailPoint': 'failCommand', 'mode': 'off'}")]
    [InlineData(238, "admin", "{'configureFailPoint': 'hangAnalyzeDB', 'mode': 'off'}")]
    [InlineData(238, "admin", "{'configureFailPoint': 'failCommand', 'mode': {'activationProbability': 0.5}, 'data': {'failCommands': ['find']}}")]
    [InlineData(238, "admin", "{'configureFailPoint': 'failCommand', 'mode': {'times': 0}, 'data': {'failCommands': ['find']}}")]
    [InlineData(238, "admin", "{'configureFailPoint': 'failCommand', 'mode': 'alwaysOn', 'data': {'failCommands': ['find'], 'closeConnection': true}}")]
    [InlineData(2, "admin", "{'configureFailPoint': 'failCommand', 'mode': 'alwaysOn', 'data': {'failCommands': ['find'], 'blockConnection': true, 'blockTimeMS': -1}}")]
    [InlineData(2, "admin", "{'configureFailPoint': 'failCommand', 'mode': 'alwaysOn'}")]
    [InlineData(40414, "admin", "{'configureFailPoint': 'failCommand'}")]
    [InlineData(40415, "admin", "{'configureFailPoint': 'failCommand', 'mode': 'off', 'x': 1}")]
    public void What_it_cannot_do_is_an_error(int code, string database, string command)
    {
        _server.RunError(code, command, database);
        _server.RunOk("{'find': 'c'}");
    }

    private void Configure(string mode, string data)
        => _server.RunOk($"{{'configureFailPoint': 'failCommand', 'mode': {mode}, 'data': {data}}}", "admin");
}
