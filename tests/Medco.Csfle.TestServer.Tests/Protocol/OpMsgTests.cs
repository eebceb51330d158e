using System.Text;
using Medco.Csfle.TestServer.Protocol;

namespace Medco.Csfle.TestServer.Tests.Protocol;

public sealed class OpMsgTests : IDisposable
{
    private const string Ping = "{'ping': 1, '$db': 'test'}";

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly RawClient _client;

    public OpMsgTests() => _client = new RawClient(_server);

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void A_command_is_answered_on_the_connection_it_came_on()
    {
        Assert.Equal("{'ok': 1.0}", Bson.Json(_client.RoundTrip(Ping)));
        Assert.Equal("{'ok': 1.0}", Bson.Json(_client.RoundTrip(Ping)));
    }

    [Fact]
    public void Document_sequences_become_arrays_of_the_command()
    {
        var insert = RawClient.Msg(0,
            RawClient.Sequence("documents", "{'_id': 1}", "{'_id': 2}"),
            RawClient.Body("{'insert': 'c', 'ordered': true, '$db': 'test'}"));

        Assert.Equal("{'n': 2, 'ok': 1.0}", Bson.Json(_client.RoundTrip(insert)));
        Assert.Equal(
            "{'insert': 'c', 'ordered': true, '$db': 'test', 'documents': [{'_id': 1}, {'_id': 2}]}",
            Bson.Json(_server.Commands[^1].Bytes.Span));
    }

    [Fact]
    public void A_checksum_is_verified()
    {
        Assert.Equal("{'ok': 1.0}", Bson.Json(_client.RoundTrip(RawClient.MsgWithChecksum(RawClient.Body(Ping)))));

        var reply = _client.RoundTrip(RawClient.MsgWithChecksum(RawClient.Body(Ping), checksum: 1));
        Assert.Equal("OP_MSG checksum does not match contents", reply.Find("errmsg")!.Text);
        Assert.True(_client.IsClosed());
    }

    [Fact]
    public void The_checksum_is_CRC_32C() => Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void A_message_with_more_to_come_runs_and_is_not_answered()
    {
        const uint MoreToCome = 2;
        _client.Send(RawClient.Msg(MoreToCome, RawClient.Body("{'insert': 'c', 'documents': [{'_id': 1}], 'writeConcern': {'w': 0}, '$db': 'test'}")));

        // The next answer belongs to the next command, which sees what the first one did.
        Assert.Equal(["{'_id': 1}"], _client.RoundTrip("{'find': 'c', '$db': 'test'}").Batch());
    }

    [Fact]
    public void A_client_may_allow_exhaust_and_is_answered_once()
    {
        Assert.Equal("{'ok': 1.0}", Bson.Json(_client.RoundTrip(RawClient.Msg(1 << 16, RawClient.Body(Ping)))));
        Assert.Equal("{'ok': 1.0}", Bson.Json(_client.RoundTrip(Ping)));
    }

    [Fact]
    public void A_command_names_its_database()
        => Assert.Equal(40571, ServerCalls.Int(_client.RoundTrip("{'ping': 1}").Find("code")!));

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "OP_MSG has no body", RawClient.Msg(0) },
        { "OP_MSG has no body", RawClient.Msg(0, RawClient.Sequence("documents", "{}")) },
        { "OP_MSG has more than one body", RawClient.Msg(0, RawClient.Body(Ping), RawClient.Body(Ping)) },
        { "unknown kind 9", RawClient.Msg(0, [9]) },
        { "unknown required flags 0x4", RawClient.Msg(4, RawClient.Body(Ping)) },
        { "OP_MSG has no flags", RawClient.Message(2013, [0, 0]) },
        { "no room for its checksum", RawClient.Msg(1) },
        { "'documents' stands in OP_MSG twice", RawClient.Msg(0, RawClient.Body("{'insert': 'c', 'documents': [], '$db': 'test'}"), RawClient.Sequence("documents")) },
        { "a document sequence is cut off", RawClient.Msg(0, [1, 5]) },
        { "the size of a document sequence does not fit", RawClient.Msg(0, [1, 200, 0, 0, 0, 0]) },
        { "the size of a document sequence does not fit", RawClient.Msg(0, [1, 255, 255, 255, 255, 0]) },
        { "has no terminator", RawClient.Msg(0, [1, 6, 0, 0, 0, 65, 65]) },
        { "Malformed BSON", RawClient.Msg(0, [0, 5, 0, 0, 0]) },
        { "Malformed BSON", RawClient.Msg(0, [0, 5, 0, 0, 0, 1]) },
        { "Malformed BSON", RawClient.Msg(0, [0, 255, 255, 255, 127, 0]) },
        { "Malformed BSON", RawClient.Msg(0, [1, 11, 0, 0, 0, 65, 0, 9, 0, 0, 0, 0]) },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_message_is_told_and_ends_the_connection(string message, byte[] bytes)
    {
        var reply = _client.RoundTrip(bytes);
        Assert.Equal(0, ServerCalls.Int(reply.Find("ok")!));
        Assert.Contains(message, reply.Find("errmsg")!.Text, StringComparison.Ordinal);
        Assert.True(_client.IsClosed());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(-1)]
    [InlineData(48_000_001)]
    [InlineData(int.MaxValue)]
    public void A_message_of_an_impossible_length_ends_the_connection(int length)
    {
        _client.Send([.. BitConverter.GetBytes(length), 77, 0, 0, 0, 0, 0, 0, 0, 0xDD, 7, 0, 0]);
        Assert.True(_client.IsClosed());
    }

    [Theory]
    [InlineData(2001)]
    [InlineData(2012)]
    [InlineData(0)]
    public void A_message_of_another_kind_ends_the_connection(int opCode)
    {
        _client.Send(RawClient.Message(opCode, [0, 0, 0, 0]));
        Assert.True(_client.IsClosed());
    }

    [Fact]
    public void A_client_that_leaves_in_the_middle_of_a_message_harms_nobody()
    {
        _client.Send(RawClient.Msg(0, RawClient.Body(Ping))[..20]);
        _client.EndSending();
        Assert.True(_client.IsClosed());

        using var other = new RawClient(_server);
        Assert.Equal("{'ok': 1.0}", Bson.Json(other.RoundTrip(Ping)));
    }

    [Fact]
    public void A_message_may_come_in_pieces()
    {
        foreach (var b in RawClient.Msg(0, RawClient.Body(Ping))) _client.Send([b]);
        Assert.Equal("{'ok': 1.0}", Bson.Json(_client.ReadMsg()));
    }

    [Fact]
    public void Messages_may_be_sent_ahead_of_their_answers()
    {
        _client.Send([.. RawClient.Msg(0, RawClient.Body(Ping)), .. RawClient.Msg(0, RawClient.Body("{'nothing': 1, '$db': 'test'}"))]);
        Assert.Equal("{'ok': 1.0}", Bson.Json(_client.ReadMsg()));
        Assert.Equal(59, ServerCalls.Int(_client.ReadMsg().Find("code")!));
    }

}
