using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Operations.Enforcement;

/// <summary>Validators on a server that really refuses what they forbid.</summary>
public sealed class ServerEnforcementTests : IDisposable
{
    private const string Plain = """{"name": "Jon Doe", "ssn": 241014209}""";

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly EngineFixture _engine = new();

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    public void Dispose()
    {
        _server.Dispose();
        _engine.Dispose();
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_collection_that_is_not_there_is_created_and_refuses_plaintext(bool isAsync)
    {
        var plan = await Plan(isAsync, Wanted());
        Assert.Equal(EnforcementStatus.CollectionMissing, Assert.Single(plan.Collections).Status);
        Assert.DoesNotContain(_server.Commands, command => command.Name is "create" or "collMod");

        var applied = await Apply(isAsync, plan);

        Assert.True(applied.IsEnforced);
        Assert.Equal(121, Insert(Plain));
        Assert.Null(InsertEncrypted(EngineFixture.Patient));
        Assert.Null(Insert("""{"name": "no encrypted field at all"}"""));
    }

    [Theory]
    [InlineData("""{"ssn": "as text"}""")]
    [InlineData("""{"ssn": null}""")]
    [InlineData("""{"ssn": {"$binary": {"base64": "AQID", "subType": "00"}}}""")]
    [InlineData("""{"bloodType": "AB+"}""")]
    [InlineData("""{"medicalRecords": []}""")]
    [InlineData("""{"insurance": {"policyNumber": 1}}""")]
    [InlineData("""{"insurance": [{"policyNumber": 1}]}""")]
    public async Task Whatever_is_no_ciphertext_is_refused(string document)
    {
        await Apply(isAsync: false, await Plan(false, Wanted()));

        Assert.Equal(121, Insert(document));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Applied_twice_changes_nothing_the_second_time(bool isAsync)
    {
        await Apply(isAsync, await Plan(isAsync, Wanted()));
        _server.ClearCommands();

        var plan = await Plan(isAsync, Wanted());
        await Apply(isAsync, plan);

        Assert.True(plan.IsEnforced);
        Assert.Equal(["listCollections"], _server.Commands.Select(command => command.Name).Distinct());
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Many_who_apply_at_once_all_succeed(bool isAsync)
    {
        var plan = await Plan(isAsync, Wanted());

        var applied = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Apply(isAsync, plan))));

        Assert.All(applied, each => Assert.True(each.IsEnforced));
        Assert.Equal(121, Insert(Plain));
    }

    [Fact]
    public async Task Other_rules_of_the_validator_stay_in_force()
    {
        Run("""
            {"create": "coll", "validator": {"status": {"$in": ["new", "old"]}, "$jsonSchema": {"required": ["name"],
             "properties": {"name": {"bsonType": "string", "maxLength": 10}, "insurance": {"required": ["provider"]}}}}}
            """);

        await Apply(isAsync: true, await Plan(true, Wanted()));

        Assert.Equal(121, Insert("""{"name": "Jon Doe"}"""));
        Assert.Equal(121, Insert("""{"status": "new"}"""));
        Assert.Equal(121, Insert("""{"status": "new", "name": "Jonathan Doe"}"""));
        Assert.Equal(121, Insert("""{"status": "new", "name": "Jon Doe", "insurance": {}}"""));
        Assert.Equal(121, Insert("""{"status": "new", "name": "Jon Doe", "ssn": 1}"""));
        Assert.Null(InsertEncrypted("""{"status": "new", "name": "Jon Doe", "ssn": 1, "insurance": {"provider": "x", "policyNumber": 1}}"""));
    }

    [Fact]
    public async Task A_validator_that_says_the_same_in_other_words_is_left_alone()
    {
        // Keys inherited, a type as a list, another order, and a rule more.
        var schema = EngineFixture.PatientSchema.Replace("KEY", _engine.KeyId.ToString(), StringComparison.Ordinal)
            .Replace("\"bsonType\": \"string\", \"algorithm\": \"AEAD_AES_256_CBC_HMAC_SHA_512-Random\"", "\"algorithm\": \"AEAD_AES_256_CBC_HMAC_SHA_512-Random\", \"bsonType\": [\"string\"]", StringComparison.Ordinal);
        Assert.Contains("[\"string\"]", schema, StringComparison.Ordinal);
        Run($$$$"""{"create": "coll", "validator": {"$jsonSchema": {{{{schema.TrimEnd()[..^1]}}}}, "required": ["ssn"]}}}""");

        var plan = await Plan(false, Wanted());

        Assert.Equal("db.coll: enforced", plan.Describe());
    }

