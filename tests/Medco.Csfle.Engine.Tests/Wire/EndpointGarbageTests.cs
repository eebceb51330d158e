using System.Net.Sockets;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Tests.Bson;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Medco.Csfle.Engine.Wire;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Wire;

/// <summary>Whatever bytes come in, the endpoint answers or hangs up, and goes on serving the others.</summary>
public sealed class EndpointGarbageTests(ITestOutputHelper output) : IDisposable
{
    private const string Ping = """{"ping": 1, "$db": "admin"}""";

    private static readonly byte[][] Seeds =
    [
        EndpointClient.Msg(0, EndpointClient.Body("""{"find": "c", "filter": {"a": {"$in": [1, "x"]}}, "jsonSchema": {}, "isRemoteSchema": true, "$db": "db"}""")),
        EndpointClient.Msg(0, EndpointClient.Body("""{"insert": "c", "jsonSchema": {}, "isRemoteSchema": true, "$db": "db"}"""), EndpointClient.Sequence("documents", """{"a": {"b": [1]}}""", """{"_id": 7}""")),
        EndpointClient.Msg(0, EndpointClient.Body("""{"aggregate": "c", "pipeline": [{"$lookup": {"from": "d"}}], "csfleEncryptionSchemas": {"db.c": {"jsonSchema": {}, "isRemoteSchema": true}}, "$db": "db"}""")),
        EndpointClient.MsgWithChecksum(EndpointClient.Body(Ping)),
        EndpointClient.Query("admin.$cmd", """{"isMaster": 1, "client": {"application": {"name": "x"}}}"""),
    ];

    private readonly QueryAnalysisEndpoint _endpoint = QueryAnalysisEndpoint.Start();

    public void Dispose() => _endpoint.Dispose();

    public static TheoryData<string, byte[]> MalformedMessages => new()
    {
        { "no flags", EndpointClient.Message(2013, [0, 0]) },
        { "an unknown required flag", EndpointClient.Msg(4, EndpointClient.Body(Ping)) },
        { "no body", EndpointClient.Msg(0) },
        { "two bodies", EndpointClient.Msg(0, EndpointClient.Body(Ping), EndpointClient.Body(Ping)) },
        { "a section of unknown kind", EndpointClient.Msg(0, EndpointClient.Body(Ping), [2]) },
        { "a wrong checksum", EndpointClient.MsgWithChecksum(EndpointClient.Body(Ping), 1) },
        { "no room for a checksum", EndpointClient.Message(2013, [1, 0, 0, 0, 0]) },
        { "a sequence that is cut off", EndpointClient.Msg(0, EndpointClient.Body(Ping), [1, 9]) },
        { "a sequence longer than the message", EndpointClient.Msg(0, EndpointClient.Body(Ping), [1, 99, 0, 0, 0, 97, 0]) },
        { "a sequence shorter than its length", EndpointClient.Msg(0, EndpointClient.Body(Ping), [1, 3, 0, 0, 0, 97, 0]) },
        { "a sequence without a name", EndpointClient.Msg(0, EndpointClient.Body(Ping), [1, 6, 0, 0, 0, 97, 97]) },
        { "half a document in a sequence", EndpointClient.Msg(0, EndpointClient.Body(Ping), [1, 8, 0, 0, 0, 97, 0, 5, 0]) },
        { "a sequence of a name that is taken", EndpointClient.Msg(0, EndpointClient.Body("""{"insert": "c", "documents": [], "$db": "db"}"""), EndpointClient.Sequence("documents", "{}")) },
        { "two sequences of one name", EndpointClient.Msg(0, EndpointClient.Body("""{"insert": "c", "$db": "db"}"""), EndpointClient.Sequence("documents", "{}"), EndpointClient.Sequence("documents", "{}")) },
        { "more sequences than any command has", EndpointClient.Msg(0, [EndpointClient.Body(Ping), .. Enumerable.Range(0, 17).Select(index => EndpointClient.Sequence($"s{index}", "{}"))]) },
        { "a body that is no document", EndpointClient.Msg(0, [0, 1, 2, 3, 4, 5]) },
    };

    [Theory]
    [MemberData(nameof(MalformedMessages))]
    public void A_malformed_message_is_told_so_and_hung_up_on(string what, byte[] message)
    {
        using var client = new EndpointClient(_endpoint);
        var reply = ExtendedJson.ToJson(client.RoundTrip(message));
        Assert.True(reply.Contains("\"codeName\":\"ProtocolError\"", StringComparison.Ordinal) || reply.Contains("\"codeName\":\"InvalidBSON\"", StringComparison.Ordinal), $"{what}: {reply}");
        Assert.True(client.IsClosed(), what);
    }

    [Theory]
    [InlineData(new byte[] { 15, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 221, 7, 0, 0 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 77, 0, 0, 0, 0, 0, 0, 0, 221, 7, 0, 0 })]
    [InlineData(new byte[] { 1, 108, 220, 2, 77, 0, 0, 0, 0, 0, 0, 0, 221, 7, 0, 0 })]
    [InlineData(new byte[] { 16, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 220, 7, 0, 0 })]
    [InlineData(new byte[] { 71, 69, 84, 32, 47, 32, 72, 84, 84, 80, 47, 49, 46, 49, 13, 10 })]
    public void A_header_that_is_none_is_hung_up_on(byte[] header)
    {
        using var client = new EndpointClient(_endpoint);
        client.Send(header);
        Assert.True(client.IsClosed());
    }

    [Fact]
    public void Random_bytes_do_not_bring_it_down()
        => Check.One(Seeded.Config(output, 150), Prop.ForAll<byte[]>(bytes => Survives(bytes)));

    [Fact]
    public void Random_content_behind_a_proper_header_does_not_bring_it_down()
        => Check.One(Seeded.Config(output, 150), Prop.ForAll<byte[], bool>((bytes, isQuery) =>
            Survives(EndpointClient.Message(isQuery ? 2004 : 2013, bytes))));

    [Fact]
    public void Damaged_messages_do_not_bring_it_down()
    {
        const int Seed = 20_312;
        var random = new Random(Seed);
        for (var i = 0; i < 1_000; i++)
        {
            var message = Mutation.Of(Seeds[random.Next(Seeds.Length)], random);

            // A length that is right gets further.
            if (random.Next(2) == 0 && message.Length >= 16) BitConverter.TryWriteBytes(message, message.Length);
            Assert.True(Survives(message), $"seed {Seed}, number {i}: {Convert.ToHexString(message)}");
        }
    }

    private bool Survives(byte[] bytes)
    {
        using (var client = new EndpointClient(_endpoint))
        {
            try
            {
                client.Send(bytes);
                client.EndSending();
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Hung up on while still sending.
            }

            // Reads whatever answer there is; an endpoint that neither answers nor hangs up runs into the time limit.
            while (!client.IsClosed())
            {
            }
        }

        using var other = new EndpointClient(_endpoint);
        return ExtendedJson.ToJson(other.RoundTrip(Ping)) == """{"ok":1.0}""";
    }
}
