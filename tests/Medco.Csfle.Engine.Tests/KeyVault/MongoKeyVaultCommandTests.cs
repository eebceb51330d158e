using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Tests.Bson;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>The exact commands of the key vault in MongoDB, and what it makes of every answer.</summary>
public sealed class MongoKeyVaultCommandTests
{
    private const string Namespace = "encryption.__keyVault";
    private const string Empty = """{"cursor": {"id": {"$numberLong": "0"}, "ns": "encryption.__keyVault", "firstBatch": []}, "ok": {"$numberDouble": "1"}}""";
    private const string Inserted = """{"n": 1, "ok": {"$numberDouble": "1"}}""";

    private static readonly RewrappedKey[] Rewrapped = [new(Guid.NewGuid(), new byte[1], TestKeys.Aws)];
    private static readonly Guid Id = Guid.Parse("11223344-5566-7788-99aa-bbccddeeff00");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_index_is_unique_and_over_named_keys_alone(bool async)
    {
        var runner = new ScriptedCommandRunner("""{"ok": 1}""");
        var store = new MongoKeyVaultStore(runner, Namespace);
        if (async)
        {
            await store.EnsureIndexAsync();
        }
        else
        {
            store.EnsureIndex();
        }

        AssertAsked(runner, async, """
            {"createIndexes": "__keyVault", "indexes": [{"key": {"keyAltNames": 1}, "name": "keyAltNames_1", "unique": true,
             "partialFilterExpression": {"keyAltNames": {"$exists": true}}}], "writeConcern": {"w": "majority"}}
            """);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_look_up_asks_for_ids_and_names_with_a_majority_read_and_no_cursor(bool async)
    {
        var runner = new ScriptedCommandRunner(Empty);
        var store = new MongoKeyVaultStore(runner, Namespace);
        Assert.Empty(async ? await store.FindAsync([Id], ["a", "\ud800", "b"]) : store.Find([Id], ["a", "\ud800", "b"]));

        AssertAsked(runner, async, """
            {"find": "__keyVault", "filter": {"$or": [{"_id": {"$in": [{"$uuid": "11223344-5566-7788-99aa-bbccddeeff00"}]}},
             {"keyAltNames": {"$in": ["a", "b"]}}]}, "sort": {"_id": 1}, "limit": 1000, "batchSize": 1000, "singleBatch": true,
             "readConcern": {"level": "majority"}}
            """);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_list_goes_on_behind_the_last_key_until_it_has_enough(bool async)
    {
        var keys = Enumerable.Range(0, 1000).Select(i => TestKeys.New()).ToArray();
        var last = TestKeys.New(Id);
        var runner = new ScriptedCommandRunner(Batch([.. keys[..999], last]), Batch(keys[..500]));
        var store = new MongoKeyVaultStore(runner, Namespace);
        Assert.Equal(1500, (async ? await store.ListAsync(1500) : store.List(1500)).Count);

        AssertAsked(runner, async, """
            {"find": "__keyVault", "filter": {}, "sort": {"_id": 1}, "limit": 1000, "batchSize": 1000, "singleBatch": true,
             "readConcern": {"level": "majority"}}
            """, """
            {"find": "__keyVault", "filter": {"_id": {"$gt": {"$uuid": "11223344-5566-7788-99aa-bbccddeeff00"}}}, "sort": {"_id": 1},
             "limit": 500, "batchSize": 500, "singleBatch": true, "readConcern": {"level": "majority"}}
            """);
    }

    [Fact]
    public void A_short_page_that_is_long_in_bytes_is_not_taken_for_the_last()
    {
        var large = DataKeyDocument.Create(Guid.NewGuid(), [], new byte[9 * 1024 * 1024], DateTimeOffset.UnixEpoch, TestKeys.Aws);
        var runner = new ScriptedCommandRunner(Batch(large), Batch(TestKeys.New()));
        Assert.Equal(2, new MongoKeyVaultStore(runner, Namespace).List().Count);
        Assert.Equal(2, runner.Received.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_insert_writes_the_document_as_it_is_and_waits_for_the_majority(bool async)
    {
        var key = TestKeys.New(Id, "a");
        var runner = new ScriptedCommandRunner(Inserted);
        await Insert(new MongoKeyVaultStore(runner, Namespace), key, async);

        AssertAsked(runner, async,
            $$$"""{"insert": "__keyVault", "documents": [{{{ExtendedJson.ToJson(key.ToBson())}}}], "ordered": true, "writeConcern": {"w": "majority"}}""");
    }

    [Fact]
    public void Nothing_asked_for_is_nothing_asked()
    {
        var runner = new ScriptedCommandRunner();
        var store = new MongoKeyVaultStore(runner, Namespace);
        Assert.Empty(store.Find([], []));
        Assert.Empty(store.Find([], ["\udc00"]));
        Assert.Empty(store.List(0));
        Assert.Empty(runner.Received);
    }

    [Theory]
    [InlineData(
        """{"n": 0, "writeErrors": [{"index": 0, "code": 11000, "errmsg": "E", "keyPattern": {"keyAltNames": 1}, "keyValue": {"keyAltNames": "b"}}], "ok": 1}""",
        "the key alternate name 'b' is already taken", "b")]
    [InlineData(
        """{"n": 0, "writeErrors": [{"index": 0, "code": 11000, "errmsg": "E", "keyPattern": {"_id": 1}, "keyValue": {"_id": 1}}], "ok": 1}""",
        "already holds a data key 11223344-5566-7788-99aa-bbccddeeff00", null)]
    [InlineData("""{"n": 0, "writeErrors": [{"index": 0, "code": 11000, "errmsg": "E"}], "ok": 1}""", "the id or one of the names of", null)]
    [InlineData(
        """{"n": 0, "writeErrors": [{"index": 0, "code": 11000, "keyPattern": {"keyAltNames": 1}, "keyValue": {"keyAltNames": "not mine"}}], "ok": 1}""",
        "the id or one of the names of", null)]
    [InlineData("""{"ok": 0, "code": 11000, "codeName": "DuplicateKey", "keyPattern": {"keyAltNames": 1}, "keyValue": {"keyAltNames": "a"}}""",
        "the key alternate name 'a' is already taken", "a")]
    public async Task A_duplicate_says_what_is_taken(string reply, string expected, string? name)
    {
        foreach (var async in (bool[])[false, true])
        {
            var store = new MongoKeyVaultStore(new ScriptedCommandRunner(reply), Namespace);
            var error = await Assert.ThrowsAsync<DataKeyException>(() => Insert(store, TestKeys.New(Id, "a", "b"), async));
            Assert.Equal((CsfleErrorCode.DuplicateDataKey, Id, name), (error.Code, error.KeyId, error.KeyAltName));
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("not mine", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "SECRET"}""", 13, "Unauthorized")]
    [InlineData("""{"ok": {"$numberDouble": "0"}, "code": 211, "errmsg": "SECRET"}""", 211, null)]
    [InlineData("""{"ok": 0, "errmsg": "SECRET", "codeName": "not a name: SECRET"}""", null, null)]
    [InlineData("""{"code": 6, "codeName": "HostUnreachable"}""", 6, "HostUnreachable")]
    [InlineData("""{"ok": "1", "n": 1, "cursor": {"id": {"$numberLong": "0"}, "firstBatch": []}}""", null, null)]
    public async Task An_error_of_the_server_carries_its_code_and_not_its_text(string reply, int? code, string? codeName)
    {
        foreach (var async in (bool[])[false, true])
        {
            foreach (var operation in Operations(async))
            {
                var error = await Assert.ThrowsAsync<KeyVaultException>(() => operation(new MongoKeyVaultStore(new ScriptedCommandRunner(reply), Namespace)));
                Assert.Equal((CsfleErrorCode.KeyVaultUnavailable, code, codeName), (error.Code, error.ServerCode, error.ServerCodeName));
                Assert.Contains("'encryption.__keyVault'", error.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("""{"n": 0, "writeErrors": [{"index": 0, "code": 121, "codeName": "DocumentValidationFailure", "errmsg": "SECRET"}], "ok": 1}""", 121)]
    [InlineData("""{"n": 1, "writeConcernError": {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "SECRET"}, "ok": 1}""", 64)]
    [InlineData("""{"n": 1, "writeConcernError": "SECRET", "ok": 1}""", null)]
    [InlineData("""{"n": 0, "ok": 1}""", null)]
    [InlineData("""{"n": {"$numberLong": "1"}, "ok": 1}""", null)]
    [InlineData("""{"ok": 1}""", null)]
    [InlineData("""{"n": 1, "writeErrors": {}, "ok": 1}""", null)]
    [InlineData("""{"n": 1, "writeErrors": [], "ok": 1}""", null)]
    [InlineData("""{"n": 1, "writeErrors": ["SECRET"], "ok": 1}""", null)]
    public async Task An_insert_that_is_not_certain_is_an_error(string reply, int? code)
    {
        foreach (var async in (bool[])[false, true])
        {
            var store = new MongoKeyVaultStore(new ScriptedCommandRunner(reply), Namespace);
            var error = await Assert.ThrowsAsync<KeyVaultException>(() => Insert(store, TestKeys.New("a"), async));
            Assert.Equal(code, error.ServerCode);
            Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"ok": 1}""")]
    [InlineData("""{"cursor": [], "ok": 1}""")]
    [InlineData("""{"cursor": {"firstBatch": []}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "7"}, "firstBatch": []}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": 0, "firstBatch": []}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}, "firstBatch": {}}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}, "firstBatch": ["SECRET"]}, "ok": 1}""")]
    public void A_page_that_is_not_shaped_like_one_is_an_error(string reply)
    {
        var store = new MongoKeyVaultStore(new ScriptedCommandRunner(reply, reply), Namespace);
        Assert.DoesNotContain("SECRET", Assert.Throws<KeyVaultException>(() => store.Find([Id], [])).ToString(), StringComparison.Ordinal);
        Assert.Throws<KeyVaultException>(() => store.List());
    }

    [Theory]
    [InlineData(85, "another index")]
    [InlineData(86, "another index")]
    [InlineData(11000, "Two data keys share a name")]
    [InlineData(13, "Grant")]
    [InlineData(8000, "MongoDB's manual")]
    public void An_index_that_cannot_be_created_says_what_to_do(int code, string remedy)
    {
        var store = new MongoKeyVaultStore(new ScriptedCommandRunner($$"""{"ok": 0, "code": {{code}}, "errmsg": "SECRET"}"""), Namespace);
        var error = Assert.Throws<KeyVaultException>(() => store.EnsureIndex());
        Assert.Equal(code, error.ServerCode);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_that_may_yet_be_lost_is_an_error()
        => Assert.Equal(64, Assert.Throws<KeyVaultException>(
            () => new MongoKeyVaultStore(new ScriptedCommandRunner("""{"ok": 1, "writeConcernError": {"code": 64}}"""), Namespace).EnsureIndex()).ServerCode);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_is_not_reached_is_a_typed_error_with_its_cause(bool async)
    {
        foreach (var cause in (Exception[])[new IOException("down"), new TimeoutException(), new TaskCanceledException()])
        {
            foreach (var operation in Operations(async))
            {
                var error = await Assert.ThrowsAsync<KeyVaultException>(() => operation(new MongoKeyVaultStore(new ScriptedCommandRunner((_, _) => throw cause), Namespace)));
                Assert.Same(cause, error.InnerException);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_is_not_bson_is_a_typed_error(bool async)
    {
        foreach (var operation in Operations(async))
        {
            await Assert.ThrowsAsync<KeyVaultException>(() => operation(new MongoKeyVaultStore(new FixedRunner([9, 0, 0, 0, 1, 2, 3, 4, 5]), Namespace)));
        }
    }

    [Fact]
    public void Whatever_is_answered_it_is_understood_or_a_typed_error()
    {
        var random = new Random(20300102);
        var key = TestKeys.New(Id, "a", "b");
        (byte[] Reply, Action<MongoKeyVaultStore> Ask)[] questions =
        [
            (ExtendedJson.ToBson(Batch(key, TestKeys.New("c"))), store => store.List(2)),
            (ExtendedJson.ToBson("""{"n": 0, "writeErrors": [{"code": 11000, "keyPattern": {"_id": 1}, "keyValue": {"keyAltNames": "b"}}], "ok": 1}"""), store => store.Insert(key)),
            (ExtendedJson.ToBson("""{"n": 1, "writeConcernError": {"code": 64, "codeName": "x"}, "ok": {"$numberDouble": "1"}}"""), store => store.EnsureIndex()),
        ];
        var understood = 0;
        foreach (var (reply, ask) in questions)
        {
            for (var i = 0; i < 3000; i++)
            {
                try
                {
                    ask(new MongoKeyVaultStore(new FixedRunner(Mutation.Of(reply, random)), Namespace));
                    understood++;
                }
                catch (Exception e) when (e is KeyVaultException or DataKeyException)
                {
                }
            }
        }

        Assert.InRange(understood, 1, 8999);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_that_starts_with_a_dollar_sign_is_no_path(bool async)
    {
        var runner = new ScriptedCommandRunner("""{"value": null, "ok": 1}""");
        var store = new MongoKeyVaultStore(runner, Namespace);
        Assert.Null(async ? await store.RemoveNameAsync(Id, "$keyAltNames") : store.RemoveName(Id, "$keyAltNames"));

        AssertAsked(runner, async, """
            {"findAndModify": "__keyVault", "query": {"_id": {"$uuid": "11223344-5566-7788-99aa-bbccddeeff00"}}, "update": [{"$set": {"keyAltNames":
             {"$cond": [{"$eq": ["$keyAltNames", [{"$literal": "$keyAltNames"}]]}, "$$REMOVE",
             {"$filter": {"input": "$keyAltNames", "cond": {"$ne": ["$$this", {"$literal": "$keyAltNames"}]}}}]}}}], "writeConcern": {"w": "majority"}}
            """);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_filter_of_several_pages_keeps_its_own_id(bool async)
    {
        var keys = Enumerable.Range(0, 999).Select(i => TestKeys.New()).Append(TestKeys.New(Id)).ToArray();
        var runner = new ScriptedCommandRunner(Batch(keys), Batch());
        var store = new MongoKeyVaultStore(runner, Namespace);
        var filter = ExtendedJson.ToBson("""{"_id": {"$ne": 1}}""");
        Assert.Equal(1000, (async ? await store.FindMatchingAsync(filter) : store.FindMatching(filter)).Count);

        AssertAsked(runner, async, """
            {"find": "__keyVault", "filter": {"_id": {"$ne": 1}}, "sort": {"_id": 1}, "limit": 1000, "batchSize": 1000, "singleBatch": true,
             "readConcern": {"level": "majority"}}
            """, """
            {"find": "__keyVault", "filter": {"$and": [{"_id": {"$ne": 1}}], "_id": {"$gt": {"$uuid": "11223344-5566-7788-99aa-bbccddeeff00"}}},
             "sort": {"_id": 1}, "limit": 1000, "batchSize": 1000, "singleBatch": true, "readConcern": {"level": "majority"}}
            """);
    }

    [Theory]
    [InlineData("""{"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "SECRET"}""", 13)]
    [InlineData("""{"n": 1, "writeErrors": [{"index": 0, "code": 121, "errmsg": "SECRET"}], "ok": 1}""", 121)]
    [InlineData("""{"n": 1, "writeErrors": ["SECRET"], "ok": 1}""", null)]
    [InlineData("""{"n": 1, "nModified": 1, "writeConcernError": {"code": 64, "errmsg": "SECRET"}, "ok": 1}""", 64)]
    [InlineData("""{"n": "SECRET", "ok": 1}""", null)]
    [InlineData("""{"ok": 1}""", null)]
    public async Task A_change_that_is_not_certain_is_an_error(string reply, int? code)
    {
        foreach (var async in (bool[])[false, true])
        {
            foreach (var operation in Operations(async).TakeLast(4))
            {
                var error = await Assert.ThrowsAsync<KeyVaultException>(() => operation(new MongoKeyVaultStore(new ScriptedCommandRunner(reply, reply), Namespace)));
                Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
                if (code is 13 or 64) Assert.Equal(code, error.ServerCode);
            }
        }
    }

    [Fact]
    public void More_keys_than_one_command_should_hold_are_written_with_several()
    {
        var runner = new ScriptedCommandRunner((_, _) => """{"n": 1, "nModified": 1, "ok": 1}""");
        RewrappedKey[] keys = [.. Enumerable.Range(0, 3).Select(_ => new RewrappedKey(Guid.NewGuid(), new byte[3 * 1024 * 1024], TestKeys.Aws))];
        Assert.Equal(new RewrapResult(2, 2), new MongoKeyVaultStore(runner, Namespace).Rewrap(keys, DateTimeOffset.UtcNow));
        Assert.Equal(2, runner.Received.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("keys")]
    [InlineData(".keys")]
    [InlineData("db.")]
    [InlineData("db..keys")]
    [InlineData("d b.keys")]
    [InlineData("db.ke$ys")]
    [InlineData("db.*")]
    public void A_namespace_that_no_server_would_take_is_refused(string name)
        => Assert.Contains("'encryption.__keyVault'", Assert.Throws<NamespaceException>(() => new MongoKeyVaultStore(new ScriptedCommandRunner(), name)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_namespace_that_is_not_unicode_is_refused()
        => Assert.Throws<NamespaceException>(() => new MongoKeyVaultStore(new ScriptedCommandRunner(), "db.\ud800"));

    private static IEnumerable<Func<MongoKeyVaultStore, Task>> Operations(bool async) => async
        ?
        [
            store => store.EnsureIndexAsync().AsTask(), store => store.FindAsync([Id], []).AsTask(), store => store.ListAsync(3).AsTask(),
            store => store.InsertAsync(TestKeys.New()).AsTask(), store => store.FindMatchingAsync(KeyFilter.ById(Id)).AsTask(),
            store => store.AddNameAsync(Id, "a").AsTask(), store => store.RemoveNameAsync(Id, "a").AsTask(), store => store.DeleteAsync(Id).AsTask(),
            store => store.RewrapAsync(Rewrapped, DateTimeOffset.UtcNow).AsTask(),
        ]
        :
        [
            store => Do(() => store.EnsureIndex()), store => Do(() => store.Find([Id], [])), store => Do(() => store.List(3)),
            store => Do(() => store.Insert(TestKeys.New())), store => Do(() => store.FindMatching(KeyFilter.ById(Id))),
            store => Do(() => store.AddName(Id, "a")), store => Do(() => store.RemoveName(Id, "a")), store => Do(() => store.Delete(Id)),
            store => Do(() => store.Rewrap(Rewrapped, DateTimeOffset.UtcNow)),
        ];

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private static async Task Insert(MongoKeyVaultStore store, DataKeyDocument key, bool async)
    {
        if (async)
        {
            await store.InsertAsync(key);
        }
        else
        {
            store.Insert(key);
        }
    }

    private static string Batch(params DataKeyDocument[] keys)
        => $$$"""{"cursor": {"id": {"$numberLong": "0"}, "ns": "x", "firstBatch": [{{{string.Join(", ", keys.Select(key => ExtendedJson.ToJson(key.ToBson())))}}}]}, "ok": 1}""";

    private static void AssertAsked(ScriptedCommandRunner runner, bool async, params string[] commands)
    {
        Assert.All(runner.Received, received => Assert.Equal("encryption", received.Database));
        Assert.Equal(commands.Select(Normalize), runner.Received.Select(received => Normalize(received.Command)));
        Assert.Equal(async ? (0, commands.Length) : (commands.Length, 0), (runner.Synchronous, runner.Asynchronous));
    }

    private static string Normalize(string json) => ExtendedJson.ToJson(ExtendedJson.ToBson(json), ExtendedJsonMode.Canonical);

    private sealed class FixedRunner(byte[] reply) : IMongoCommandRunner
    {
        public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default) => reply;

        public ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(reply);
    }
}
