using MedcoMd.Model;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Driver;

namespace Medco.Csfle.LibMongoCrypt.Tests.Documentation;

/// <summary>What docs/engines.md shows, compiled and run as far as that goes without MongoDB's programs.</summary>
public sealed class EnginesPageSnippets : IDisposable
{
    private readonly TwoEngines _engines = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("engines-page-").FullName;

    [Fact]
    public async Task With_mongocryptd_as_a_service()
    {
        var masterKey = Path.Combine(_folder, "master-key.bin");
        LocalMasterKey.CreateFile(masterKey);
        var connectionString = _engines.ConnectionString;
        var mongocryptd = _engines.Mongocryptd.ConnectionString;
        var keyVault = $"{_engines.Namespace.DatabaseNamespace.DatabaseName}.__another";
        var services = new ServiceCollection();

        services.AddCsfle(csfle => csfle
            .ConnectTo(connectionString)
            .UseKeyVault(keyVault)
            .UseLocalMasterKey(masterKey)
            .AddCollection<Patient>()
            .CreateMissingDataKeys()
            .UseLibMongoCrypt(options =>
            {
                options.MongocryptdUri = mongocryptd;
                options.MongocryptdBypassSpawn = true;
            }));

        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<ICsfleClientFactory>();
        await factory.InitializeAsync();
        IMongoClient libmongocrypt = factory.CreateEncryptedClient();
        IMongoClient managed = factory.CreateEncryptedClient(CsfleEngineKind.Managed);
        var name = _engines.Namespace.DatabaseNamespace.DatabaseName;
        using (libmongocrypt)
        using (managed)
        {
            Assert.Empty(await libmongocrypt.GetDatabase(name).GetCollection<Patient>("patients").Find(FilterDefinition<Patient>.Empty).ToListAsync());
            Assert.Empty(await managed.GetDatabase(name).GetCollection<Patient>("patients").Find(FilterDefinition<Patient>.Empty).ToListAsync());
        }
    }

    [Fact]
    public void The_managed_engine_stays_the_default_where_that_is_said()
    {
        using var factory = _engines.NewFactory(configureFurther: (csfle, _) =>
        {
            csfle.UseEngine(CsfleEngineKind.Managed);
        });

        Assert.NotNull(factory);
    }

    [Theory]
    [MemberData(nameof(OtherOptions))]
    public void Other_options_are_accepted_together(Action<LibMongoCryptOptions> configure)
    {
        using var factory = _engines.NewFactory(options =>
        {
            options.MongocryptdUri = null;
            configure(options);
        });

        Assert.NotNull(factory);
    }

    public static TheoryData<Action<LibMongoCryptOptions>> OtherOptions =>
    [
        options =>
        {
            options.CryptSharedLibraryPath = "/opt/mongodb/lib/mongo_crypt_v1.so";
            options.CryptSharedLibraryRequired = true;
        },
        options =>
        {
            options.MongocryptdSpawnPath = "/usr/local/bin/mongocryptd";
            options.MongocryptdPort = 30000;
            options.MongocryptdIdleShutdownTimeout = TimeSpan.FromSeconds(75);
        },
    ];

    [Fact]
    public void Options_come_from_the_configuration()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Csfle:LibMongoCrypt:CryptSharedLibraryPath"] = "/opt/mongodb/lib/mongo_crypt_v1.so",
                ["Csfle:LibMongoCrypt:MongocryptdIdleShutdownTimeout"] = "00:01:15",
                ["Csfle:LibMongoCrypt:MongocryptdSpawnArguments:0"] = "--logpath=/var/log/mongocryptd.log",
            })
            .Build();
        LibMongoCryptOptions? bound = null;
        using var factory = _engines.NewFactory(configureFurther: (csfle, _) =>
        {
            csfle.UseLibMongoCrypt(options => configuration.GetSection("Csfle:LibMongoCrypt").Bind(options));
            csfle.UseLibMongoCrypt(options => configuration.GetSection("Csfle:LibMongoCrypt").Bind(bound = options));
        });

        Assert.Equal("/opt/mongodb/lib/mongo_crypt_v1.so", bound!.CryptSharedLibraryPath);
        Assert.Equal(TimeSpan.FromSeconds(75), bound.MongocryptdIdleShutdownTimeout);
        Assert.Equal(["--logpath=/var/log/mongocryptd.log"], bound.MongocryptdSpawnArguments);
    }

    public void Dispose()
    {
        _engines.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
