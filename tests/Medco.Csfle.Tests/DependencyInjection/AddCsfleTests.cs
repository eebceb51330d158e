using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Medco.Csfle.Tests.DependencyInjection;

public sealed class AddCsfleTests
{
    [Fact]
    public void Registration_and_the_making_of_clients_do_no_io()
    {
        var services = new ServiceCollection();
        services.AddCsfle(csfle => csfle
            .ConnectTo("mongodb://127.0.0.1:1")
            .UseKeyVault("encryption.__keyVault")
            .UseLocalMasterKey(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N")))
            .AddCollection<Patient>());
        using var provider = services.BuildServiceProvider();

        var factory = provider.GetRequiredService<ICsfleClientFactory>();
        using var encrypted = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();

        Assert.NotNull(encrypted.Settings.AutoEncryptionOptions);
        Assert.Null(plain.Settings.AutoEncryptionOptions);
        Assert.Same(factory, provider.GetRequiredService<ICsfleClientFactory>());
        Assert.Same(factory.Keys, provider.GetRequiredService<CsfleKeys>());
    }

    [Fact]
    public async Task A_host_does_not_start_without_the_master_key()
    {
        var path = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        using var host = Host("Production", csfle => csfle.UseLocalMasterKey(path));

        var exception = await Assert.ThrowsAsync<MasterKeyException>(() => host.StartAsync());

        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_does_not_start_with_wrong_settings()
    {
        using var host = Host("Production", csfle => csfle.AllowUnencrypted("*"));

        await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync());
    }

    [Fact]
    public async Task In_development_missing_data_keys_are_created()
    {
        var store = new InMemoryKeyVaultStore();
        using var host = Host("Development", csfle => csfle.UseKeyVault(store));

        await host.StartAsync();

        Assert.Equal(["medco-patients"], Assert.Single(store.List()).KeyAltNames);
        await host.StopAsync();
    }

    [Fact]
    public async Task In_development_they_are_not_where_that_was_forbidden()
    {
        using var host = Host("Development", csfle => csfle.CreateMissingDataKeys(false));

        await Assert.ThrowsAsync<DataKeyException>(() => host.StartAsync());
    }

    [Fact]
    public async Task In_production_missing_data_keys_keep_the_host_from_starting()
    {
        var store = new InMemoryKeyVaultStore();
        using var host = Host("Production", csfle => csfle.UseKeyVault(store));

        await Assert.ThrowsAsync<DataKeyException>(() => host.StartAsync());

        Assert.Empty(store.List());
    }

    [Fact]
    public async Task Other_hosted_services_find_it_started_whatever_the_order_of_registration()
    {
        using var host = Host("Development", _ => { }, services => services.AddHostedService<ReadsSchemas>());

        await host.StartAsync();

        Assert.Equal(1, host.Services.GetServices<IHostedService>().OfType<ReadsSchemas>().Single().Schemas);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_second_registration_adds_to_the_first()
    {
        using var host = Host("Development", _ => { }, after: services => services.AddCsfle(csfle => csfle.AddCollection<Patient>("archive.patients")));

        await host.StartAsync();

        Assert.Equal(["archive.patients", "medicalRecords.patients"], host.Services.GetRequiredService<ICsfleClientFactory>().Schemas.Keys.Order());
        Assert.Single(host.Services.GetServices<IHostedService>(), service => service.GetType().Name == "CsfleHostedStartup");
        await host.StopAsync();
    }

    [Fact]
    public void Settings_of_the_user_reach_every_client_and_come_before_ours()
    {
        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo("mongodb://localhost:1")
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate())
            .AddCollection<Patient>()
            .ConfigureClient(settings => settings.ApplicationName = "medco"));
        using var encrypted = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();

        Assert.Equal(("medco", "medco"), (encrypted.Settings.ApplicationName, plain.Settings.ApplicationName));
        Assert.NotNull(encrypted.Settings.AutoEncryptionOptions);
    }

    private static IHost Host(
        string environment, Action<CsfleBuilder> configure, Action<IServiceCollection>? before = null, Action<IServiceCollection>? after = null)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, EnvironmentName = environment });
        before?.Invoke(builder.Services);
        builder.Services.AddCsfle(csfle =>
        {
            csfle.ConnectTo("mongodb://localhost:1")
                .UseKeyVault(new InMemoryKeyVaultStore())
                .UseLocalMasterKey(LocalMasterKey.Generate())
                .AddCollection<Patient>();
            configure(csfle);
        });
        after?.Invoke(builder.Services);
        return builder.Build();
    }

    private sealed class ReadsSchemas(ICsfleClientFactory factory) : IHostedService
    {
        public int Schemas { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Schemas = factory.Schemas.Count;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
