using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Tests.Analysis.Marking;
using Medco.Csfle.Engine.Wire;

namespace Medco.Csfle.Engine.Tests.Wire;

/// <summary>What a driver sees of the endpoint, and how it starts and stops.</summary>
public sealed class QueryAnalysisEndpointTests : IDisposable
{
    private const string Schema = """
        {"bsonType": "object", "properties": {"ssn": {"encrypt": {
          "keyId": [{"$uuid": "11111111-1111-4111-8111-111111111111"}], "bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}
        """;

    private readonly QueryAnalysisEndpoint _endpoint = QueryAnalysisEndpoint.Start();

    public void Dispose() => _endpoint.Dispose();

    [Fact]
    public void The_first_hello_may_come_as_the_old_query()
    {
        using var client = new EndpointClient(_endpoint);
        client.Send(EndpointClient.Query("admin.$cmd", """{"isMaster": 1, "helloOk": true, "client": {"driver": {"name": "x"}}}"""));

        AssertHello(client.ReadReply(), "ismaster", helloOk: true);

        client.Send(EndpointClient.Query("admin.$cmd", """{"$query": {"ismaster": 1}, "$readPreference": {"mode": "primaryPreferred"}}"""));
        AssertHello(client.ReadReply(), "ismaster", helloOk: false);
    }

    [Theory]
    [InlineData("hello", "isWritablePrimary")]
    [InlineData("isMaster", "ismaster")]
    [InlineData("ismaster", "ismaster")]
    public void Hello_says_what_it_is(string name, string flag)
    {
        using var client = new EndpointClient(_endpoint);
        AssertHello(client.RoundTrip($$"""{"{{name}}": 1, "$db": "admin"}"""), flag, helloOk: false);
    }

    [VectorFact]
    public void Hello_has_all_that_the_official_one_has()
    {
        using var client = new EndpointClient(_endpoint);
        var reply = client.RoundTrip(WithDatabase(ExtendedJson.ToBson(OfficialVectors.ReadText("libmongocrypt/fle1-create/with-schema/ismaster-to-mongocryptd.json"))));

        // Its date is in the first version of Extended JSON, and not looked at.
        var text = Regex.Replace(OfficialVectors.ReadText("libmongocrypt/fle1-create/with-schema/mongocryptd-ismaster.json"), "\"\\$date\"\\s*:\\s*(\\d+)", "\"$$date\": {\"$$numberLong\": \"$1\"}");
        var official = ExtendedJson.ToBson(text);
        var expected = new BsonReader(official);
        while (expected.Read())
        {
            var found = new BsonReader(reply);
            Assert.True(found.ReadTo(expected.Name), expected.GetName());
            Assert.Equal(expected.Type, found.Type);
            if (expected.GetName() == "maxWireVersion") Assert.True(found.GetInt32() >= expected.GetInt32());
            else if (expected.GetName() != "localTime") Assert.Equal(expected.Value, found.Value);
        }
    }

    [Fact]
    public void The_clock_of_hello_is_the_one_it_was_given()
    {
        using var endpoint = QueryAnalysisEndpoint.Start(new QueryAnalysisEndpointOptions { TimeProvider = new StoppedClock() });
        using var client = new EndpointClient(endpoint);

        var reply = new BsonReader(client.RoundTrip("""{"hello": 1, "$db": "admin"}"""));
        Assert.True(reply.ReadTo("localTime"u8));
        Assert.Equal(StoppedClock.Now.ToUnixTimeMilliseconds(), reply.GetInt64());
    }

    [Fact]
    public void Ping_is_answered()
    {
        using var client = new EndpointClient(_endpoint);
        Assert.Equal("""{"ok":1.0}""", Json(client.RoundTrip("""{"ping": 1, "$db": "admin"}""")));
    }

    [VectorFact]
    public void Every_official_request_gets_over_the_wire_what_analysis_says()
    {
        using var client = new EndpointClient(_endpoint);
        var files = Directory.EnumerateFiles(OfficialVectors.PathOf("libmongocrypt"), "cmd-to-mongocryptd.json", SearchOption.AllDirectories);
        foreach (var file in files.Append(OfficialVectors.PathOf("libmongocrypt/mongocryptd-cmd.json")))
        {
            var request = ExtendedJson.ToBson(File.ReadAllText(file));
            Assert.Equal(Json(MarkingReply.For("db", request)), Json(client.RoundTrip(WithDatabase(request))));
        }
    }

    [Fact]
    public void Document_sequences_are_part_of_the_command()
    {
        using var client = new EndpointClient(_endpoint);
        var request = $$$"""{"insert": "coll", "$db": "db", "jsonSchema": {{{Schema}}}, "isRemoteSchema": false}""";

        var reply = client.RoundTrip(EndpointClient.Msg(0, EndpointClient.Sequence("documents", """{"ssn": 1}""", """{"a": "x"}"""), EndpointClient.Body(request)));

        Assert.Single(MarkingRequests.Markings(reply));
        Assert.Equal("""{"a":"x"}""", Json(MarkingRequests.Document(reply, "result", "documents", "1")));
    }

