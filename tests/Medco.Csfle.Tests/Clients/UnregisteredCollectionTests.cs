using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>Encrypted clients and collections that nobody registered: the server is asked what they are.</summary>
public sealed class UnregisteredCollectionTests : IDisposable
{
    private const string Listing = "listCollections";

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly CsfleClientFactory _factory;
    private readonly IMongoDatabase _encrypted;
    private readonly IMongoDatabase _plain;

    public UnregisteredCollectionTests()
    {
        _factory = Factory(_server.ConnectionString);
        _factory.Initialize();
        _encrypted = _factory.CreateEncryptedClient().GetDatabase("app");
        _plain = _factory.CreateUnencryptedClient().GetDatabase("app");
        _server.ClearCommands();
    }

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task One_that_the_server_encrypts_is_refused_and_nothing_is_sent(bool isAsync)
    {
        _plain.RunCommand<BsonDocument>(new BsonDocument
        {
            { "create", "archive" },
            { "validator", new BsonDocument("$jsonSchema", BsonDocument.Parse(_factory.Schemas["app.patients"].ToJson())) },
        });

        var exception = await Assert.ThrowsAsync<QueryAnalysisException>(() => Find("archive", isAsync));

        Assert.Equal((CsfleErrorCode.SchemaNotRegistered, "app.archive"), (exception.Code, exception.Collection));
        Assert.DoesNotContain(_server.Commands, command => command.Name == "find");
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task One_that_is_plain_is_read_and_asked_for_once(bool isAsync)
    {
        await _plain.GetCollection<BsonDocument>("logs").InsertOneAsync(new BsonDocument("ssn", 241014209));

        Assert.Single(await Find("logs", isAsync));
        Assert.Single(await Find("logs", isAsync));

        Assert.Single(_server.Commands, command => command.Name == Listing);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task When_the_server_does_not_tell_nothing_is_sent(bool isAsync)
    {
        _server.CommandReceived += (_, command) =>
        {
            if (command.Name == Listing) throw new InvalidOperationException("refused");
        };

        var exception = await Assert.ThrowsAsync<ServerSchemaException>(() => Find("logs", isAsync));

        Assert.Contains("AllowUnencrypted(\"app.logs\")", exception.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Commands, command => command.Name == "find");
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Nobody_is_asked_about_what_is_registered_or_allowed_by_its_name(bool isAsync)
    {
        await _encrypted.GetCollection<Patient>("patients").InsertOneAsync(JonDoe.Create());
        await _encrypted.GetCollection<BsonDocument>("allowed").InsertOneAsync(new BsonDocument("a", 1));

        Assert.Single(await Find("patients", isAsync));
        Assert.Empty(await Find("allowed", isAsync));

        Assert.DoesNotContain(_server.Commands, command => command.Name == Listing);
    }

    [Fact]
    public async Task A_client_with_a_single_connection_can_ask()
    {
        using var factory = Factory(_server.ConnectionString, csfle => csfle.ConfigureClient(settings => settings.MaxConnectionPoolSize = 1));
        using var client = factory.CreateEncryptedClient();

        Assert.Empty(await client.GetDatabase("app").GetCollection<BsonDocument>("logs").Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
    }

    [RealServerFact]
    public async Task A_view_of_an_encrypted_collection_is_refused_and_nothing_is_sent()
    {
        using var server = new MongoServer();
        var patients = CollectionNamespace.FromFullName(server.Namespace("patients"));
        using var factory = Factory(server.ConnectionString, csfle => csfle.AddCollection<Patient>(patients.FullName));
        using var client = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();
        var database = patients.DatabaseNamespace.DatabaseName;
        await client.GetDatabase(database).GetCollection<Patient>("patients").InsertOneAsync(JonDoe.Create());
        await plain.GetDatabase(database).CreateViewAsync("adults", "patients", new EmptyPipelineDefinition<BsonDocument>());

        var exception = await Assert.ThrowsAsync<QueryAnalysisException>(
            () => client.GetDatabase(database).GetCollection<Patient>("adults").Find(patient => patient.Ssn == 241014209).ToListAsync());

        Assert.Contains("view", exception.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _factory.Dispose();
        _server.Dispose();
    }

    private static CsfleClientFactory Factory(string connectionString, Action<CsfleBuilder>? configure = null) => CsfleClientFactory.Create(csfle =>
    {
        csfle.ConnectTo(connectionString)
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate())
            .AddCollection<Patient>("app.patients")
            .AllowUnencrypted("app.allowed")
            .CreateMissingDataKeys();
        configure?.Invoke(csfle);
    });

    private async Task<List<BsonDocument>> Find(string collection, bool isAsync)
    {
        var found = _encrypted.GetCollection<BsonDocument>(collection).Find(new BsonDocument("ssn", 241014209));
        return isAsync ? await found.ToListAsync() : found.ToList();
    }
}