    [Theory]
    [InlineData("""{"bsonType": "int"}""", "$jsonSchema.properties.ssn")]
    [InlineData("""{"encrypt": {"keyId": [{"$uuid": "11111111-2222-4333-8444-555555555555"}], "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic", "bsonType": "int"}}""", "$jsonSchema.properties.ssn.encrypt.keyId")]
    [InlineData("""{"encrypt": {"keyId": [{"$uuid": "KEY"}], "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random", "bsonType": "int"}}""", "$jsonSchema.properties.ssn.encrypt.algorithm")]
    [InlineData("""{"encrypt": {"keyId": [{"$uuid": "KEY"}], "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic", "bsonType": "string"}}""", "$jsonSchema.properties.ssn.encrypt.bsonType")]
    public async Task A_rule_that_says_otherwise_is_a_conflict_and_nothing_is_changed_in_any_collection(string ssn, string path)
    {
        ssn = ssn.Replace("KEY", _engine.KeyId.ToString(), StringComparison.Ordinal);
        Run($$$$$$"""{"create": "coll", "validator": {"$jsonSchema": {"bsonType": "object", "properties": {"ssn": {{{{{{ssn}}}}}}}}}}""");
        _server.ClearCommands();

        var plan = await Plan(false, Wanted(ns: "db.other"), Wanted());
        var exception = await Assert.ThrowsAsync<EnforcementException>(() => Apply(isAsync: false, plan));

        Assert.Equal([EnforcementStatus.CollectionMissing, EnforcementStatus.Conflict], plan.Collections.Select(collection => collection.Status));
        Assert.Equal(CsfleErrorCode.EnforcementConflict, exception.Code);
        Assert.Equal("db.coll", exception.Collection);
        Assert.Contains($"'{path}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains(plan.Collections[1].Differences, difference => difference.Path == path && difference.Actual is not null && difference.Wanted is not null);
        Assert.DoesNotContain(_server.Commands, command => command.Name is "create" or "collMod");
    }

    [Fact]
    public async Task What_contradicts_is_replaced_where_that_is_allowed_and_the_rest_stays()
    {
        Run("""{"create": "coll", "validator": {"$jsonSchema": {"required": ["name"], "properties": {"ssn": {"bsonType": "int"}}}}}""");

        await Apply(isAsync: true, await Plan(true, Wanted(ExistingRules.Override)));

        Assert.Equal(121, Insert("""{"name": "Jon Doe", "ssn": 1}"""));
        Assert.Equal(121, InsertEncrypted("""{"ssn": 1}"""));
        Assert.Null(InsertEncrypted("""{"name": "Jon Doe", "ssn": 1}"""));
    }

    [Fact]
    public async Task What_is_there_goes_where_it_is_discarded_but_for_other_expressions()
    {
        Run("""{"create": "coll", "validator": {"status": {"$exists": true}, "$jsonSchema": {"required": ["name"], "properties": {"ssn": {"bsonType": "int"}}}}}""");

        var plan = await Plan(true, Wanted(ExistingRules.Discard));
        await Apply(isAsync: true, plan);

        Assert.Contains(new ValidatorDifference("$jsonSchema.required", """["name"]""", null), plan.Collections[0].Differences);
        Assert.Equal(121, InsertEncrypted("""{"ssn": 1}"""));
        Assert.Null(InsertEncrypted("""{"status": 1, "ssn": 1}"""));
        Assert.True((await Plan(true, Wanted(ExistingRules.Discard))).IsEnforced);
    }

    [Theory]
    [InlineData(""" "validationAction": "warn" """, "validationAction")]
    [InlineData(""" "validationLevel": "off" """, "validationLevel")]
    [InlineData(""" "validationLevel": "moderate" """, "validationLevel")]
    [InlineData(""" "validator": {} """, "$jsonSchema.bsonType")]
    [InlineData(""" "validator": {"$jsonSchema": {"bsonType": "object"}} """, "$jsonSchema.properties.ssn")]
    public async Task What_somebody_changes_is_found_and_put_right(string change, string path)
    {
        await Apply(isAsync: true, await Plan(true, Wanted()));
        Run($$"""{"collMod": "coll", {{change}}}""");

        var plan = await Plan(true, Wanted());
        var exception = Assert.Throws<EnforcementException>(plan.ThrowIfNotEnforced);
        var applied = await Apply(isAsync: true, plan);

        Assert.Equal(EnforcementStatus.NotEnforced, plan.Collections[0].Status);
        Assert.Contains(plan.Collections[0].Differences, difference => difference.Path == path);
        Assert.Equal(CsfleErrorCode.NotEnforced, exception.Code);
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        Assert.True(applied.IsEnforced);
        Assert.Equal(121, Insert(Plain));
    }

    [Fact]
    public async Task A_plan_does_not_change_what_it_did_not_show()
    {
        Run("""{"create": "coll"}""");
        var plan = await Plan(true, Wanted(ExistingRules.Override));
        Run("""{"collMod": "coll", "validator": {"$jsonSchema": {"bsonType": "object", "properties": {"ssn": {"bsonType": "int"}}}}}""");

        var exception = await Assert.ThrowsAsync<EnforcementException>(() => Apply(isAsync: true, plan));

        Assert.Equal(CsfleErrorCode.PlanOutdated, exception.Code);
        Assert.Null(Insert(Plain));
    }

    [Fact]
    public async Task Rules_added_by_others_since_the_plan_are_kept()
    {
        Run("""{"create": "coll"}""");
        var plan = await Plan(true, Wanted());
        Run("""{"collMod": "coll", "validator": {"status": {"$exists": true}, "$jsonSchema": {"required": ["name"]}}}""");

        await Apply(isAsync: true, plan);

        Assert.Equal(121, InsertEncrypted("""{"status": 1, "ssn": 1}"""));
        Assert.Equal(121, InsertEncrypted("""{"name": "Jon Doe", "ssn": 1}"""));
        Assert.Null(InsertEncrypted("""{"status": 1, "name": "Jon Doe", "ssn": 1}"""));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Documents_that_would_be_refused_are_counted_where_that_is_asked_for(bool isAsync)
    {
        Insert(Plain);
        Insert(Plain);
        InsertEncrypted(EngineFixture.Patient);

        var silent = await Plan(isAsync, Wanted());
        var counted = await Plan(isAsync, count: true, Wanted(), Wanted(ns: "db.missing"));

        Assert.Null(silent.Collections[0].RejectedDocuments);
        Assert.Equal(2, counted.Collections[0].RejectedDocuments);
        Assert.Null(counted.Collections[1].RejectedDocuments);
        Assert.Contains("2 documents in it would be refused", counted.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_plan_shows_what_is_there_and_what_is_wanted_line_by_line()
    {
        Run("""{"create": "coll", "validationAction": "warn", "validator": {"$jsonSchema": {"properties": {"ssn": {"bsonType": "int"}}}}}""");
        var schema = EncryptionSchema.Parse($$$$$"""
            {"bsonType": "object", "properties": {"ssn": {"encrypt": {"keyId": [{"$uuid": "{{{{{_engine.KeyId}}}}}"}], "bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}
            """);

        var plan = await Plan(false, new WantedValidator("db.coll", schema, ExistingRules.Override));

        var key = Convert.ToBase64String(_engine.KeyId.ToByteArray(bigEndian: true));
        Assert.Equal(
            $$$"""
            db.coll: not enforced; its validator will be changed
                validationAction
                  - "warn"
                  + "error"
                $jsonSchema.bsonType
                  + "object"
                $jsonSchema.properties.ssn
                  - {"bsonType":"int"}
                  + {"encrypt":{"keyId":[{"$binary":{"base64":"{{{key}}}","subType":"04"}}],"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic","bsonType":"int"}}
            """,
            plan.Describe());
    }

    [Fact]
    public async Task What_drivers_could_not_read_is_a_conflict()
    {
        Run("""{"create": "coll", "validator": {"$jsonSchema": {"properties": {"other": {"anyOf": [{"encrypt": {"keyId": "/key"}}]}}}}}""");

        var plan = await Plan(false, Wanted());

        Assert.Contains("drivers could not tell", Assert.Single(plan.Collections[0].Conflicts), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validators_of_many_collections_and_databases_are_asked_for_together()
    {
        var wanted = Enumerable.Range(0, 60).Select(number => Wanted(ns: $"db.c{number}")).Append(Wanted(ns: "other.c")).ToArray();

        var plan = await Plan(true, wanted);

        Assert.Equal(wanted.Select(each => each.Namespace), plan.Collections.Select(collection => collection.Namespace));
        Assert.Equal(3, _server.Commands.Count);
    }

    [Fact]
    public void A_collection_stands_once_in_a_plan()
        => Assert.Throws<ArgumentException>(() => new ServerEnforcement(_server).Plan([Wanted(), Wanted()]));

    private WantedValidator Wanted(ExistingRules existingRules = ExistingRules.Keep, string ns = "db.coll") => new(ns, _engine.Schema, existingRules);

    private Task<EnforcementPlan> Plan(bool isAsync, params WantedValidator[] wanted) => Plan(isAsync, count: false, wanted);

    private async Task<EnforcementPlan> Plan(bool isAsync, bool count, params WantedValidator[] wanted)
        => isAsync ? await new ServerEnforcement(_server).PlanAsync(wanted, count) : new ServerEnforcement(_server).Plan(wanted, count);

    private async Task<EnforcementPlan> Apply(bool isAsync, EnforcementPlan plan)
        => isAsync ? await new ServerEnforcement(_server).ApplyAsync(plan) : new ServerEnforcement(_server).Apply(plan);

    private int? InsertEncrypted(string document)
        => CodeOf(_server.RunCommand("db", _engine.Engine.EncryptCommand("db", EngineFixture.Insert(ExtendedJson.ToBson(document)))));

    private int? Insert(string document) => CodeOf(_server.RunCommand("db", EngineFixture.Insert(ExtendedJson.ToBson(document))));

    private void Run(string command) => Assert.True(ServerReply.IsOk(_server.RunCommand("db", ExtendedJson.ToBson(command)), out var error), error.ToString());

    // The code of the write error; null where the document was inserted.
    private static int? CodeOf(byte[] reply)
    {
        var reader = new BsonReader(reply);
        if (!reader.ReadTo("writeErrors"u8)) return null;
        var errors = reader.ReadDocument();
        Assert.True(errors.Read());
        return ServerError.Read(errors.ReadDocument()).Code;
    }
}
