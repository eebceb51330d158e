using Medco.Csfle.Clients;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Health;
using Medco.Csfle.Keys;
using Medco.Csfle.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MongoDB.Bson;
using MongoDB.Driver;
using Moq;

namespace Medco.Csfle.Tests.Health;

public sealed class CsfleHealthCheckTests : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly CollectionNamespace _keyVault;
    private readonly CollectionNamespace _people;
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();

    public CsfleHealthCheckTests()
    {
        _keyVault = CollectionNamespace.FromFullName(_server.Namespace("__keyVault"));
        _people = CollectionNamespace.FromFullName(_server.Namespace("people"));
    }

    public void Dispose()
    {
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Each_registration_has_a_check_of_its_own()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddCsfle("clinic", csfle => csfle.ConnectTo(_server.ConnectionString).UseKeyVault(_keyVault.FullName).UseLocalMasterKey(_masterKey).AllowUnencrypted("app.*"));
        services.AddHealthChecks().AddCsfle("csfle-clinic", registration: "clinic");
        await using var provider = services.BuildServiceProvider();

        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(["csfle-clinic"], report.Entries.Keys);
        Assert.False((bool)report.Entries["csfle-clinic"].Data["started"]);
    }

    [Fact]
    public async Task Before_the_start_it_is_unhealthy_and_nothing_is_started()
    {
        using var factory = Factory();

        var result = await Check(factory);

        Assert.Equal((HealthStatus.Unhealthy, false), (result.Status, result.Data["started"]));
        Assert.Throws<CsfleConfigurationException>(() => factory.Schemas);
    }

    [Fact]
    public async Task A_start_that_failed_is_told_by_its_code()
    {
        using var factory = Factory(createKeys: false);
        await Assert.ThrowsAsync<DataKeyException>(() => factory.InitializeAsync());

        var result = await Check(factory);

        Assert.Equal((HealthStatus.Unhealthy, CsfleErrorCode.DataKeyNotFound), (result.Status, result.Data["error"]));
    }

    [Fact]
    public async Task Started_with_all_keys_and_the_index_it_is_healthy()
    {
        using var factory = await Started();

        var result = await Check(factory);

        Assert.Equal(HealthStatus.Healthy, result.Status);
        Assert.Equal([_people.FullName], (string[])result.Data["collections"]);
        Assert.Equal((1, 1, "Present"), (result.Data["dataKeys"], result.Data["dataKeysUnwrapped"], result.Data["keyVaultIndex"]));
        Assert.DoesNotContain(result.Data.Values, value => $"{value}".Contains("mongodb://", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_index_that_is_gone_degrades()
    {
        using var factory = await Started();
        await KeyVault(factory).Indexes.DropOneAsync("keyAltNames_1");

        var result = await Check(factory);

        Assert.Equal((HealthStatus.Degraded, "Missing"), (result.Status, result.Data["keyVaultIndex"]));
    }

    [Fact]
    public async Task A_data_key_that_is_gone_is_unhealthy_though_it_is_still_in_memory()
    {
        using var factory = await Started();
        var id = factory.Keys.FindDataKey("people")!.Value;
        await KeyVault(factory).DeleteManyAsync(FilterDefinition<BsonDocument>.Empty);

        var result = await Check(factory);

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Contains(id.ToString(), result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_is_what_the_registration_says()
    {
        using var factory = Factory();

        Assert.Equal(HealthStatus.Degraded, (await Check(factory, HealthStatus.Degraded)).Status);
    }

    [Fact]
    public async Task A_kms_that_cannot_be_reached_degrades_while_the_keys_are_in_memory()
    {
        using var kms = new FakeKeyManagementService("aws");
        using var factory = await StartedWith(kms);
        kms.Always(FakeKmsAnswer.Refusal);

        var result = await Check(factory);

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Contains(CsfleErrorCode.KmsFailed, result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_vault_that_cannot_be_read_degrades_while_the_keys_are_in_memory()
    {
        var inner = new InMemoryKeyVaultStore();
        var store = new Mock<IKeyVaultStore>();
        store.Setup(each => each.Description).Returns("the key vault");
        store.Setup(each => each.FindAsync(It.IsAny<IReadOnlyCollection<Guid>>(), It.IsAny<IReadOnlyCollection<string>>(), It.IsAny<CancellationToken>()))
            .Returns((IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> names, CancellationToken _) => inner.FindAsync(ids, names));
        using (var service = new KeyVaultService(inner, [new LocalKeyManagementService(_masterKey)]))
        {
            service.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["people"] });
        }

        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo(_server.ConnectionString).UseKeyVault(store.Object).UseLocalMasterKey(_masterKey).AddCollection<Person>(_people.FullName));
        await factory.InitializeAsync();
        store.Setup(each => each.FindAsync(It.IsAny<IReadOnlyCollection<Guid>>(), It.IsAny<IReadOnlyCollection<string>>(), It.IsAny<CancellationToken>()))
            .ThrowsAsync(new KeyVaultException("it is down", "Wait."));

        Assert.Equal(HealthStatus.Degraded, (await Check(factory)).Status);
    }

    [Fact]
    public async Task A_probe_adds_what_it_finds_and_one_that_fails_degrades()
    {
        using var factory = await Started();
        var check = factory.NewHealthCheck([new FailingProbe(), new DriftProbe()]);
        var result = await check.CheckHealthAsync(new HealthCheckContext { Registration = new HealthCheckRegistration("x", check, null, null) });

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Contains("the validator cannot be checked: System.TimeoutException", result.Description, StringComparison.Ordinal);
        Assert.Contains("app.people has drifted", result.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", result.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_validator_that_somebody_changed_degrades()
    {
        using var factory = CsfleClientFactory.Create(csfle =>
        {
            Configure(createKeys: true)(csfle);
            csfle.EnforceOnServer();
        });
        await factory.InitializeAsync();
        var before = await Check(factory);
        await factory.CreateUnencryptedClient().GetDatabase(_people.DatabaseNamespace.DatabaseName)
            .RunCommandAsync<BsonDocument>(new BsonDocument { { "collMod", _people.CollectionName }, { "validator", new BsonDocument() } });

        var after = await Check(factory);

        Assert.Equal(HealthStatus.Healthy, before.Status);
        Assert.Equal([_people.FullName], (string[])before.Data["enforced"]);
        Assert.Equal(HealthStatus.Degraded, after.Status);
        Assert.Contains(_people.FullName, after.Description, StringComparison.Ordinal);
        Assert.Empty((string[])after.Data["enforced"]);
    }

    [Fact]
    public async Task It_is_registered_beside_the_others()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddCsfle(Configure(createKeys: true));
        services.AddHealthChecks().AddCsfle(tags: ["ready"]);
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<ICsfleClientFactory>().InitializeAsync();

        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(registration => registration.Tags.Contains("ready"));

        Assert.Equal(HealthStatus.Healthy, report.Entries["csfle"].Status);
    }

    private static async Task<HealthCheckResult> Check(CsfleClientFactory factory, HealthStatus? failureStatus = null)
    {
        var check = factory.NewHealthCheck();
        return await check.CheckHealthAsync(new HealthCheckContext { Registration = new HealthCheckRegistration("csfle", check, failureStatus, null) });
    }

    private Action<CsfleBuilder> Configure(bool createKeys) => csfle => csfle
        .ConnectTo(_server.ConnectionString).UseKeyVault(_keyVault.FullName).UseLocalMasterKey(_masterKey).AddCollection<Person>(_people.FullName).CreateMissingDataKeys(createKeys);

    private CsfleClientFactory Factory(bool createKeys = true) => CsfleClientFactory.Create(Configure(createKeys));

    private async Task<CsfleClientFactory> Started()
    {
        var factory = Factory();
        await factory.InitializeAsync();
        return factory;
    }

    private async Task<CsfleClientFactory> StartedWith(IKeyManagementService kms)
    {
        var store = new InMemoryKeyVaultStore();
        using (var service = new KeyVaultService(store, [Undisposed(kms)]))
        {
            var masterKey = new BsonDocument { { "region", "r" }, { "key", "k" } }.ToBson();
            await service.CreateDataKeyAsync("aws", new DataKeyCreationOptions { KeyAltNames = ["people"], MasterKey = masterKey });
        }

        var options = new CsfleOptions { ConnectionString = _server.ConnectionString, KeyVaultStore = store };
        options.KmsProviders.Add(new KmsRegistration("aws", _ => Undisposed(kms), (_, _) => ValueTask.FromResult(Undisposed(kms))));
        new CsfleBuilder(options).AddCollection<Person>(_people.FullName);
        var factory = new CsfleClientFactory(options, isDevelopment: false, null);
        await factory.InitializeAsync();
        return factory;
    }

    // A key vault service disposes what it was given, and here are two.
    private static IKeyManagementService Undisposed(IKeyManagementService kms)
    {
        var mock = new Mock<IKeyManagementService>();
        mock.Setup(each => each.Provider).Returns(kms.Provider);
        mock.Setup(each => each.UnwrapAsync(It.IsAny<ReadOnlyMemory<byte>>(), It.IsAny<ReadOnlyMemory<byte>>(), It.IsAny<CancellationToken>()))
            .Returns((ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrapped, CancellationToken token) => kms.UnwrapAsync(masterKey, wrapped, token));
        mock.Setup(each => each.WrapAsync(It.IsAny<ReadOnlyMemory<byte>>(), It.IsAny<ReadOnlyMemory<byte>>(), It.IsAny<CancellationToken>()))
            .Returns((ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken token) => kms.WrapAsync(masterKey, dataKey, token));
        return mock.Object;
    }

    private IMongoCollection<BsonDocument> KeyVault(CsfleClientFactory factory)
        => factory.CreateUnencryptedClient().GetDatabase(_keyVault.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(_keyVault.CollectionName);

    [DataKey("people")]
    private sealed class Person
    {
        public ObjectId Id { get; set; }

        [Deterministic]
        public string Ssn { get; set; } = "";
    }

    private sealed class FailingProbe : IHealthProbe
    {
        public string Name => "the validator";

        public ValueTask CheckAsync(StartedEngine started, HealthFinding finding, CancellationToken cancellationToken) => throw new TimeoutException("SECRET");
    }

    private sealed class DriftProbe : IHealthProbe
    {
        public string Name => "another";

        public ValueTask CheckAsync(StartedEngine started, HealthFinding finding, CancellationToken cancellationToken)
        {
            finding.Degrade("app.people has drifted");
            return ValueTask.CompletedTask;
        }
    }
}
