using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Medco.Csfle.TestServer.Tests.Protocol;

namespace Medco.Csfle.TestServer.Tests;

public class InProcessMongoServerTests
{
    private const string Ping = "{'ping': 1, '$db': 'test'}";

    [Fact]
    public void The_server_listens_on_the_loopback_address_alone()
    {
        using var server = InProcessMongoServer.Start();
        Assert.Equal($"mongodb://127.0.0.1:{server.Port}", server.ConnectionString);
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(endpoint => endpoint.Port == server.Port);
        Assert.Equal([IPAddress.Loopback], listening.Select(endpoint => endpoint.Address));
    }

    [Fact]
    public void Servers_share_nothing()
    {
        using var one = InProcessMongoServer.Start();
        using var two = InProcessMongoServer.Start();
        one.RunOk("{'insert': 'c', 'documents': [{}]}");
        Assert.Empty(two.RunOk("{'find': 'c'}").Batch());
    }

    [Fact]
    public async Task Commands_run_directly_as_they_do_on_the_wire()
    {
        await using var server = InProcessMongoServer.Start();
        using var client = new RawClient(server);
        client.RoundTrip("{'insert': 'c', 'documents': [{'_id': 1}], '$db': 'test'}");

        var reply = await server.RunCommandAsync("test", Bson.Bytes("{'find': 'c'}"));
        Assert.Equal(["{'_id': 1}"], TestServer.Values.Document.Parse(reply).Batch());
    }

    [Fact]
    public async Task A_direct_command_is_checked_like_any_other()
    {
        using var server = InProcessMongoServer.Start();
        Assert.Equal(22, ServerCalls.Int(TestServer.Values.Document.Parse(server.RunCommand("test", new byte[] { 1, 2, 3 })).Find("code")!));
        server.RunError(2, Ping);

        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await server.RunCommandAsync("test", Bson.Bytes("{'ping': 1}"), cancelled.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => server.RunCommand("test", Bson.Bytes("{'ping': 1}"), cancelled.Token));
    }

    [Fact]
    public void What_is_stored_does_not_change_with_the_caller_s_memory()
    {
        using var server = InProcessMongoServer.Start();
        var command = Bson.Bytes("{'insert': 'c', 'documents': [{'_id': 'abc'}]}");
        server.RunCommand("test", command);
        Array.Clear(command);
        Assert.Equal(["{'_id': 'abc'}"], server.RunOk("{'find': 'c'}").Batch());
    }

    [Fact]
    public void Received_commands_can_be_searched_for_plaintext()
    {
        using var server = InProcessMongoServer.Start();
        var heard = new List<string>();
        server.CommandReceived += (_, command) => heard.Add(command.Name);
        using var client = new RawClient(server);
        client.RoundTrip(RawClient.Msg(0, RawClient.Body("{'insert': 'c', '$db': 'test'}"), RawClient.Sequence("documents", "{'ssn': 'sentinel'}")));
        server.RunOk("{'find': 'c'}", "other");

        Assert.Equal(["insert", "find"], heard);
        Assert.Equal([("test", "insert"), ("other", "find")], server.Commands.Select(command => (command.Database, command.Name)));
        Assert.Equal([true, false], server.Commands.Select(command => command.Bytes.Span.IndexOf(Encoding.UTF8.GetBytes("sentinel")) >= 0));

        server.ClearCommands();
        server.KeepsCommands = false;
        server.RunOk("{'ping': 1}");
        Assert.Empty(server.Commands);
        Assert.Equal(["insert", "find", "ping"], heard);
    }

    [Fact]
    public void A_listener_that_throws_is_told_to_the_client_and_harms_nobody_else()
    {
        using var server = InProcessMongoServer.Start();
        using var client = new RawClient(server);
        EventHandler<ReceivedCommand> failing = (_, _) => throw new InvalidOperationException("not this one");
        server.CommandReceived += failing;
        Assert.Contains("not this one", client.RoundTrip(Ping).Find("errmsg")!.Text, StringComparison.Ordinal);
        server.CommandReceived -= failing;
        Assert.Equal("{'ok': 1.0}", Bson.Json(client.RoundTrip(Ping)));
    }

    [Fact]
    public async Task Disposing_closes_idle_and_half_sent_connections_at_once()
    {
        var server = InProcessMongoServer.Start();
        using var idle = new RawClient(server);
        idle.RoundTrip(Ping);
        using var halfSent = new RawClient(server);
        halfSent.RoundTrip(Ping);
        halfSent.Send([100, 0, 0, 0, 1]);

        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(idle.IsClosed());
        Assert.True(halfSent.IsClosed());
        Assert.ThrowsAny<SocketException>(() => new RawClient(server));
        Assert.Throws<ObjectDisposedException>(() => server.RunCommand("test", Bson.Bytes("{'ping': 1}")));
        server.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Disposing_under_load_ends_every_client()
    {
        var server = InProcessMongoServer.Start();
        const int Clients = 8;
        using var answeredOnce = new CountdownEvent(Clients);
        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Factory.StartNew(() =>
        {
            var answered = 0;
            try
            {
                using var client = new RawClient(server);
                while (true)
                {
                    client.RoundTrip("{'insert': 'c', 'documents': [{}], '$db': 'test'}");
                    if (answered++ == 0) answeredOnce.Signal();
                }
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                return answered;
            }
        }, TaskCreationOptions.LongRunning)).ToArray();

        Assert.True(answeredOnce.Wait(TimeSpan.FromSeconds(30)));
        await server.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.All(await Task.WhenAll(clients).WaitAsync(TimeSpan.FromSeconds(10)), answered => Assert.True(answered > 0));
    }
}
