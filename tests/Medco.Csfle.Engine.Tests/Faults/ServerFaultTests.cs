using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>The server with the key vault and the schemas goes away at any command that the engine needs of it.</summary>
public sealed class ServerFaultTests : IDisposable
{
    private const string Sentinel = "plaintext-7f31";

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();

    public void Dispose()
    {
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_line_that_breaks_at_any_question_is_a_typed_error_and_the_same_engine_goes_on(bool arrivesAllTheSame, bool isAsync)
    {
        CreateCollection();
        for (var cutAt = 0; ; cutAt++)
        {
            var line = new FaultyCommandRunner(_server);
            using var vault = Open(line);
            var engine = new CsfleEngine(vault, new CsfleEngineOptions { ServerSchemas = line });
            line.CutAt = cutAt;
            line.ArrivesAllTheSame = arrivesAllTheSame;
            var failed = false;
            try
            {
                await Insert(engine, isAsync);
            }
            catch (Exception e) when (e is KeyVaultException or ServerSchemaException)
            {
                Assert.IsType<IOException>(e.InnerException);
                Assert.DoesNotContain(Sentinel, e.ToString(), StringComparison.Ordinal);
                failed = true;
            }

            line.CutAt = null;
            Assert.DoesNotContain(line.Sent, command => command.Contains(Sentinel, StringComparison.Ordinal));
            var sent = await Insert(engine, isAsync);
            Assert.Equal(-1, sent.Span.IndexOf(Encoding.UTF8.GetBytes(Sentinel)));
            Assert.Contains(Sentinel, ExtendedJson.ToJson(engine.DecryptReply(sent).Span), StringComparison.Ordinal);
            if (failed) continue;

            // One question for the schema, one for the key.
            Assert.Equal(2, cutAt);
            break;
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_line_that_breaks_while_a_key_is_made_leaves_one_key_or_none_and_asking_again_gets_it(bool arrivesAllTheSame, bool isAsync)
    {
        for (var cutAt = 0; ; cutAt++)
        {
            using var server = InProcessMongoServer.Start();
            var line = new FaultyCommandRunner(server) { CutAt = cutAt, ArrivesAllTheSame = arrivesAllTheSame };
            using var vault = Open(line);
            var failed = false;
            try
            {
                _ = isAsync ? await vault.GetOrCreateDataKeyAsync("local", "patients") : vault.GetOrCreateDataKey("local", "patients");
            }
            catch (KeyVaultException e)
            {
                Assert.Contains("cannot be reached", e.Message, StringComparison.Ordinal);
                failed = true;
            }

            line.CutAt = null;
            Assert.InRange(vault.FindKeys().Count, 0, 1);
            var id = isAsync ? await vault.GetOrCreateDataKeyAsync("local", "patients") : vault.GetOrCreateDataKey("local", "patients");
            Assert.Equal([id], vault.FindKeys().Select(key => key.Id));
            if (failed) continue;
            Assert.InRange(cutAt, 3, 10);
            break;
        }
    }

    [Fact]
    public async Task While_the_server_is_away_keys_and_schemas_in_memory_go_on_working()
    {
        CreateCollection();
        var line = new FaultyCommandRunner(_server);
        using var vault = Open(line);
        var engine = new CsfleEngine(vault, new CsfleEngineOptions { ServerSchemas = line });
        var sent = await Insert(engine, isAsync: false);

        line.IsDown = true;

        Assert.Contains(Sentinel, ExtendedJson.ToJson(engine.DecryptReply(sent).Span), StringComparison.Ordinal);
        Assert.Equal(-1, (await Insert(engine, isAsync: true)).Span.IndexOf(Encoding.UTF8.GetBytes(Sentinel)));
    }

    [Fact]
    public async Task A_slow_key_vault_is_waited_for_until_the_caller_gives_up_and_the_next_caller_is_served()
    {
        CreateCollection();
        var line = new FaultyCommandRunner(_server);
        using var vault = Open(line);
        var engine = new CsfleEngine(vault, new CsfleEngineOptions { ServerSchemas = _server });
        var isWaiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        line.Delay = async cancellationToken =>
        {
            isWaiting.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        };
        using var giveUp = new CancellationTokenSource();
        var waiting = engine.EncryptCommandAsync("db", Command(), giveUp.Token).AsTask();
        await isWaiting.Task;
        Assert.False(waiting.IsCompleted);

        giveUp.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        line.Delay = _ => Task.CompletedTask;
        Assert.Equal(-1, (await Insert(engine, isAsync: true)).Span.IndexOf(Encoding.UTF8.GetBytes(Sentinel)));
        Assert.DoesNotContain(line.Sent, command => command.Contains(Sentinel, StringComparison.Ordinal));
    }

    private static byte[] Command() => ExtendedJson.ToBson($$"""{"insert": "coll", "documents": [{"bloodType": "{{Sentinel}}"}]}""");

    private static async Task<ReadOnlyMemory<byte>> Insert(CsfleEngine engine, bool isAsync)
        => isAsync ? await engine.EncryptCommandAsync("db", Command()) : engine.EncryptCommand("db", Command());

    private KeyVaultService Open(IMongoCommandRunner runner)
        => new(new MongoKeyVaultStore(runner, "encryption.__keyVault"), [new LocalKeyManagementService(_masterKey)]);

    private void CreateCollection()
    {
        using var vault = Open(_server);
        var keyId = vault.CreateDataKey("local");
        var schema = EngineFixture.PatientSchema.Replace("KEY", keyId.ToString(), StringComparison.Ordinal);
        var reply = _server.RunCommand("db", ExtendedJson.ToBson($$$"""{"create": "coll", "validator": {"$jsonSchema": {{{schema}}}}}"""));
        Assert.Contains("\"ok\":1", ExtendedJson.ToJson(reply), StringComparison.Ordinal);
    }
}
