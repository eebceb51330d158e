using System.Net;
using System.Net.Sockets;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MongoDB.Driver;
using Moq;

namespace Medco.Csfle.Tests.DependencyInjection;

/// <summary>What happens at registration, on taking a service, and when the host starts; and whose settings come first.</summary>
public sealed class OrderOfWorkTests
{
    [Fact]
    public void Neither_registration_nor_taking_a_service_opens_anything()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var clients = 0;
        var store = new Mock<IKeyVaultStore>(MockBehavior.Strict);
        using var host = TestHost.Build(
            services => services.AddCsfle().AddCsfle(csfle => csfle.ConfigureClient(_ => clients++).AddCollection<Patient>()).AddCsfle("other").AddCsfle("other", csfle => csfle.UseKeyVault(store.Object)),
            ("Csfle:ConnectionString", $"mongodb://{silent.LocalEndpoint}"), ("Csfle:KeyVault", "encryption.__keyVault"),
            ("Csfle:LocalMasterKey:File", "/nowhere/master.key"), ("Csfle:Collections:app.people:SchemaFile", "/nowhere/people.json"),
            ("Csfle:Named:other:ConnectionString", $"mongodb://{silent.LocalEndpoint}"), ("Csfle:Named:other:LocalMasterKey:EnvironmentVariable", "CSFLE_NOT_THERE"));

        host.Services.GetRequiredService<ICsfleClientFactory>();
        host.Services.GetRequiredService<CsfleKeys>();
        host.Services.GetRequiredService<CsfleEncryption>();
        host.Services.GetRequiredKeyedService<ICsfleClientFactory>("other");
        host.Services.GetRequiredKeyedService<CsfleKeys>("other");
        host.Services.GetServices<IHostedService>().ToArray();

        // Without a client there is nobody who could have connected.
        Assert.Equal(0, clients);
        Assert.False(silent.Pending());
        store.VerifyNoOtherCalls();
    }

    [Fact]
    public async Task The_master_key_is_looked_for_before_a_server_that_does_not_answer()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var host = TestHost.Build(services => services.AddCsfle().AddCsfle(csfle => csfle.AddCollection<Patient>()),
            ("Csfle:ConnectionString", $"mongodb://{silent.LocalEndpoint}"), ("Csfle:KeyVault", "encryption.__keyVault"), ("Csfle:LocalMasterKey:File", "/nowhere/master.key"));

        await Assert.ThrowsAsync<MasterKeyException>(() => host.StartAsync());
    }

    [Fact]
    public async Task Wrong_settings_stop_the_host_before_any_service_starts()
    {
        var store = new Mock<IKeyVaultStore>(MockBehavior.Strict);
        var early = new Mock<IHostedLifecycleService>();
        using var host = TestHost.Build(services => services
            .AddSingleton<IHostedService>(early.Object)
            .AddCsfle(csfle => Complete(csfle).UseKeyVault(store.Object).CacheDataKeysFor(TimeSpan.FromSeconds(-1)).UseKmsResilience(new KmsResilienceOptions { MaxAttempts = 0, TimeLimit = TimeSpan.Zero })));

        var exception = await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync());

        Assert.Equal(["CacheDataKeysFor", "UseKmsResilience", "UseKmsResilience"], exception.Errors.Select(error => error.Option));
        Assert.All(exception.Errors, error => Assert.NotEmpty(error.Remedy));
        early.Verify(service => service.StartingAsync(It.IsAny<CancellationToken>()), Times.Never);
        early.Verify(service => service.StartAsync(It.IsAny<CancellationToken>()), Times.Never);
        store.VerifyNoOtherCalls();
    }

    [Fact]
    public async Task Wrong_settings_stop_who_takes_the_factory_without_a_host()
    {
        var services = new ServiceCollection();
        services.AddCsfle(csfle => Complete(csfle).AllowUnencrypted("*"));
        await using var provider = services.BuildServiceProvider();

        Assert.Throws<CsfleConfigurationException>(() => provider.GetRequiredService<ICsfleClientFactory>());
        Assert.Throws<CsfleConfigurationException>(() => provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Unencrypted));
    }

    [Fact]
    public void Settings_of_the_user_come_first_in_the_order_of_their_calls_and_ours_last()
    {
        var seen = new List<(string? Name, bool IsEncrypting)>();
        using var factory = CsfleClientFactory.Create(csfle => Complete(csfle)
            .ConfigureClient(settings => settings.ApplicationName = "first")
            .ConfigureClient(settings =>
            {
                seen.Add((settings.ApplicationName, settings.AutoEncryptionOptions is not null));
                settings.ApplicationName = "second";
            }));

        using var client = factory.CreateEncryptedClient();

        Assert.Equal([("first", false)], seen);
        Assert.Equal("second", client.Settings.ApplicationName);
        Assert.NotNull(client.Settings.AutoEncryptionOptions);
    }

    [Fact]
    public void Settings_that_somebody_kept_change_nothing_later()
    {
        MongoClientSettings? kept = null;
        using var factory = CsfleClientFactory.Create(csfle => Complete(csfle).ConfigureClient(settings => kept = settings));
        using var client = factory.CreateEncryptedClient();

        kept!.AutoEncryptionOptions = null;

        Assert.NotNull(client.Settings.AutoEncryptionOptions);
    }

    [Fact]
    public async Task A_callback_that_decides_about_encryption_is_refused_wherever_a_client_is_made()
    {
        var services = new ServiceCollection();
        services.AddCsfle(csfle => Complete(csfle).UseKeyVault("encryption.__keyVault").ConfigureClient(Foreign));
        await using var provider = services.BuildServiceProvider();
        using var host = TestHost.Build(services => services.AddCsfle(csfle => Complete(csfle).UseKeyVault("encryption.__keyVault").ConfigureClient(Foreign)));

        foreach (var exception in (CsfleConfigurationException[])[
            Assert.Throws<CsfleConfigurationException>(() => provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Encrypted)),
            Assert.Throws<CsfleConfigurationException>(() => provider.GetRequiredKeyedService<IMongoClient>(CsfleClients.Unencrypted)),
            await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync())])
        {
            Assert.Equal("ConfigureClient", Assert.Single(exception.Errors).Option);
        }

        static void Foreign(MongoClientSettings settings) => settings.AutoEncryptionOptions = new(
            CollectionNamespace.FromFullName("a.b"), new Dictionary<string, IReadOnlyDictionary<string, object>>(), bypassAutoEncryption: true);
    }

    private static CsfleBuilder Complete(CsfleBuilder csfle) => csfle
        .ConnectTo("mongodb://localhost:1")
        .UseKeyVault(new InMemoryKeyVaultStore())
        .UseLocalMasterKey(LocalMasterKey.Generate())
        .AddCollection<Patient>();
}
