using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Operations;

public sealed class CanaryTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly EngineFixture _fixture = new();

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    public void Dispose()
    {
        _server.Dispose();
        _fixture.Dispose();
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_canary_is_stored_encrypted_read_back_and_removed(bool isAsync)
    {
        var documents = Documents();

        await Fly(new Canary(new EncryptingRunner(_server, _fixture.Engine), _server), documents, isAsync);

        Assert.Equal(["insert", "find", "find", "delete"], _server.Commands.Select(command => command.Name));
        Assert.Empty(Stored());
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_canary_that_is_stored_in_clear_is_noticed_and_removed(bool isAsync)
    {
        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Fly(new Canary(_server, _server), Documents(), isAsync));

        Assert.Equal((CsfleErrorCode.CanaryFailed, "db.coll"), (exception.Code, exception.Collection));
        Assert.Contains("came out as int", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Stored());
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_canary_that_is_not_decrypted_is_noticed_and_removed(bool isAsync)
    {
        var blind = new EncryptingRunner(_server, _fixture.Engine) { Decrypts = false };

        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Fly(new Canary(blind, _server), Documents(), isAsync));

        Assert.Contains("read back as something else", exception.Message, StringComparison.Ordinal);
        Assert.Empty(Stored());
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_canary_that_stays_is_noticed(bool isAsync)
    {
        var plain = new EncryptingRunner(_server, engine: null) { Refused = "delete" };

        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Fly(new Canary(new EncryptingRunner(_server, _fixture.Engine), plain), Documents(), isAsync));

        Assert.Contains("not removed: error 13 (Unauthorized)", exception.Message, StringComparison.Ordinal);
        Assert.Contains("csfle-canary-", exception.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("insert", "did not take")]
    [InlineData("find", "could not be read")]
    public async Task A_server_that_refuses_is_told_by_its_code_and_what_was_written_is_removed(string refused, string message)
    {
        var encrypted = new EncryptingRunner(_server, _fixture.Engine) { Refused = refused };

        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Fly(new Canary(encrypted, _server), Documents(), isAsync: true));

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.Contains("13 (Unauthorized)", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", exception.ToString(), StringComparison.Ordinal);
        Assert.Empty(Stored());
    }

    [Fact]
    public async Task A_canary_that_somebody_removes_in_between_is_missed()
    {
        var encrypted = new EncryptingRunner(_server, _fixture.Engine) { After = "insert", Then = () => _server.RunCommand("db", ExtendedJson.ToBson("""{"drop": "coll"}""")) };

        var exception = await Assert.ThrowsAsync<EncryptionProofException>(() => Fly(new Canary(encrypted, _server), Documents(), isAsync: false));

        Assert.Contains("0 were found again", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_id_is_encrypted_another_field_identifies_the_documents()
    {
        using var fixture = new EngineFixture("""{"bsonType": "object", "encryptMetadata": {"keyId": [{"$uuid": "KEY"}]}, "properties": {"_id": {"encrypt": {"bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}""");
        var documents = SyntheticDocuments.Create("db.coll", fixture.Schema, null);

        new Canary(new EncryptingRunner(_server, fixture.Engine), _server).Run(documents, default);

        Assert.Equal("csfleCanary", documents.MarkerName);
        Assert.Empty(Stored());
    }

    [Fact]
    public void Where_no_field_is_plain_nothing_is_written()
    {
        using var fixture = new EngineFixture("""{"bsonType": "object", "additionalProperties": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}}""");
        var documents = SyntheticDocuments.Create("db.coll", fixture.Schema, null);

        new Canary(new EncryptingRunner(_server, fixture.Engine), _server).Run(documents, default);

        Assert.Null(documents.MarkerName);
        Assert.Empty(_server.Commands);
    }

    private SyntheticDocuments Documents() => SyntheticDocuments.Create("db.coll", _fixture.Schema, null);

    private List<string> Stored()
    {
        var reply = _server.RunCommand("db", ExtendedJson.ToBson("""{"find": "coll", "filter": {}, "singleBatch": true}"""));
        Assert.True(ServerReply.TryReadBatch(reply, out var batch));
        var found = new List<string>();
        while (batch.Read()) found.Add(ExtendedJson.ToJson(batch.Value));
        return found;
    }

    private static async Task Fly(Canary canary, SyntheticDocuments documents, bool isAsync)
    {
        if (isAsync)
        {
            await canary.RunAsync(documents, default);
        }
        else
        {
            canary.Run(documents, default);
        }
    }

    /// <summary>A client's way to a server: encrypts, unless it has no engine; decrypts, unless it is told not to; refuses a command.</summary>
    private sealed class EncryptingRunner(IMongoCommandRunner inner, CsfleEngine? engine) : IMongoCommandRunner
    {
        public bool Decrypts { get; init; } = true;

        public string? Refused { get; init; }

        public string? After { get; init; }

        public Action? Then { get; init; }

        public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
        {
            var reader = new BsonReader(command.Span);
            reader.Read();
            var name = reader.GetName();
            if (name == Refused) return ExtendedJson.ToBson("""{"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "SECRET"}""");
            var reply = inner.RunCommand(databaseName, engine is null ? command : engine.EncryptCommand(databaseName, command, cancellationToken), cancellationToken);
            if (name == After) Then!();
            return engine is null || !Decrypts ? reply : engine.DecryptReply(reply, cancellationToken).ToArray();
        }

        public ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(RunCommand(databaseName, command, cancellationToken));
    }
}
