using System.Text.RegularExpressions;
using MedcoMd.Model;
using Medco.Csfle.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/registration.md shows, compiled and tried.</summary>
public sealed partial class RegistrationPageSnippets
{
    [Fact]
    public void The_section_and_the_code_make_two_registrations_without_a_mistake()
    {
        using var host = Host(services =>
        {
            services.AddCsfle();
            services.AddCsfle(csfle => csfle.AddCollection<Patient>());
            services.AddCsfle("clinic");
            services.AddCsfle("clinic", csfle => csfle.AddCollection<Patient>());
            services.AddSingleton<Records>();
            services.AddSingleton<Clinic>();
        });

        var records = host.Services.GetRequiredService<Records>();
        var clinic = host.Services.GetRequiredService<Clinic>();

        Assert.Equal((true, false), (Encrypts(records.EncryptedClient), Encrypts(records.UnencryptedClient)));
        Assert.Equal((true, false), (Encrypts(clinic.EncryptedClient), Encrypts(clinic.UnencryptedClient)));
        Assert.Same(host.Services.GetRequiredKeyedService<ICsfleClientFactory>("clinic"), clinic.Factory);
        Assert.Equal("clinic.example", clinic.EncryptedClient.Settings.Server.Host);
    }

    [Fact]
    public void The_tables_name_every_key_of_the_section()
    {
        using var host = Host(services => services.AddCsfle(csfle => csfle.ReadFrom(new ConfigurationBuilder().AddInMemoryCollection([new("Csfle:?", "")]).Build().GetSection("Csfle"))));
        var options = host.Services.GetRequiredService<IOptionsMonitor<CsfleOptions>>().CurrentValue;

        var known = options.ConfigurationErrors.Single(error => error.Option == "Csfle:?").Remedy.Split("Known are ")[1].TrimEnd('.').Split(", ");

        Assert.Equal(known.Order(), Row().Matches(Page).Select(row => row.Groups[1].Value).Order());
    }

    private static string Page
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory.FullName, "global.json"))) directory = directory.Parent!;
            return File.ReadAllText(Path.Combine(directory.FullName, "docs", "registration.md"));
        }
    }

    private static bool Encrypts(IMongoClient client) => client.Settings.AutoEncryptionOptions is not null;

    private static IHost Host(Action<IServiceCollection> configure)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Json().Match(Page).Groups[1].Value)));
        configure(builder.Services);
        return builder.Build();
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();

    [GeneratedRegex(@"^\| `([A-Z]\w+)` \| ", RegexOptions.Multiline)]
    private static partial Regex Row();

    public sealed class Records(
        [FromKeyedServices(CsfleClients.Encrypted)] IMongoClient encrypted,
        [FromKeyedServices(CsfleClients.Unencrypted)] IMongoClient unencrypted)
    {
        public IMongoClient EncryptedClient => encrypted;

        public IMongoClient UnencryptedClient => unencrypted;
    }

    public sealed class Clinic(
        [EncryptedClient("clinic")] IMongoClient encrypted,
        [UnencryptedClient("clinic")] IMongoClient unencrypted,
        [FromKeyedServices("clinic")] ICsfleClientFactory factory)
    {
        public IMongoClient EncryptedClient => encrypted;

        public IMongoClient UnencryptedClient => unencrypted;

        public ICsfleClientFactory Factory => factory;
    }
}
