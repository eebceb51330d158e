using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.KeyVault;
using Medco.Csfle.Engine.Tests.Operations;

namespace Medco.Csfle.Engine.Tests;

/// <summary>An engine with schemas of its own that asks the server what the other collections are.</summary>
public sealed class ServerChecksTests : IDisposable
{
    private const string Unauthorized = """{"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "SECRET"}""";

    private readonly EngineFixture _fixture = new();
    private readonly ManualTime _time = new();

    public static TheoryData<string> WaysToNameIt => new()
    {
        """{"find": "other", "filter": {"ssn": 241014209}}""",
        """{"aggregate": "other", "pipeline": [{"$match": {"ssn": 241014209}}], "cursor": {}}""",
        """{"count": "other", "query": {"ssn": 241014209}}""",
        """{"distinct": "other", "key": "ssn", "query": {"ssn": 241014209}}""",
        """{"delete": "other", "deletes": [{"q": {"ssn": 241014209}, "limit": 1}]}""",
        """{"update": "other", "updates": [{"q": {"ssn": 241014209}, "u": {"$set": {"a": 1}}}]}""",
        """{"findAndModify": "other", "query": {"ssn": 241014209}, "remove": true}""",
        """{"insert": "other", "documents": [{"ssn": 241014209}]}""",
        """{"explain": {"find": "other", "filter": {"ssn": 241014209}}, "verbosity": "queryPlanner"}""",
        """{"createIndexes": "other", "indexes": [{"key": {"a": 1}, "name": "a", "partialFilterExpression": {"ssn": 241014209}}]}""",
        """{"aggregate": "coll", "pipeline": [{"$lookup": {"from": "other", "as": "x", "pipeline": [{"$match": {"ssn": 241014209}}]}}], "cursor": {}}""",
        """{"aggregate": "plain", "pipeline": [{"$unionWith": {"coll": "other", "pipeline": [{"$match": {"ssn": 241014209}}]}}], "cursor": {}}""",
        """{"create": "view", "viewOn": "other", "pipeline": [{"$match": {"ssn": 241014209}}]}""",
    };

