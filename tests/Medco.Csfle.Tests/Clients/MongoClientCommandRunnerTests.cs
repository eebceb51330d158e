using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Driver;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Connections;
using MongoDB.Driver.Core.Servers;
using Moq;

namespace Medco.Csfle.Tests.Clients;

public sealed class MongoClientCommandRunnerTests
{
    private static readonly byte[] Ping = new BsonDocument("ping", 1).ToBson();
    private static readonly ConnectionId Connection = new(new ServerId(new ClusterId(), new System.Net.DnsEndPoint("localhost", 1)));

    private readonly Mock<IMongoClient> _client = new();
    private readonly Mock<IMongoDatabase> _database = new();
    private readonly MongoClientSettings _settings = new();

    public MongoClientCommandRunnerTests()
    {
        _client.Setup(client => client.Settings).Returns(_settings);
        _client.Setup(client => client.GetDatabase("db", null)).Returns(_database.Object);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_go_in_and_come_out_as_they_are_on_the_primary(bool isAsync)
    {
        // An order and a duplicate that a parsed document would not keep.
        var reply = new BsonDocument(allowDuplicateNames: true) { { "z", 1 }, { "ok", 1 }, { "a", 2 }, { "z", 3 } }.ToBson();
        byte[]? sent = null;
        Answer(command =>
        {
            sent = command;
            return new RawBsonDocument(reply);
        });

        Assert.Equal(reply, await Run(isAsync));
        Assert.Equal(Ping, sent);
    }

    public static TheoryData<string, bool> Refusals => new()
    {
        { "command", false }, { "command", true },
        { "notPrimary", false }, { "notPrimary", true },
        { "recovering", true },
        { "writeConcern", true },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_reply_that_the_driver_makes_an_exception_of_is_returned(string kind, bool isAsync)
    {
        var reply = new BsonDocument { { "ok", 0 }, { "code", 26 }, { "errmsg", "no" } };
        Answer(_ => throw (kind switch
        {
            "notPrimary" => new MongoNotPrimaryException(Connection, [], reply),
            "recovering" => new MongoNodeIsRecoveringException(Connection, [], reply),
            "writeConcern" => new MongoWriteConcernException(Connection, "no", new WriteConcernResult(reply)),
            _ => new MongoCommandException(Connection, "no", [], reply),
        }));

        Assert.Equal(reply.ToBson(), await Run(isAsync));
    }

    [Fact]
    public async Task A_reply_that_the_time_is_up_keeps_its_code()
    {
        Answer(_ => throw new MongoExecutionTimeoutException(Connection, "slow", new BsonDocument { { "ok", 0 }, { "code", 50 }, { "codeName", "MaxTimeMSExpired" } }));

        var reply = new RawBsonDocument(await Run(isAsync: true));

        Assert.Equal((0, 50, "MaxTimeMSExpired"), (reply["ok"].AsInt32, reply["code"].AsInt32, reply["codeName"].AsString));
    }

    [Fact]
    public async Task A_fault_of_the_transport_is_thrown()
    {
        Answer(_ => throw new MongoConnectionException(Connection, "gone"));

        await Assert.ThrowsAsync<MongoConnectionException>(() => Run(isAsync: true));
    }

    [Fact]
    public void An_encrypting_client_is_refused()
    {
        _settings.AutoEncryptionOptions = new AutoEncryptionOptions(CollectionNamespace.FromFullName("a.b"), new Dictionary<string, IReadOnlyDictionary<string, object>>());

        var exception = Assert.Throws<CsfleConfigurationException>(() => new MongoClientCommandRunner(_client.Object));

        Assert.Contains("CreateUnencryptedClient", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_real_server_answers_and_refuses()
    {
        using var server = new MongoServer();
        using var client = new MongoClient(server.ConnectionString);
        var runner = new MongoClientCommandRunner(client);

        Assert.Equal(1, new RawBsonDocument(await runner.RunCommandAsync("admin", Ping))["ok"].ToInt32());
        var refused = new RawBsonDocument(runner.RunCommand("admin", new BsonDocument("noSuchCommand", 1).ToBson()));
        Assert.Equal((0, 59), (refused["ok"].ToInt32(), refused["code"].ToInt32()));
    }

    private async Task<byte[]> Run(bool isAsync)
    {
        var runner = new MongoClientCommandRunner(_client.Object);
        return isAsync ? await runner.RunCommandAsync("db", Ping) : runner.RunCommand("db", Ping);
    }

    private void Answer(Func<byte[], RawBsonDocument> answer)
    {
        _database.Setup(database => database.RunCommand(It.IsAny<Command<RawBsonDocument>>(), ReadPreference.Primary, default))
            .Returns((Command<RawBsonDocument> command, ReadPreference _, CancellationToken _) => answer(Bytes(command)));
        _database.Setup(database => database.RunCommandAsync(It.IsAny<Command<RawBsonDocument>>(), ReadPreference.Primary, default))
            .Returns(async (Command<RawBsonDocument> command, ReadPreference _, CancellationToken _) =>
            {
                await Task.Yield();
                return answer(Bytes(command));
            });
    }

    private static byte[] Bytes(Command<RawBsonDocument> command)
    {
        var slice = ((RawBsonDocument)((BsonDocumentCommand<RawBsonDocument>)command).Document).Slice;
        var bytes = new byte[slice.Length];
        slice.GetBytes(0, bytes, 0, bytes.Length);
        return bytes;
    }
}
