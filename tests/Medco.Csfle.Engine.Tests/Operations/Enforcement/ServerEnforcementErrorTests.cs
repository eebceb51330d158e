using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Operations.Enforcement;

/// <summary>What servers answer that cannot, may not or do not do what is asked, and races between several who apply.</summary>
public sealed class ServerEnforcementErrorTests
{
    private const string Ok = """{"ok": 1}""";
    private const string None = """{"cursor": {"id": {"$numberLong": "0"}, "ns": "db.$cmd.listCollections", "firstBatch": []}, "ok": 1}""";
    private const string Unauthorized = """{"ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "secret 4711"}""";

    private static readonly EncryptionSchema Schema = EncryptionSchema.Parse("""
        {"bsonType": "object", "properties": {"ssn": {"encrypt": {
          "keyId": [{"$uuid": "e114f7ad-ad7a-4a68-81a7-ebcb9ea0953a"}], "bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}}}
        """);

    private static readonly WantedValidator Wanted = new("db.coll", Schema);
    private static readonly string Enforced = Collection($$$"""{"validator": {"$jsonSchema": {{{Schema.ToJson()}}} }}""");

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Who_comes_second_in_creating_the_collection_modifies_it(bool isAsync)
    {
        var runner = new ScriptedCommandRunner(
            None,
            None,
            """{"ok": 0, "code": 48, "codeName": "NamespaceExists"}""",
            Collection("{}"),
            Ok,
            Enforced,
            Enforced);

        var plan = await Apply(runner, await Plan(runner, isAsync), isAsync);

        Assert.True(plan.IsEnforced);
        Assert.Equal(["listCollections", "listCollections", "create", "listCollections", "collMod", "listCollections", "listCollections"], NamesOf(runner));
        Assert.Equal(isAsync ? (0, 7) : (7, 0), (runner.Synchronous, runner.Asynchronous));
    }

