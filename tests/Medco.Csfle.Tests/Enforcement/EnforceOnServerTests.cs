using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Operations.Enforcement;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Enforcement;

public sealed class EnforceOnServerTests : IDisposable
{
    private const int DocumentValidationFailure = 121;

    private readonly MongoServer _server = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly CollectionNamespace _patients;

    public EnforceOnServerTests() => _patients = CollectionNamespace.FromFullName(_server.Namespace("patients"));

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    public void Dispose()
    {
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task After_the_start_the_server_refuses_plaintext_and_takes_ciphertext(bool isAsync)
    {
        using var factory = Factory(csfle => csfle.EnforceOnServer());
        using var encrypted = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();
        await Initialize(factory, isAsync);

        var exception = await Assert.ThrowsAsync<MongoWriteException>(() => Collection<Patient>(plain).InsertOneAsync(JonDoe.Create()));
        await Collection<Patient>(encrypted).InsertOneAsync(JonDoe.Create());
        await Collection<Patient>(encrypted).UpdateOneAsync(patient => patient.Name == "Jon Doe", Builders<Patient>.Update.Set(patient => patient.BloodType, "0-"));

        Assert.Equal(DocumentValidationFailure, exception.WriteError.Code);
        Assert.Equal("0-", (await Collection<Patient>(encrypted).Find(FilterDefinition<Patient>.Empty).SingleAsync()).BloodType);
        var update = Builders<BsonDocument>.Update.Set("bloodType", "0-");
        Assert.Equal(DocumentValidationFailure, (await Assert.ThrowsAsync<MongoWriteException>(() => Collection<BsonDocument>(plain).UpdateOneAsync(FilterDefinition<BsonDocument>.Empty, update))).WriteError.Code);
    }

    [Fact]
    public async Task Without_it_the_start_leaves_validators_alone()
    {
        using var factory = Factory(_ => { });
        using var plain = factory.CreateUnencryptedClient();
        await factory.InitializeAsync();

        await Collection<Patient>(plain).InsertOneAsync(JonDoe.Create());

        Assert.Equal(EnforcementStatus.NotEnforced, Assert.Single((await factory.Enforcement.PlanAsync()).Collections).Status);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_start_that_verifies_fails_with_the_difference_and_changes_nothing(bool isAsync)
    {
        using var verifying = Factory(csfle => csfle.EnforceOnServer(enforcement => enforcement.AtStartup = EnforcementAtStartup.Verify));
        var missing = await Assert.ThrowsAsync<EnforcementException>(() => Initialize(verifying, isAsync));
        using (var applying = Factory(csfle => csfle.EnforceOnServer())) await Initialize(applying, isAsync);
        await Initialize(verifying, isAsync);
        await Modify(new BsonDocument("validationAction", "warn"));
        using var again = Factory(csfle => csfle.EnforceOnServer(enforcement => enforcement.AtStartup = EnforcementAtStartup.Verify));

        var drifted = await Assert.ThrowsAsync<EnforcementException>(() => Initialize(again, isAsync));

        Assert.Equal((CsfleErrorCode.NotEnforced, CsfleErrorCode.NotEnforced), (missing.Code, drifted.Code));
        Assert.Contains("the collection is not there", missing.Message, StringComparison.Ordinal);
        Assert.Contains("validationAction", drifted.Message, StringComparison.Ordinal);
        Assert.Contains("- \"warn\"", drifted.Message, StringComparison.Ordinal);
        Assert.Equal("warn", (await Options())["validationAction"]);
    }

    [Fact]
    public async Task What_only_has_to_be_there_is_looked_at_before_anything_is_changed()
    {
        var other = _server.Namespace("others");
        using var factory = Factory(csfle => csfle
            .AddCollection<Patient>(other)
            .EnforceOnServer(enforcement => enforcement.For(other, collection => collection.AtStartup = EnforcementAtStartup.Verify)));

        var exception = await Assert.ThrowsAsync<EnforcementException>(() => factory.InitializeAsync());
        using var plain = factory.CreateUnencryptedClient();

        Assert.Equal(other, exception.Collection);
        Assert.DoesNotContain(_patients.FullName, exception.Message, StringComparison.Ordinal);
        Assert.Empty(await (await plain.GetDatabase(_patients.DatabaseNamespace.DatabaseName).ListCollectionNamesAsync()).ToListAsync());
    }

    [Fact]
    public async Task One_collection_can_be_left_alone()
    {
        var other = _server.Namespace("others");
        using var factory = Factory(csfle => csfle
            .AddCollection<Patient>(other)
            .EnforceOnServer(enforcement => enforcement.For(other, collection => collection.AtStartup = EnforcementAtStartup.None)));
        await factory.InitializeAsync();

        var plan = await factory.Enforcement.PlanAsync();

        Assert.Equal([EnforcementStatus.Enforced, EnforcementStatus.CollectionMissing], plan.Collections.Select(collection => collection.Status));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_pipeline_plans_shows_and_applies_without_a_start_and_without_a_master_key(bool isAsync)
    {
        using (var application = Factory(_ => { })) await application.Keys.GetOrCreateDataKeyAsync("medco-patients");
        using var pipeline = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo(_server.ConnectionString)
            .UseKeyVault(_store)
            .UseLocalMasterKey(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N")))
            .AddCollection<Patient>(_patients.FullName));

        var plan = isAsync ? await pipeline.Enforcement.PlanAsync() : pipeline.Enforcement.Plan();
        var diff = isAsync ? await pipeline.Enforcement.DiffAsync() : pipeline.Enforcement.Diff();
        var applied = isAsync ? await pipeline.Enforcement.ApplyAsync(plan) : pipeline.Enforcement.Apply(plan);

        Assert.False(plan.IsEnforced);
        Assert.Equal(plan.Describe(), diff);
        Assert.Contains("$jsonSchema.properties.insurance", diff, StringComparison.Ordinal);
        Assert.True(applied.IsEnforced);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_plan_creates_no_data_key(bool isAsync)
    {
        using var factory = Factory(_ => { });

        var exception = isAsync
            ? await Assert.ThrowsAsync<DataKeyException>(() => factory.Enforcement.PlanAsync())
            : Assert.Throws<DataKeyException>(() => factory.Enforcement.Plan());

        Assert.Equal(CsfleErrorCode.DataKeyNotFound, exception.Code);
        Assert.Empty(_store.List());
    }

    [Fact]
    public async Task What_somebody_else_wrote_keeps_the_start_from_changing_it_until_that_is_allowed()
    {
        await Create(BsonDocument.Parse("""{ "$jsonSchema": { "required": ["name"], "properties": { "ssn": { "bsonType": "int" } } } }"""));
        using var keeping = Factory(csfle => csfle.EnforceOnServer());
        using var overriding = Factory(csfle => csfle.EnforceOnServer(enforcement => enforcement.ExistingRules = ExistingRules.Override));

        var exception = await Assert.ThrowsAsync<EnforcementException>(() => keeping.InitializeAsync());
        var untouched = (await Options())["validator"];
        await overriding.InitializeAsync();

        Assert.Equal(CsfleErrorCode.EnforcementConflict, exception.Code);
        Assert.Equal("int", untouched["$jsonSchema"]["properties"]["ssn"]["bsonType"]);
        var validator = (await Options())["validator"];
        Assert.True(validator["$jsonSchema"]["properties"]["ssn"].AsBsonDocument.Contains("encrypt"));
        Assert.Equal("name", validator["$jsonSchema"]["required"][0]);
    }

    [Fact]
    public async Task Plaintext_that_is_there_is_counted()
    {
        using var factory = Factory(csfle => csfle.EnforceOnServer(enforcement => enforcement.AtStartup = EnforcementAtStartup.None));
        using var plain = factory.CreateUnencryptedClient();
        await factory.InitializeAsync();
        await Collection<Patient>(plain).InsertManyAsync([JonDoe.Create(), JonDoe.Create()]);
        await Collection<BsonDocument>(plain).InsertOneAsync(new BsonDocument("name", "nothing to encrypt"));

        var plan = await factory.Enforcement.PlanAsync(countRejectedDocuments: true);

        Assert.Equal(2, Assert.Single(plan.Collections).RejectedDocuments);
    }

    [Fact]
    public async Task A_source_adds_what_a_class_requires()
    {
        using var factory = Factory(csfle => csfle.EnforceOnServer(enforcement => enforcement.SchemaSource = new NameIsRequired()));
        using var encrypted = factory.CreateEncryptedClient();
        await factory.InitializeAsync();

        var exception = await Assert.ThrowsAsync<MongoWriteException>(() => Collection<BsonDocument>(encrypted).InsertOneAsync(new BsonDocument("ssn", 1)));
        await Collection<Patient>(encrypted).InsertOneAsync(JonDoe.Create());

        Assert.Equal(DocumentValidationFailure, exception.WriteError.Code);
    }

    [Fact]
    public async Task A_source_that_fails_is_named_with_its_collection()
    {
        using var factory = Factory(csfle => csfle.EnforceOnServer(enforcement => enforcement.SchemaSource = new Failing()));

        var exception = await Assert.ThrowsAsync<EnforcementException>(() => factory.InitializeAsync());

        Assert.Equal(CsfleErrorCode.NotEnforceable, exception.Code);
        Assert.Contains(nameof(Failing), exception.Message, StringComparison.Ordinal);
        Assert.Contains(_patients.FullName, exception.Message, StringComparison.Ordinal);
        Assert.IsType<NotSupportedException>(exception.InnerException);
    }

    [Fact]
    public void A_collection_that_is_treated_otherwise_has_to_be_registered()
    {
        var exception = Assert.Throws<CsfleConfigurationException>(() => Factory(csfle => csfle
            .EnforceOnServer(enforcement => enforcement.For("medicalRecords.pacients", collection => collection.AtStartup = EnforcementAtStartup.None))));

        Assert.Contains("'medicalRecords.pacients'", exception.Message, StringComparison.Ordinal);
        Assert.Equal(nameof(CsfleBuilder.EnforceOnServer), Assert.Single(exception.Errors).Option);
    }

    [Fact]
    public void A_container_has_it_as_a_service()
    {
        var services = new ServiceCollection();
        services.AddCsfle(csfle => csfle.ConnectTo("mongodb://127.0.0.1:1").UseKeyVault(_store).UseLocalMasterKey(_masterKey).AddCollection<Patient>());
        using var provider = services.BuildServiceProvider();

        Assert.Same(provider.GetRequiredService<ICsfleClientFactory>().Enforcement, provider.GetRequiredService<CsfleEnforcement>());
    }

    private static Task Initialize(CsfleClientFactory factory, bool isAsync)
    {
        if (isAsync) return factory.InitializeAsync();
        try
        {
            factory.Initialize();
            return Task.CompletedTask;
        }
        catch (CsfleException exception)
        {
            return Task.FromException(exception);
        }
    }

    private CsfleClientFactory Factory(Action<CsfleBuilder> configure) => CsfleClientFactory.Create(csfle => configure(csfle
        .ConnectTo(_server.ConnectionString)
        .UseKeyVault(_store)
        .UseLocalMasterKey(_masterKey)
        .AddCollection<Patient>(_patients.FullName)
        .CreateMissingDataKeys()));

    private IMongoCollection<T> Collection<T>(IMongoClient client)
        => client.GetDatabase(_patients.DatabaseNamespace.DatabaseName).GetCollection<T>(_patients.CollectionName);

    private async Task Create(BsonDocument validator) => await Run(new BsonDocument { { "create", _patients.CollectionName }, { "validator", validator } });

    private async Task Modify(BsonDocument change) => await Run(new BsonDocument("collMod", _patients.CollectionName).Merge(change));

    private async Task<BsonDocument> Options()
    {
        var reply = await Run(new BsonDocument { { "listCollections", 1 }, { "filter", new BsonDocument("name", _patients.CollectionName) } });
        return reply["cursor"]["firstBatch"][0]["options"].AsBsonDocument;
    }

    private async Task<BsonDocument> Run(BsonDocument command)
    {
        using var client = new MongoClient(_server.ConnectionString);
        return await client.GetDatabase(_patients.DatabaseNamespace.DatabaseName).RunCommandAsync<BsonDocument>(command);
    }

    private sealed class NameIsRequired : ValidatorSchemaSource
    {
        public override byte[] BuildJsonSchema(ValidatorSchemaContext context)
        {
            Assert.Equal(typeof(Patient), context.Type);
            return ExtendedJson.ToBson($$"""{{ExtendedJson.ToJson(context.EncryptionRules.Span)[..^1]}}, "required": ["name"]}""");
        }
    }

    private sealed class Failing : ValidatorSchemaSource
    {
        public override byte[] BuildJsonSchema(ValidatorSchemaContext context) => throw new NotSupportedException();
    }
}
