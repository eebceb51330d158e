using System.Security.Cryptography;
using Medco.Csfle.TestServer;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Moq;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/production.md shows, compiled and run.</summary>
public sealed class ProductionPageSnippets
{
    [Fact]
    public async Task The_pipeline_prepares_and_the_application_verifies()
    {
        using var server = InProcessMongoServer.Start();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Csfle:ConnectionString"] = server.ConnectionString,
            ["Csfle:KeyVault"] = "encryption.__keyVault",
            ["Csfle:LocalMasterKey:Base64"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(96)),
        }).Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(configuration);

        services.AddCsfle();
        services.AddCsfle(csfle => csfle
            .AddCollection<Patient>()
            .CreateMissingDataKeys(false)
            .EnforceOnServer(enforcement => enforcement.AtStartup = EnforcementAtStartup.Verify)
            .UseCanary());
        services.AddHealthChecks().AddCsfle(tags: ["ready"]);

        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<ICsfleClientFactory>();
        await Assert.ThrowsAnyAsync<Medco.Csfle.Engine.CsfleException>(() => factory.InitializeAsync());

        await factory.Keys.GetOrCreateDataKeyAsync("medco-patients");
        var plan = await factory.Enforcement.PlanAsync(countRejectedDocuments: true);
        Console.WriteLine(plan.Describe());
        if (!plan.IsEnforced && !plan.HasConflicts) await factory.Enforcement.ApplyAsync(plan);

        await factory.InitializeAsync();
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, report.Status);
        using var plain = factory.CreateUnencryptedClient();
        var stored = plain.GetDatabase("medicalRecords").GetCollection<BsonDocument>("patients");
        await Assert.ThrowsAsync<MongoWriteException>(() => stored.InsertOneAsync(new BsonDocument("Ssn", 1)));
    }

    [Fact]
    public async Task Exceptions_of_the_driver_are_redacted_before_they_are_logged()
    {
        using var server = InProcessMongoServer.Start();
        using var client = new MongoClient(server.ConnectionString);
        var patients = client.GetDatabase("medicalRecords").GetCollection<BsonDocument>("patients");
        var logger = new Mock<ILogger>();
        Exception? logged = null;
        logger.Setup(each => each.Log(It.IsAny<LogLevel>(), It.IsAny<EventId>(), It.IsAny<It.IsAnyType>(), It.IsAny<Exception?>(), It.IsAny<Func<It.IsAnyType, Exception?, string>>()))
            .Callback(new InvocationAction(invocation => logged = (Exception?)invocation.Arguments[3]));

        await Assert.ThrowsAsync<MongoWriteException>(() => SaveTwice(patients, new BsonDocument("_id", 1), logger.Object));

        Assert.IsType<RedactedException>(logged);
    }

    private static async Task SaveTwice(IMongoCollection<BsonDocument> patients, BsonDocument patient, ILogger logger)
    {
        await patients.InsertOneAsync(patient);
#pragma warning disable CA1848, CA2254 // As an application writes it.
        try
        {
            await patients.InsertOneAsync(patient);
        }
        catch (MongoException exception)
        {
            logger.LogError(exception.Redact(), "The patient was not saved.");
            throw;
        }
    }

    [EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
    public sealed class Patient
    {
        public ObjectId Id { get; set; }

        public string Name { get; set; } = "";

        [Deterministic]
        public int Ssn { get; set; }
    }
}