    [Fact]
    public async Task A_collection_that_is_dropped_meanwhile_is_created()
    {
        var runner = new ScriptedCommandRunner(
            Collection("{}"),
            Collection("{}"),
            """{"ok": 0, "code": 26, "codeName": "NamespaceNotFound"}""",
            None,
            Ok,
            Enforced,
            Enforced);

        Assert.True((await Apply(runner, await Plan(runner, true), true)).IsEnforced);
        Assert.Equal(["listCollections", "listCollections", "collMod", "listCollections", "create", "listCollections", "listCollections"], NamesOf(runner));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_validator_that_does_not_stay_is_an_error_after_a_few_attempts(bool isAsync)
    {
        var runner = new ScriptedCommandRunner((_, command) => command.StartsWith("{\"listCollections\"", StringComparison.Ordinal) ? Collection("{}") : Ok);
        var plan = await Plan(runner, isAsync);

        var exception = await Assert.ThrowsAsync<EnforcementException>(() => Apply(runner, plan, isAsync));

        Assert.Equal(CsfleErrorCode.NotEnforced, exception.Code);
        Assert.Equal(5, NamesOf(runner).Count(name => name == "collMod"));
    }

    [Fact]
    public async Task The_commands_are_as_documented()
    {
        var runner = new ScriptedCommandRunner(None, None, Ok, Enforced, Enforced);
        await Apply(runner, await Plan(runner, true), true);

        Assert.Equal(
            ("db", $$$"""{"create":"coll","validator":{"$jsonSchema":{{{Rules()}}}},"validationLevel":"strict","validationAction":"error","writeConcern":{"w":"majority"}}"""),
            runner.Received[2]);
    }

    [Theory]
    [InlineData("listCollections", "Grant the user listCollections")]
    [InlineData("create", "Grant the user createCollection and collMod")]
    [InlineData("collMod", "Grant the user createCollection and collMod")]
    [InlineData("count", "Grant the user find")]
    public async Task A_missing_privilege_is_named_and_the_server_is_not_quoted(string refused, string remedy)
    {
        var runner = new ScriptedCommandRunner((_, command) =>
            command.StartsWith($"{{\"{refused}\"", StringComparison.Ordinal) ? Unauthorized
            : command.StartsWith("{\"listCollections\"", StringComparison.Ordinal) ? (refused == "create" ? None : Collection("{}"))
            : Ok);

        var exception = await Assert.ThrowsAsync<EnforcementException>(async () =>
        {
            var enforcement = new ServerEnforcement(runner);
            await enforcement.ApplyAsync(await enforcement.PlanAsync([Wanted], countRejectedDocuments: refused == "count"));
        });

        Assert.Equal(CsfleErrorCode.EnforcementFailed, exception.Code);
        Assert.Equal((13, "Unauthorized", "db.coll"), (exception.ServerCode, exception.ServerCodeName, exception.Collection));
        Assert.StartsWith(remedy, exception.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("4711", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "7"}, "firstBatch": []}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}, "firstBatch": [1]}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}, "firstBatch": [{"name": "coll"}]}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}, "firstBatch": [{"name": "other", "type": "collection"}]}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}, "firstBatch": [{"name": "coll", "type": "collection"}, {"name": "coll", "type": "collection"}]}, "ok": 1}""")]
    [InlineData("""{"cursor": {"id": {"$numberLong": "0"}, "firstBatch": [{"name": "coll", "type": "collection", "options": {"validator": 1}}]}, "ok": 1}""")]
    public async Task An_answer_that_is_none_is_an_error_and_not_taken_for_a_collection_without_a_validator(string reply)
    {
        var exception = await Assert.ThrowsAsync<EnforcementException>(() => Plan(new ScriptedCommandRunner(reply), isAsync: true));

        Assert.Equal(CsfleErrorCode.EnforcementFailed, exception.Code);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_server_that_is_not_reached_is_an_error_with_its_cause(bool isAsync)
    {
        var runner = new ScriptedCommandRunner((_, _) => throw new TimeoutException());

        var exception = await Assert.ThrowsAsync<EnforcementException>(() => Plan(runner, isAsync));

        Assert.Equal(CsfleErrorCode.EnforcementFailed, exception.Code);
        Assert.IsType<TimeoutException>(exception.InnerException);
    }

    [Fact]
    public async Task What_the_majority_has_not_confirmed_is_an_error()
    {
        var runner = new ScriptedCommandRunner(None, None, """{"ok": 1, "writeConcernError": {"code": 64, "codeName": "WriteConcernFailed"}}""");
        var plan = await Plan(runner, true);

        var exception = await Assert.ThrowsAsync<EnforcementException>(() => Apply(runner, plan, true));

        Assert.Contains("not confirmed by the majority", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("db.coll", "view", """{"viewOn": "other", "pipeline": []}""", "a view")]
    [InlineData("db.coll", "timeseries", """{"timeseries": {"timeField": "t"}}""", "a time series")]
    [InlineData("db.coll", "collection", """{"encryptedFields": {"fields": []}}""", "Queryable Encryption")]
    [InlineData("admin.coll", "collection", "{}", "admin, local and config")]
    [InlineData("db.system.profile", "collection", "{}", "system collections")]
    public async Task What_cannot_have_a_validator_is_a_conflict(string ns, string type, string options, string reason)
    {
        var name = ns[(ns.IndexOf('.', StringComparison.Ordinal) + 1)..];
        var runner = new ScriptedCommandRunner(Collection(options, name, type));

        var plan = await new ServerEnforcement(runner).PlanAsync([new WantedValidator(ns, Schema)]);

        Assert.Equal(EnforcementStatus.Conflict, plan.Collections[0].Status);
        Assert.Contains(reason, Assert.Single(plan.Collections[0].Conflicts), StringComparison.Ordinal);
        Assert.True(plan.HasConflicts);
        Assert.Equal(CsfleErrorCode.NotEnforced, Assert.Throws<EnforcementException>(plan.ThrowIfNotEnforced).Code);
    }

    [Fact]
    public async Task A_validator_that_refuses_and_logs_is_in_force()
    {
        var runner = new ScriptedCommandRunner(Collection($$$"""{"validator": {"$jsonSchema": {{{Schema.ToJson()}}} }, "validationAction": "errorAndLog"}"""));

        Assert.True((await Plan(runner, true)).IsEnforced);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Asking_can_be_cancelled(bool isAsync)
    {
        var enforcement = new ServerEnforcement(new ScriptedCommandRunner());
        var cancelled = new CancellationToken(canceled: true);

        if (isAsync) await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await enforcement.PlanAsync([Wanted], false, cancelled));
        else Assert.ThrowsAny<OperationCanceledException>(() => enforcement.Plan([Wanted], false, cancelled));
    }

    private static string Rules() => Medco.Csfle.Engine.Bson.ExtendedJson.ToJson(Wanted.ToBson());

    private static string Collection(string options, string name = "coll", string type = "collection") => $$$"""
        {"cursor": {"id": {"$numberLong": "0"}, "firstBatch": [{"name": "{{{name}}}", "type": "{{{type}}}", "options": {{{options}}}, "info": {"readOnly": false}}]}, "ok": 1}
        """;

    private static IEnumerable<string> NamesOf(ScriptedCommandRunner runner)
        => runner.Received.Select(received => received.Command.Split('"')[1]);

    private static async Task<EnforcementPlan> Plan(ScriptedCommandRunner runner, bool isAsync)
        => isAsync ? await new ServerEnforcement(runner).PlanAsync([Wanted]) : new ServerEnforcement(runner).Plan([Wanted]);

    private static async Task<EnforcementPlan> Apply(ScriptedCommandRunner runner, EnforcementPlan plan, bool isAsync)
        => isAsync ? await new ServerEnforcement(runner).ApplyAsync(plan) : new ServerEnforcement(runner).Apply(plan);
}
