using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.KeyVault;

namespace Medco.Csfle.Engine.Tests.Operations;

public sealed class ServerSchemaCacheTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Schemas_and_their_absence_are_asked_for_once_in_sixty_seconds(bool async)
    {
        var runner = Server();
        var cache = new ServerSchemaCache(runner, _time);
        for (var i = 0; i < 3; i++)
        {
            var found = await Find(cache, async, "db.encrypted", "db.plain");
            Assert.True(found["db.encrypted"]!.EncryptsAnything);
            Assert.Null(found["db.plain"]);
        }

        Assert.Single(runner.Received);
        _time.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(1));
        await Find(cache, async, "db.plain", "db.encrypted");
        Assert.Single(runner.Received);
        _time.Advance(TimeSpan.FromTicks(1));
        await Find(cache, async, "db.plain");
        Assert.Equal(2, runner.Received.Count);
        Assert.Equal(async ? (0, 2) : (2, 0), (runner.Synchronous, runner.Asynchronous));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_command_for_each_database(bool async)
    {
        var runner = Server();
        var found = await Find(new ServerSchemaCache(runner, _time), async, "db.a", "other.encrypted", "db.b", "db.encrypted");
        Assert.Equal(
            [
                ("db", """{"listCollections":1,"filter":{"name":{"$in":["a","b","encrypted"]}},"cursor":{}}"""),
                ("other", """{"listCollections":1,"filter":{"name":"encrypted"},"cursor":{}}"""),
            ],
            runner.Received);
        Assert.Equal(["db.encrypted", "other.encrypted"], found.Where(each => each.Value is not null).Select(each => each.Key).Order(StringComparer.Ordinal));
        Assert.Equal(4, found.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Only_what_is_not_known_is_asked_for(bool async)
    {
        var runner = Server();
        var cache = new ServerSchemaCache(runner, _time);
        await Find(cache, async, "db.a");
        await Find(cache, !async, "db.a", "db.b");
        Assert.Equal("""{"listCollections":1,"filter":{"name":"b"},"cursor":{}}""", runner.Received[1].Command);
        Assert.Empty(await Find(cache, async));
        Assert.Equal(2, runner.Received.Count);
    }

    [Fact]
    public async Task Of_many_asynchronous_callers_one_asks()
    {
        var runner = Server();
        var release = new TaskCompletionSource();
        runner.Delay = _ => release.Task;
        var cache = new ServerSchemaCache(runner, _time);
        var callers = Enumerable.Range(0, 20).Select(i => cache.FindAsync(i % 2 == 0 ? ["db.encrypted"] : ["db.encrypted", "db.plain"], default).AsTask()).ToArray();
        Assert.All(callers, caller => Assert.False(caller.IsCompleted));
        release.SetResult();

        foreach (var found in await Task.WhenAll(callers)) Assert.True(found["db.encrypted"]!.EncryptsAnything);

        // The first asks for one, the second for the other; nobody asks for anything a second time.
        Assert.Equal(2, runner.Asynchronous);
    }

    [Fact]
    public async Task Of_many_synchronous_callers_one_asks()
    {
        using var started = new SemaphoreSlim(0);
        using var release = new SemaphoreSlim(0);
        var runner = new ScriptedCommandRunner((_, command) =>
        {
            started.Release();
            Assert.True(release.Wait(TimeSpan.FromSeconds(30)));
            return Answer(command);
        });
        var cache = new ServerSchemaCache(runner, _time);
        var callers = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () => cache.Find(["db.encrypted"], default), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Assert.True(await started.WaitAsync(TimeSpan.FromSeconds(30)));
        release.Release(callers.Length);

        foreach (var found in await Task.WhenAll(callers)) Assert.True(found["db.encrypted"]!.EncryptsAnything);
        Assert.Equal(1, runner.Synchronous);
    }

    [Fact]
    public async Task A_thread_does_not_wait_for_an_asynchronous_caller()
    {
        var runner = Server();
        var release = new TaskCompletionSource();
        runner.Delay = _ => release.Task;
        var cache = new ServerSchemaCache(runner, _time);
        var asynchronous = cache.FindAsync(["db.encrypted"], default);

        Assert.True(cache.Find(["db.encrypted"], default)["db.encrypted"]!.EncryptsAnything);
        Assert.False(asynchronous.IsCompleted);
        release.SetResult();
        Assert.True((await asynchronous)["db.encrypted"]!.EncryptsAnything);
    }

    [Fact]
    public async Task A_failure_reaches_all_who_wait_and_is_not_remembered()
    {
        var fails = true;
        var runner = new ScriptedCommandRunner((_, command) => fails ? """{"ok": 0, "code": 13, "codeName": "Unauthorized"}""" : Answer(command));
        var release = new TaskCompletionSource();
        runner.Delay = _ => release.Task;
        var cache = new ServerSchemaCache(runner, _time);
        var callers = Enumerable.Range(0, 3).Select(_ => cache.FindAsync(["db.encrypted"], default).AsTask()).ToArray();
        release.SetResult();
        foreach (var caller in callers) Assert.Equal(13, (await Assert.ThrowsAsync<ServerSchemaException>(() => caller)).ServerCode);
        Assert.Equal(1, runner.Asynchronous);

        fails = false;
        Assert.True(cache.Find(["db.encrypted"], default)["db.encrypted"]!.EncryptsAnything);
    }

    [Fact]
    public async Task An_error_about_one_namespace_does_not_reach_who_needs_another()
    {
        var runner = new ScriptedCommandRunner((_, command) => command.Contains("view", StringComparison.Ordinal)
            ? CollectionInfosTests.Reply("""{"name": "view", "type": "view", "options": {}}""")
            : Answer(command));
        var release = new TaskCompletionSource();
        runner.Delay = _ => release.Task;
        var cache = new ServerSchemaCache(runner, _time);
        var first = cache.FindAsync(["db.view", "db.encrypted"], default).AsTask();
        var second = cache.FindAsync(["db.encrypted"], default).AsTask();
        release.SetResult();

        await Assert.ThrowsAsync<QueryAnalysisException>(() => first);
        Assert.True((await second)["db.encrypted"]!.EncryptsAnything);
    }

    [Fact]
    public async Task Who_gives_up_takes_nobody_along()
    {
        var runner = Server();
        using var cancellation = new CancellationTokenSource();
        runner.Delay = token => Task.Delay(token.CanBeCanceled ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, token);
        var cache = new ServerSchemaCache(runner, _time);
        var first = cache.FindAsync(["db.encrypted"], cancellation.Token).AsTask();
        var second = cache.FindAsync(["db.encrypted"], default).AsTask();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.True((await second)["db.encrypted"]!.EncryptsAnything);
    }

    [Fact]
    public async Task Who_waits_for_another_can_give_up()
    {
        var runner = Server();
        var release = new TaskCompletionSource();
        runner.Delay = _ => release.Task;
        var cache = new ServerSchemaCache(runner, _time);
        var first = cache.FindAsync(["db.encrypted"], default).AsTask();
        using var cancellation = new CancellationTokenSource();
        var second = cache.FindAsync(["db.encrypted"], cancellation.Token).AsTask();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        release.SetResult();
        Assert.NotNull((await first)["db.encrypted"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_caller_asks_nothing(bool async)
    {
        var runner = Server();
        var cache = new ServerSchemaCache(runner, _time);
        var cancelled = new CancellationToken(true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => _ = async ? await cache.FindAsync(["db.a"], cancelled) : cache.Find(["db.a"], cancelled));
        Assert.Empty(runner.Received);
        Assert.Null((await Find(cache, async, "db.a"))["db.a"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_is_not_reached_is_a_typed_error_with_its_cause(bool async)
    {
        foreach (var cause in (Exception[])[new IOException("down"), new TimeoutException(), new TaskCanceledException()])
        {
            var cache = new ServerSchemaCache(new ScriptedCommandRunner((_, _) => throw cause), _time);
            var error = await Assert.ThrowsAsync<ServerSchemaException>(() => Find(cache, async, "db.a"));
            Assert.Same(cause, error.InnerException);
            Assert.Equal("db.a", error.Collection);
        }
    }

    [Fact]
    public async Task When_one_database_fails_what_another_answered_is_kept()
    {
        var runner = new ScriptedCommandRunner((database, command) => database == "db" ? Answer(command) : throw new IOException());
        var cache = new ServerSchemaCache(runner, _time);
        await Assert.ThrowsAsync<ServerSchemaException>(() => Find(cache, true, "db.encrypted", "other.a"));
        Assert.NotNull(cache.Find(["db.encrypted"], default)["db.encrypted"]);
        Assert.Equal(2, runner.Received.Count);
    }

    [Fact]
    public async Task What_is_forgotten_is_asked_for_again_even_while_it_was_under_way()
    {
        var encrypts = false;
        var runner = new ScriptedCommandRunner((_, command) => encrypts ? Answer(command) : CollectionInfosTests.Reply());
        var release = new TaskCompletionSource();
        runner.Delay = _ => release.Task;
        var cache = new ServerSchemaCache(runner, _time);
        var before = cache.FindAsync(["db.encrypted"], default).AsTask();
        cache.Forget();
        release.SetResult();
        Assert.Null((await before)["db.encrypted"]);
        Assert.Equal(0, cache.Count);

        encrypts = true;
        Assert.NotNull((await Find(cache, true, "db.encrypted"))["db.encrypted"]);
        Assert.Equal(2, runner.Received.Count);
    }

    [Fact]
    public void The_cache_is_bounded_and_gives_up_the_oldest_first()
    {
        var runner = Server();
        var cache = new ServerSchemaCache(runner, _time, capacity: 10);
        for (var i = 0; i < 25; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            cache.Find([$"db.c{i}"], default);
            Assert.InRange(cache.Count, 1, 10);
        }

        cache.Find(["db.c24", "db.c15"], default);
        Assert.Equal(25, runner.Received.Count);
        cache.Find(["db.c14"], default);
        Assert.Equal(26, runner.Received.Count);

        _time.Advance(TimeSpan.FromSeconds(60));
        cache.Find(["db.new"], default);
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void More_namespaces_than_the_cache_holds_are_found_all_the_same()
    {
        var cache = new ServerSchemaCache(Server(), _time, capacity: 2);
        Assert.Equal(5, cache.Find(["db.a", "db.b", "db.c", "db.d", "db.encrypted"], default).Count);
        Assert.Equal(2, cache.Count);
    }

    private static ScriptedCommandRunner Server() => new((_, command) => Answer(command));

    /// <summary>A server on which <c>encrypted</c> is the only collection of every database.</summary>
    private static string Answer(string command)
        => command.Contains("\"encrypted\"", StringComparison.Ordinal)
            ? CollectionInfosTests.Reply(CollectionInfosTests.Info($$$"""{"validator": {"$jsonSchema": {{{CollectionInfosTests.Encrypting}}}}}""", "encrypted"))
            : CollectionInfosTests.Reply();

    private static async Task<IReadOnlyDictionary<string, EncryptionSchema?>> Find(ServerSchemaCache cache, bool async, params string[] namespaces)
        => async ? await cache.FindAsync(namespaces, default) : cache.Find(namespaces, default);
}