    [Theory]
    [MemberData(nameof(WaysToNameIt))]
    public async Task A_view_is_refused_however_a_command_names_it(string command)
    {
        var server = Server(View("other"));

        foreach (var isAsync in (bool[])[false, true])
        {
            var error = await Assert.ThrowsAsync<QueryAnalysisException>(() => Encrypt(Engine(server), command, isAsync));

            Assert.Equal((CsfleErrorCode.CommandNotSupported, "db.other"), (error.Code, error.Collection));
            Assert.Contains("""AllowUnencrypted("db.other")""", error.Remedy, StringComparison.Ordinal);
            Assert.DoesNotContain("241014209", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal((1, 1), (server.Synchronous, server.Asynchronous));
    }

    [Theory]
    [MemberData(nameof(WaysToNameIt))]
    public async Task A_collection_whose_schema_is_known_to_the_server_alone_is_refused(string command)
    {
        var server = Server(CollectionInfosTests.Info($$$"""{"validator": {"$jsonSchema": {{{CollectionInfosTests.Encrypting}}}}}""", "other"));

        foreach (var isAsync in (bool[])[false, true])
        {
            var error = await Assert.ThrowsAsync<QueryAnalysisException>(() => Encrypt(Engine(server), command, isAsync));

            Assert.Equal((CsfleErrorCode.SchemaNotRegistered, "db.other"), (error.Code, error.Collection));
            Assert.Contains("UseServerSchema()", error.Remedy, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_collection_of_queryable_encryption_is_refused()
        => Assert.Throws<QueryAnalysisException>(() => Encrypt(Engine(Server(CollectionInfosTests.Info("""{"encryptedFields": {"fields": []}}""", "other"))), Find("other")));

    [Theory]
    [InlineData("")]
    [InlineData("""{"name": "other", "type": "collection"}""")]
    [InlineData("""{"name": "other", "type": "timeseries", "options": {"timeseries": {"timeField": "t"}}}""")]
    [InlineData("""{"name": "other", "type": "collection", "options": {"validator": {"$jsonSchema": {"required": ["a"], "anyOf": [{"minProperties": 1}]}}}}""")]
    public void A_collection_that_the_server_does_not_encrypt_is_read_as_before(string info)
    {
        var find = ExtendedJson.ToBson(Find("other"));

        Assert.Equal(find, Engine(Server(info)).EncryptCommand("db", find).ToArray());
    }

    [Fact]
    public void What_the_server_says_permits_no_write()
    {
        var server = Server(CollectionInfosTests.Info("""{"validator": {"$jsonSchema": {"required": ["a"]}}}""", "other"));

        var error = Assert.Throws<QueryAnalysisException>(() => Encrypt(Engine(server), """{"insert": "other", "documents": [{"ssn": 1}]}"""));

        Assert.Equal(CsfleErrorCode.UnregisteredNamespace, error.Code);
    }

    [Fact]
    public void What_the_server_says_permits_no_join()
        => Assert.Throws<QueryAnalysisException>(() => Encrypt(Engine(Server("")),
            """{"aggregate": "coll", "pipeline": [{"$lookup": {"from": "other", "as": "x", "localField": "a", "foreignField": "b"}}], "cursor": {}}"""));

    [Theory]
    [InlineData("""{"insert": "coll", "documents": [{"ssn": 1}]}""")]
    [InlineData("""{"find": "coll", "filter": {"ssn": 1}}""")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$match": {"ssn": {"$eq": 1}}}, {"$lookup": {"from": "coll", "as": "x", "pipeline": [{"$match": {"name": "x"}}]}}], "cursor": {}}""")]
    [InlineData("""{"insert": "logs", "documents": [{"a": 1}]}""")]
    [InlineData("""{"aggregate": "logs", "pipeline": [{"$out": "logs"}], "cursor": {}}""")]
    [InlineData("""{"ping": 1}""")]
    [InlineData("""{"getMore": {"$numberLong": "1"}, "collection": "other"}""")]
    [InlineData("""{"drop": "other"}""")]
    [InlineData("""{"create": "new"}""")]
    public async Task Nobody_is_asked_about_what_is_registered_or_allowed_by_its_name(string command)
    {
        var server = new ScriptedCommandRunner((_, _) => Unauthorized);
        var engine = Engine(server, allowed: ["db.logs", "db.a_first", "db.z_last", "other.coll"]);

        await Encrypt(engine, command, isAsync: false);
        await Encrypt(engine, command, isAsync: true);

        Assert.Empty(server.Received);
    }

    [Fact]
    public void What_a_pattern_allows_is_asked_for_since_a_view_can_be_among_it()
    {
        var engine = Engine(Server(View("other")), allowed: ["db.*"]);

        Encrypt(engine, """{"insert": "more", "documents": [{"a": 1}]}""");
        Assert.Throws<QueryAnalysisException>(() => Encrypt(engine, Find("other")));
    }

    [Fact]
    public void A_view_that_is_allowed_by_its_name_is_queried()
    {
        var find = ExtendedJson.ToBson(Find("other"));

        Assert.Equal(find, Engine(Server(View("other")), allowed: ["db.other"]).EncryptCommand("db", find).ToArray());
    }

    [Fact]
    public void An_answer_counts_for_a_minute()
    {
        var server = Server("");
        var engine = Engine(server);

        for (var i = 0; i < 3; i++) Encrypt(engine, Find("other"));
        Assert.Single(server.Received);
        _time.Advance(TimeSpan.FromSeconds(60));
        Encrypt(engine, Find("other"));
        Assert.Equal(2, server.Received.Count);
    }

    [Fact]
    public void A_view_that_the_engine_itself_creates_is_seen_at_once()
    {
        var infos = "";
        var engine = Engine(new ScriptedCommandRunner((_, _) => CollectionInfosTests.Reply(infos)));
        Encrypt(engine, Find("other"));

        Encrypt(engine, """{"create": "other", "viewOn": "plain", "pipeline": []}""");
        infos = View("other");

        Assert.Throws<QueryAnalysisException>(() => Encrypt(engine, Find("other")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_may_not_list_collections_learns_what_to_grant_and_what_to_say_instead(bool isAsync)
    {
        var error = await Assert.ThrowsAsync<ServerSchemaException>(() => Encrypt(Engine(new ScriptedCommandRunner((_, _) => Unauthorized)), Find("other"), isAsync));

        Assert.Equal((13, "db.other"), (error.ServerCode, error.Collection));
        Assert.Contains("'listCollections' on the database 'db'", error.Remedy, StringComparison.Ordinal);
        Assert.Contains("""AllowUnencrypted("db.other")""", error.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_the_server_does_not_answer_nothing_is_sent(bool isAsync)
        => await Assert.ThrowsAsync<ServerSchemaException>(() => Encrypt(Engine(new ScriptedCommandRunner((_, _) => throw new IOException())), Find("other"), isAsync));

    [Fact]
    public void Where_schemas_of_the_server_are_used_they_are_not_refused()
    {
        var server = Server(CollectionInfosTests.Info("""{"validator": {"$jsonSchema": {"bsonType": "object"}}}""", "other"));
        var checks = new ScriptedCommandRunner((_, _) => Unauthorized);
        var engine = new CsfleEngine(_fixture.Vault, new CsfleEngineOptions { ServerSchemas = server, ServerChecks = checks });

        Encrypt(engine, """{"insert": "other", "documents": [{"a": 1}]}""");

        Assert.Single(server.Received);
        Assert.Empty(checks.Received);
    }

    [Theory]
    [InlineData("""{"find": "coll", "filter": {"name": "x"}}""")]
    [InlineData("""{"insert": "coll", "documents": [{"name": "x"}]}""")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$match": {"name": "x"}}], "cursor": {}}""")]
    [InlineData("""{"aggregate": "coll", "pipeline": [{"$lookup": {"from": "coll", "as": "x", "localField": "a", "foreignField": "b"}}], "cursor": {}}""")]
    public async Task To_a_registered_collection_the_check_adds_no_allocation(string json)
    {
        var command = ExtendedJson.ToBson(json);
        var checking = Engine(new ScriptedCommandRunner((_, _) => Unauthorized));

        Assert.Equal(Allocated(_fixture.Engine), Allocated(checking));
        Assert.Equal(await AllocatedAsync(_fixture.Engine), await AllocatedAsync(checking));

        long Allocated(CsfleEngine engine)
        {
            for (var i = 0; i < 50; i++) engine.EncryptCommand("db", command);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 50; i++) engine.EncryptCommand("db", command);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        async Task<long> AllocatedAsync(CsfleEngine engine)
        {
            for (var i = 0; i < 50; i++) await engine.EncryptCommandAsync("db", command);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 50; i++) await engine.EncryptCommandAsync("db", command);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    public void Dispose() => _fixture.Dispose();

    private static ScriptedCommandRunner Server(string infos) => new((_, command)
        => CollectionInfosTests.Reply(command.Contains("\"other\"", StringComparison.Ordinal) ? infos : ""));

    private static string View(string name) => $$$"""{"name": "{{{name}}}", "type": "view", "options": {"viewOn": "coll", "pipeline": []}}""";

    private static string Find(string collection) => $$$"""{"find": "{{{collection}}}", "filter": {"ssn": 241014209}}""";

    private CsfleEngine Engine(IMongoCommandRunner server, string[]? allowed = null) => new(_fixture.Vault, new CsfleEngineOptions
    {
        Schemas = new Dictionary<string, EncryptionSchema> { ["db.coll"] = _fixture.Schema },
        AllowUnencrypted = allowed ?? [],
        ServerChecks = server,
        TimeProvider = _time,
    });

    private static void Encrypt(CsfleEngine engine, string command) => engine.EncryptCommand("db", ExtendedJson.ToBson(command));

    private static async Task Encrypt(CsfleEngine engine, string command, bool isAsync)
    {
        var bytes = ExtendedJson.ToBson(command);
        _ = isAsync ? await engine.EncryptCommandAsync("db", bytes) : engine.EncryptCommand("db", bytes);
    }
}