    [Fact]
    public void A_message_with_a_checksum_is_answered_like_any_other()
    {
        using var client = new EndpointClient(_endpoint);
        Assert.Equal("""{"ok":1.0}""", Json(client.RoundTrip(EndpointClient.MsgWithChecksum(EndpointClient.Body("""{"ping": 1, "$db": "admin"}""")))));
    }

    [Fact]
    public void The_checksum_is_the_published_one() => Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));

    [Fact]
    public void A_message_that_expects_no_reply_gets_none()
    {
        using var client = new EndpointClient(_endpoint);
        client.Send(EndpointClient.Msg(2, EndpointClient.Body("""{"ping": 1, "$db": "admin"}""")));
        Assert.Contains("isWritablePrimary", Json(client.RoundTrip("""{"hello": 1, "$db": "admin"}""")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_is_a_reply_with_this_librarys_code_and_the_connection_goes_on()
    {
        using var client = new EndpointClient(_endpoint);

        var reply = Json(client.RoundTrip($$$"""{"find": "coll", "filter": {"ssn": {"$gt": 241014209}}, "$db": "db", "jsonSchema": {{{Schema}}}, "isRemoteSchema": false}"""));

        Assert.StartsWith("""{"ok":0.0,"errmsg":""", reply, StringComparison.Ordinal);
        Assert.EndsWith(""","code":3003,"codeName":"CSFLE3003"}""", reply, StringComparison.Ordinal);
        Assert.DoesNotContain("241014209", reply, StringComparison.Ordinal);
        Assert.Equal("""{"ok":1.0}""", Json(client.RoundTrip("""{"ping": 1, "$db": "admin"}""")));
    }

    [Theory]
    [InlineData("""{"ping": 1}""", 40571)]
    [InlineData("""{"find": "coll", "$db": 1}""", 40571)]
    [InlineData("""{"getMore": {"$numberLong": "1"}, "$db": "db"}""", 59)]
    [InlineData("""{"shutdown": 1, "$db": "admin"}""", 59)]
    [InlineData("""{"$db": "admin"}""", 59)]
    [InlineData("""{"find": "coll", "$db": "db"}""", 3006)]
    [InlineData("""{"find": "coll", "$db": "db", "jsonSchema": {"a": 1}, "isRemoteSchema": false}""", 2001)]
    public void What_it_does_not_answer_is_an_error_and_the_connection_goes_on(string command, int code)
    {
        using var client = new EndpointClient(_endpoint);

        Assert.Contains($"\"code\":{code},", Json(client.RoundTrip(command)), StringComparison.Ordinal);
        Assert.Equal("""{"ok":1.0}""", Json(client.RoundTrip("""{"ping": 1, "$db": "admin"}""")));
    }

    [Theory]
    [InlineData("admin.$cmd", """{"find": "coll"}""")]
    [InlineData("admin.$cmd", "{}")]
    [InlineData("db.coll", """{"isMaster": 1}""")]
    public void The_old_query_is_for_hello_alone(string ns, string command)
    {
        using var client = new EndpointClient(_endpoint);
        client.Send(EndpointClient.Query(ns, command));
        Assert.Contains("\"code\":352,", Json(client.ReadReply()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_clients_are_served_at_once()
    {
        var expected = Json(MarkingReply.For("db", ExtendedJson.ToBson($$$"""{"find": "coll", "filter": {"ssn": 7}, "jsonSchema": {{{Schema}}}, "isRemoteSchema": false}""")));
        var replies = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() =>
        {
            using var client = new EndpointClient(_endpoint);
            return Enumerable.Range(0, 50).Select(_ => Json(client.RoundTrip(
                $$$"""{"find": "coll", "filter": {"ssn": 7}, "$db": "db", "jsonSchema": {{{Schema}}}, "isRemoteSchema": false}"""))).ToArray();
        })));

        Assert.All(replies.SelectMany(each => each), reply => Assert.Equal(expected, reply));
    }

    [Fact]
    public void A_large_command_is_analysed()
    {
        using var client = new EndpointClient(_endpoint);
        var documents = Enumerable.Range(0, 2_000).Select(index => $$"""{"ssn": {{index}}, "text": "{{new string('x', 1_000)}}"}""").ToArray();

        var reply = client.RoundTrip(EndpointClient.Msg(
            0, EndpointClient.Body($$$"""{"insert": "coll", "$db": "db", "jsonSchema": {{{Schema}}}, "isRemoteSchema": false}"""), EndpointClient.Sequence("documents", documents)));

        Assert.Equal(documents.Length, MarkingRequests.Markings(reply).Count);
    }

    [Fact]
    public void One_client_too_many_is_hung_up_on_and_the_others_are_served()
    {
        using var endpoint = QueryAnalysisEndpoint.Start(new QueryAnalysisEndpointOptions { MaxConnections = 2 });
        using var first = new EndpointClient(endpoint);
        using var second = new EndpointClient(endpoint);
        Ping(first);
        Ping(second);

        using (var third = new EndpointClient(endpoint)) Assert.True(third.IsClosed());

        Ping(first);
        second.Dispose();
        Assert.True(SpinWait.SpinUntil(() => endpoint.ConnectionCount == 1, TimeSpan.FromSeconds(30)));
        using var fourth = new EndpointClient(endpoint);
        Ping(fourth);
    }

    [Fact]
    public void A_client_that_is_silent_for_too_long_is_hung_up_on()
    {
        using var endpoint = QueryAnalysisEndpoint.Start(new QueryAnalysisEndpointOptions { IdleTimeout = TimeSpan.FromMilliseconds(50) });
        using var client = new EndpointClient(endpoint);
        Assert.True(client.IsClosed());
    }

    [Fact]
    public void A_client_that_stops_in_the_middle_of_a_message_is_hung_up_on()
    {
        using var endpoint = QueryAnalysisEndpoint.Start(new QueryAnalysisEndpointOptions { MessageTimeout = TimeSpan.FromMilliseconds(50) });
        using var inHeader = new EndpointClient(endpoint);
        inHeader.Send([17]);
        Assert.True(inHeader.IsClosed());

        using var inBody = new EndpointClient(endpoint);
        inBody.Send(EndpointClient.Msg(0, EndpointClient.Body("""{"ping": 1, "$db": "admin"}""")).AsSpan(0, 20));
        Assert.True(inBody.IsClosed());
    }

    [Fact]
    public void It_listens_on_loopback_alone()
        => Assert.All(Listeners(_endpoint.Port), listener => Assert.Equal(IPAddress.Loopback, listener.Address));

    [Fact]
    public void A_port_that_is_taken_is_an_error_that_names_it()
    {
        var error = Assert.Throws<EndpointException>(() => QueryAnalysisEndpoint.Start(new QueryAnalysisEndpointOptions { Port = _endpoint.Port }));

        Assert.Equal(CsfleErrorCode.EndpointUnavailable, error.Code);
        Assert.Equal(_endpoint.Port, error.Port);
        Assert.Contains($"127.0.0.1:{_endpoint.Port}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        QueryAnalysisEndpointOptions[] wrong =
        [
            new() { Port = -1 }, new() { Port = 65_536 }, new() { MaxConnections = 0 },
            new() { IdleTimeout = TimeSpan.Zero }, new() { MessageTimeout = Timeout.InfiniteTimeSpan },
        ];
        Assert.All(wrong, options => Assert.Throws<ArgumentOutOfRangeException>(() => QueryAnalysisEndpoint.Start(options)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_left_when_it_has_stopped(bool isAsync)
    {
        var endpoint = QueryAnalysisEndpoint.Start();
        using var client = new EndpointClient(endpoint);
        using var inTheMiddle = new EndpointClient(endpoint);
        Ping(client);
        Ping(inTheMiddle);
        inTheMiddle.Send([17, 0]);

        if (isAsync) await endpoint.DisposeAsync();
        else endpoint.Dispose();

        Assert.Equal(0, endpoint.ConnectionCount);
        Assert.True(client.IsClosed());
        Assert.True(inTheMiddle.IsClosed());
        Assert.Empty(Listeners(endpoint.Port));
        Assert.Throws<SocketException>(() => new EndpointClient(endpoint));
        await endpoint.DisposeAsync();
    }

    private static IEnumerable<IPEndPoint> Listeners(int port)
        => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(listener => listener.Port == port);

    private static void Ping(EndpointClient client) => Assert.Equal("""{"ok":1.0}""", Json(client.RoundTrip("""{"ping": 1, "$db": "admin"}""")));

    private static void AssertHello(byte[] reply, string flag, bool helloOk)
    {
        var names = new List<string>();
        var reader = new BsonReader(reply);
        while (reader.Read()) names.Add(reader.GetName());
        string[] expected =
        [
            flag, "iscryptd", .. helloOk ? ["helloOk"] : Array.Empty<string>(), "maxBsonObjectSize", "maxMessageSizeBytes", "maxWriteBatchSize", "localTime",
            "minWireVersion", "maxWireVersion", "ok",
        ];
        Assert.Equal(expected, names);
        var cryptd = new BsonReader(reply);
        Assert.True(cryptd.ReadTo("iscryptd"u8) && cryptd.GetBoolean());
    }

    private static byte[] WithDatabase(byte[] command)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteElements(command);
        writer.WriteString("$db"u8, "db");
        writer.EndDocument();
        return EndpointClient.Msg(0, [0, .. writer.ToArray()]);
    }

    private static string Json(byte[] document) => ExtendedJson.ToJson(document);

    private sealed class StoppedClock : TimeProvider
    {
        public static readonly DateTimeOffset Now = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
