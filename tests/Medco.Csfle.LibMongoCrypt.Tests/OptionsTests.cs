using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.LibMongoCrypt.Tests;

public sealed class OptionsTests
{
    public static TheoryData<string, Action<LibMongoCryptOptions>> Mistakes => new()
    {
        { "CryptSharedLibraryPath is empty", options => options.CryptSharedLibraryPath = "" },
        { "MongocryptdPort is no port", options => options.MongocryptdPort = 0 },
        { "MongocryptdPort is no port", options => options.MongocryptdPort = 65536 },
        { "MongocryptdIdleShutdownTimeout is not a number of whole seconds", options => options.MongocryptdIdleShutdownTimeout = TimeSpan.FromMilliseconds(1500) },
        { "MongocryptdIdleShutdownTimeout is not a number of whole seconds", options => options.MongocryptdIdleShutdownTimeout = TimeSpan.Zero },
        { "Set MongocryptdPort", options => options.MongocryptdSpawnArguments.Add("--port=30000") },
        { "Set MongocryptdIdleShutdownTimeout", options => options.MongocryptdSpawnArguments.Add("--idleShutdownTimeoutSecs 75") },
        { "does not begin with --", options => options.MongocryptdSpawnArguments.Add("verbose") },
        { "MongocryptdUri is no connection string", options => options.MongocryptdUri = "localhost:27020" },
        { "names another port", options => (options.MongocryptdUri, options.MongocryptdPort) = ("mongodb://localhost:27020", 27021) },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_found_before_anything_is_opened(string problem, Action<LibMongoCryptOptions> configure)
    {
        var exception = Assert.Throws<CsfleConfigurationException>(() => Create(csfle => csfle.UseKeyVault("encryption.__keyVault").UseLocalMasterKey("key.bin").UseLibMongoCrypt(configure)));

        Assert.Equal("UseLibMongoCrypt", Assert.Single(exception.Errors).Option);
        Assert.Contains(problem, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_the_drivers_know_can_be_said_together()
        => Create(csfle => csfle.UseKeyVault("encryption.__keyVault").UseLocalMasterKey("key.bin").UseLibMongoCrypt(options =>
        {
            options.CryptSharedLibraryPath = "/opt/mongodb/lib/mongo_crypt_v1.so";
            options.CryptSharedLibraryRequired = true;
            options.MongocryptdUri = "mongodb://localhost:27021";
            options.MongocryptdBypassSpawn = true;
            options.MongocryptdSpawnPath = "/usr/local/bin/mongocryptd";
            options.MongocryptdPort = 27021;
            options.MongocryptdIdleShutdownTimeout = TimeSpan.FromSeconds(75);
            options.MongocryptdSpawnArguments.Add("--logpath=/var/log/mongocryptd.log");
            options.BypassAutoEncryption = true;
            options.BypassQueryAnalysis = true;
        })).Dispose();

    [Fact]
    public void A_key_vault_outside_of_MongoDB_is_refused()
    {
        var exception = Assert.Throws<CsfleConfigurationException>(() => Create(csfle => csfle.UseKeyVault(new InMemoryKeyVaultStore()).UseLocalMasterKey("key.bin").UseLibMongoCrypt()));

        Assert.Contains("reads data keys from a collection of MongoDB alone", Assert.Single(exception.Errors).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_provider_name_that_the_driver_would_change_is_refused()
    {
        var exception = Assert.Throws<CsfleConfigurationException>(() => Create(csfle => csfle.UseKeyVault("encryption.__keyVault").UseLocalMasterKey("key.bin", "Tenant1").UseLibMongoCrypt()));

        Assert.Contains("`local:Tenant1`", Assert.Single(exception.Errors).Problem, StringComparison.Ordinal);
    }

    private static CsfleClientFactory Create(Action<CsfleBuilder> configure) => CsfleClientFactory.Create(csfle =>
    {
        csfle.ConnectTo("mongodb://localhost:1").AllowUnencrypted("app.*");
        configure(csfle);
    });
}
