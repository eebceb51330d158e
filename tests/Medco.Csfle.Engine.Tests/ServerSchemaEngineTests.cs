using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.KeyVault;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests;

/// <summary>An engine that takes schemas and data keys from a server.</summary>
public sealed class ServerSchemaEngineTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly ManualTime _time = new();
    private readonly KeyVaultService _vault;
    private readonly Guid _keyId;

    public ServerSchemaEngineTests()
    {
        _vault = new KeyVaultService(new MongoKeyVaultStore(_server, "encryption.__keyVault"), [new LocalKeyManagementService(LocalMasterKey.Generate())]);
        _keyId = _vault.CreateDataKey("local");
    }

    public void Dispose()
    {
        _vault.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_collection_with_a_validator_is_encrypted_without_a_local_schema(bool async)
    {
        CreateCollection();
        var engine = NewEngine();

        var insert = await Encrypt(engine, $$"""{"insert": "coll", "documents": [{{EngineFixture.Patient}}]}""", async);

        var reply = ExtendedJson.ToJson(_server.RunCommand("db", insert));
        Assert.Contains("\"n\":1", reply, StringComparison.Ordinal);
        var stored = _server.RunCommand("db", await Encrypt(engine, """{"find": "coll", "filter": {"ssn": 241014209}}""", async));
        Assert.DoesNotContain("AB+", ExtendedJson.ToJson(stored), StringComparison.Ordinal);
        var read = ExtendedJson.ToJson((async ? await engine.DecryptReplyAsync(stored) : engine.DecryptReply(stored)).Span);
        Assert.Contains("\"ssn\":241014209,\"bloodType\":\"AB+\"", read, StringComparison.Ordinal);
        Assert.Single(_server.Commands, command => command.Name == "listCollections");
    }

    [Fact]
    public void A_registered_schema_goes_first_and_nobody_is_asked()
    {
        CreateCollection();
        var engine = NewEngine(new CsfleEngineOptions
        {
            Schemas = new Dictionary<string, EncryptionSchema> { ["db.coll"] = EncryptionSchema.Parse("""{"bsonType": "object"}""") },
            ServerSchemas = _server,
        });
        var insert = Bson("""{"insert": "coll", "documents": [{"ssn": 1}]}""");
        Assert.Equal(insert, engine.EncryptCommand("db", insert).ToArray());
        Assert.DoesNotContain(_server.Commands, command => command.Name == "listCollections");
    }

    [Fact]
    public void Without_the_option_nobody_is_asked()
    {
        CreateCollection();
        var engine = NewEngine(new CsfleEngineOptions { AllowUnencrypted = ["db.*"] });
        var insert = Bson("""{"insert": "coll", "documents": [{"ssn": 1}]}""");
        Assert.Equal(insert, engine.EncryptCommand("db", insert).ToArray());
        Assert.DoesNotContain(_server.Commands, command => command.Name == "listCollections");
    }

    [Fact]
    public void A_schema_of_the_server_counts_more_than_the_permission_to_write_in_clear()
    {
        CreateCollection();
        var engine = NewEngine(new CsfleEngineOptions { AllowUnencrypted = ["db.*"], ServerSchemas = _server });
        Assert.DoesNotContain("\"ssn\":1}", ExtendedJson.ToJson(engine.EncryptCommand("db", Bson("""{"insert": "coll", "documents": [{"ssn": 1}]}""")).Span), StringComparison.Ordinal);

        var elsewhere = Bson("""{"insert": "other", "documents": [{"ssn": 1}]}""");
        Assert.Equal(elsewhere, engine.EncryptCommand("db", elsewhere).ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_collection_without_any_schema_is_not_written_to(bool async)
    {
        var engine = NewEngine();
        var error = await Assert.ThrowsAsync<QueryAnalysisException>(() => Encrypt(engine, """{"insert": "other", "documents": [{"ssn": 1}]}""", async));
        Assert.Equal((CsfleErrorCode.UnregisteredNamespace, "db.other"), (error.Code, error.Collection));
    }

    [Theory]
    [InlineData("""{"hello": 1}""")]
    [InlineData("""{"getMore": {"$numberLong": "1"}, "collection": "coll"}""")]
    [InlineData("""{"drop": "coll"}""")]
    public void Commands_that_are_not_analysed_ask_nobody(string command)
    {
        NewEngine().EncryptCommand("db", Bson(command));
        Assert.DoesNotContain(_server.Commands, received => received.Name == "listCollections");
    }

    [Fact]
    public void A_collection_that_the_engine_creates_is_encrypted_at_once()
    {
        var engine = NewEngine();
        var find = Bson("""{"find": "coll", "filter": {"ssn": 1}}""");
        Assert.Equal(find, engine.EncryptCommand("db", find).ToArray());

        var create = engine.EncryptCommand("db", Bson(CreateCommand));
        Assert.Equal(Bson(CreateCommand), create.ToArray());
        _server.RunCommand("db", create);

        Assert.NotEqual(find, engine.EncryptCommand("db", find).ToArray());
    }

    [Fact]
    public void A_change_by_others_is_noticed_after_a_minute()
    {
        var engine = NewEngine();
        var find = Bson("""{"find": "coll", "filter": {"ssn": 1}}""");
        Assert.Equal(find, engine.EncryptCommand("db", find).ToArray());
        CreateCollection();
        Assert.Equal(find, engine.EncryptCommand("db", find).ToArray());
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.NotEqual(find, engine.EncryptCommand("db", find).ToArray());
    }

    [Fact]
    public void A_pipeline_that_names_an_encrypted_collection_is_seen()
    {
        CreateCollection();
        var command = Bson("""{"aggregate": "other", "pipeline": [{"$lookup": {"from": "coll", "as": "x", "pipeline": [{"$match": {"ssn": {"$eq": 1}}}]}}], "cursor": {}}""");
        var engine = NewEngine();
        var sent = engine.EncryptCommand("db", command);
        Assert.NotEqual(command, sent.ToArray());
        Assert.Equal(command, engine.DecryptReply(sent).ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_the_server_does_not_answer_nothing_is_sent(bool async)
    {
        var engine = NewEngine(new CsfleEngineOptions { AllowUnencrypted = ["db.*"], ServerSchemas = new ScriptedCommandRunner((_, _) => throw new IOException()) });
        await Assert.ThrowsAsync<ServerSchemaException>(() => Encrypt(engine, """{"insert": "coll", "documents": [{"ssn": 1}]}""", async));
    }

    [Fact]
    public void A_namespace_that_was_not_asked_for_is_not_taken_for_unencrypted()
    {
        var schemas = new SchemaMap([]).With(new Dictionary<string, EncryptionSchema?> { ["db.known"] = null });
        Assert.Null(schemas.Find("db.known"));
        Assert.Equal("db.other", Assert.Throws<QueryAnalysisException>(() => schemas.Find("db.other")).Collection);
    }

    private string CreateCommand
        => $$$"""{"create": "coll", "validator": {"$jsonSchema": {{{EngineFixture.PatientSchema.Replace("KEY", _keyId.ToString(), StringComparison.Ordinal)}}}}}""";

    private void CreateCollection()
        => Assert.Contains("\"ok\":1", ExtendedJson.ToJson(_server.RunCommand("db", Bson(CreateCommand))), StringComparison.Ordinal);

    private CsfleEngine NewEngine(CsfleEngineOptions? options = null)
        => new(_vault, options ?? new CsfleEngineOptions { ServerSchemas = _server, TimeProvider = _time });

    private static async Task<ReadOnlyMemory<byte>> Encrypt(CsfleEngine engine, string command, bool async)
        => async ? await engine.EncryptCommandAsync("db", Bson(command)) : engine.EncryptCommand("db", Bson(command));

    private static byte[] Bson(string json) => ExtendedJson.ToBson(json);
}
