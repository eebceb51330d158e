using MedcoMd.Model;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/enforcement.md shows, compiled and run.</summary>
public sealed class EnforcementPageSnippets : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("enforcement-page-").FullName;
    private readonly InMemoryKeyVaultStore _store = new();

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Enforcing_at_start_up()
    {
        var connectionString = _server.ConnectionString;
        var keyVault = _server.Namespace("__keyVault");
        var masterKeyFile = Path.Combine(_folder, "master-key.bin");
        var services = new ServiceCollection();

        services.AddCsfle(csfle => csfle
            .ConnectTo(connectionString)
            .UseKeyVault(keyVault)
            .UseLocalMasterKey(masterKeyFile)
            .AddCollection<Patient>()
            .EnforceOnServer());

        using var provider = services.BuildServiceProvider();
        Assert.NotNull(provider.GetRequiredService<CsfleEnforcement>());
    }

    [Fact]
    public async Task A_pipeline_applies_and_the_application_verifies()
    {
        var ns = _server.Namespace("patients");
        using var application = Factory(ns, csfle =>
        {
            csfle.EnforceOnServer(enforcement =>
            {
                enforcement.AtStartup = EnforcementAtStartup.Verify;
            });
        });
        await application.Keys.GetOrCreateDataKeyAsync("medco-patients");
        using var factory = Factory(ns, _ => { });

        var plan = await factory.Enforcement.PlanAsync(countRejectedDocuments: true);
        Console.WriteLine(plan.Describe());
        if (!plan.IsEnforced && !plan.HasConflicts) await factory.Enforcement.ApplyAsync(plan);

        await application.InitializeAsync();
    }

    [Fact]
    public async Task One_collection_treated_otherwise()
    {
        using var factory = Factory("medicalRecords.archive", csfle =>
        {
            csfle.EnforceOnServer(enforcement => enforcement
                .For("medicalRecords.archive", archive => archive.AtStartup = EnforcementAtStartup.None));
        });
        await factory.Keys.GetOrCreateDataKeyAsync("medco-patients");

        await factory.InitializeAsync();
    }

    [Fact]
    public async Task A_source_of_schemas()
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("patients"));
        using var factory = Factory(ns.FullName, csfle =>
        {
            csfle.EnforceOnServer(enforcement => enforcement.SchemaSource = new NameIsRequired());
        });
        using var plain = factory.CreateUnencryptedClient();
        await factory.Keys.GetOrCreateDataKeyAsync("medco-patients");
        await factory.InitializeAsync();

        var patients = plain.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(ns.CollectionName);

        await patients.InsertOneAsync(new BsonDocument("name", "Jon Doe"));
        await Assert.ThrowsAsync<MongoWriteException>(() => patients.InsertOneAsync(new BsonDocument("last4ssn", 1)));
    }

    private CsfleClientFactory Factory(string ns, Action<CsfleBuilder> configure)
    {
        var masterKeyFile = Path.Combine(_folder, "master-key.bin");
        if (!File.Exists(masterKeyFile)) LocalMasterKey.CreateFile(masterKeyFile);
        return CsfleClientFactory.Create(csfle => configure(csfle
            .ConnectTo(_server.ConnectionString)
            .UseKeyVault(_store)
            .UseLocalMasterKey(masterKeyFile)
            .AddCollection<Patient>(ns)));
    }

    private sealed class NameIsRequired : ValidatorSchemaSource
    {
        public override byte[] BuildJsonSchema(ValidatorSchemaContext context)
            => ExtendedJson.ToBson($$"""{{ExtendedJson.ToJson(context.EncryptionRules.Span)[..^1]}}, "required": ["name"]}""");
    }
}
