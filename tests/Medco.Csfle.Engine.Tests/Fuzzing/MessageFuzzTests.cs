using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Tests.Analysis;
using Medco.Csfle.Engine.Tests.Kms;
using Medco.Csfle.Engine.Tests.Wire;
using Medco.Csfle.Engine.Wire;
using Medco.Csfle.TestServer;
using Xunit.Abstractions;
using ServerMsg = Medco.Csfle.TestServer.Protocol.OpMsg;
using ServerQuery = Medco.Csfle.TestServer.Protocol.OpQuery;
using ProtocolException = Medco.Csfle.TestServer.Protocol.ProtocolException;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>Messages of the wire protocol, whole: without the socket, which other tests damage.</summary>
public sealed class MessageFuzzTests(ITestOutputHelper output)
{
    private static readonly byte[][] Commands =
    [
        ExtendedJson.ToBson("""{"find": "c", "filter": {"a": {"$in": [1, "x"]}}, "jsonSchema": {}, "isRemoteSchema": true, "$db": "db"}"""),
        ExtendedJson.ToBson("""{"aggregate": "c", "pipeline": [{"$lookup": {"from": "d"}}], "csfleEncryptionSchemas": {"db.c": {"jsonSchema": {}, "isRemoteSchema": true}}, "$db": "db"}"""),
        .. AnalysisCase.LoadAll().Select(WithSchema),
    ];

    private static readonly Corpus Messages = new([.. Commands.Take(200).Select(command => EndpointClient.Msg(0, [0, .. command])),
        EndpointClient.Msg(0, EndpointClient.Body("""{"insert": "c", "jsonSchema": {}, "isRemoteSchema": true, "$db": "db"}"""), EndpointClient.Sequence("documents", """{"a": {"b": [1]}}""", """{"_id": 7}""")),
        EndpointClient.Msg(0, EndpointClient.Body("""{"update": "c", "$db": "db"}"""), EndpointClient.Sequence("updates", """{"q": {}, "u": {"$set": {"a": 1}}}"""), EndpointClient.Sequence("x", "{}")),
        EndpointClient.MsgWithChecksum(EndpointClient.Body("""{"ping": 1, "$db": "admin"}"""))]);

    private static readonly Corpus Queries = new(
        EndpointClient.Query("admin.$cmd", """{"isMaster": 1, "client": {"application": {"name": "x"}}}"""),
        EndpointClient.Query("admin.$cmd", """{"$query": {"hello": 1}, "$readPreference": {"mode": "primary"}}"""),
        EndpointClient.Query("db.c", """{"a": 1}"""));

    [Fact]
    public void The_endpoint_reads_OP_MSG_or_says_what_is_malformed()
        => new FuzzTarget("OP_MSG of the endpoint", output) { IsTyped = IsMalformed }.Run(Messages.Damaged, message =>
        {
            var request = OpMsg.Read(message);
            new BsonReader(request.Command.Span).ReadTo("$db"u8);
            return request.ExpectsReply;
        });

    [Fact]
    public void The_endpoint_reads_OP_QUERY_or_says_what_is_malformed()
        => new FuzzTarget("OP_QUERY of the endpoint", output) { IsTyped = IsMalformed }.Run(Queries.Damaged, message => OpQuery.Read(message).Length > 5);

    [Fact]
    public void The_endpoint_answers_every_command_without_a_fault_of_its_own()
    {
        var mutation = new CommandMutation(Commands);
        using var logger = new CollectingLogger();
        var replies = new EndpointReplies(TimeProvider.System, logger);
        new FuzzTarget("Commands to the endpoint", output) { InSuite = 3_000, BytesPerByte = FuzzTarget.PerByteOfPatterns, IsTyped = IsMalformed }.Run(
            random => mutation.Of(Commands[random.Next(Commands.Length)], random),
            command =>
            {
                var reply = replies.To(command);
                Assert.Empty(logger.Lines);
                BsonValidator.Validate(reply);
                return new BsonReader(reply).ReadTo("result"u8);
            });
    }

    [Fact]
    public void The_server_for_tests_reads_OP_MSG_or_says_what_is_malformed()
        => new FuzzTarget("OP_MSG of the server for tests", output) { BytesPerByte = 500, IsTyped = IsMalformed }.Run(Messages.Damaged, message => ServerMsg.Read(message).Command.Count > 1);

    [Fact]
    public void The_server_for_tests_reads_OP_QUERY_or_says_what_is_malformed()
        => new FuzzTarget("OP_QUERY of the server for tests", output) { BytesPerByte = 500, IsTyped = IsMalformed }.Run(Queries.Damaged, message => ServerQuery.Read(message).Count > 1);

    private static bool IsMalformed(Exception exception) => exception is MalformedMessageException or BsonFormatException or ProtocolException or ServerException;

    // As drivers ask for query analysis.
    private static byte[] WithSchema(AnalysisCase @case)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteElements(ExtendedJson.ToBson(@case.Command).AsSpan());
        writer.WriteDocument("jsonSchema"u8, ExtendedJson.ToBson(@case.Schema));
        writer.WriteBoolean("isRemoteSchema"u8, false);
        writer.WriteString("$db"u8, "db"u8);
        writer.EndDocument();
        return writer.ToArray();
    }
}
