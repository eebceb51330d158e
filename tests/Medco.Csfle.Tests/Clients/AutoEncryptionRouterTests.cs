using Medco.Csfle.Clients;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;
using Moq;

namespace Medco.Csfle.Tests.Clients;

public sealed class AutoEncryptionRouterTests
{
    private const string Password = "s3cr3t-Passw0rd";

    [Fact]
    public void Options_that_were_not_issued_here_are_refused()
    {
        using var patients = new Patients();
        var settings = patients.Encrypted.Settings.Clone();
        settings.AutoEncryptionOptions = new AutoEncryptionOptions(CollectionNamespace.FromFullName("encryption.__keyVault"), new Dictionary<string, IReadOnlyDictionary<string, object>>());

        var exception = Assert.Throws<CsfleConfigurationException>(() => new MongoClient(settings));

        Assert.Equal(CsfleErrorCode.ForeignOptions, exception.Code);
        Assert.Contains("CreateEncryptedClient", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_changed_by_hand_are_refused_though_they_look_the_same()
    {
        using var patients = new Patients();
        var settings = patients.Encrypted.Settings.Clone();
        settings.AutoEncryptionOptions = settings.AutoEncryptionOptions.With(bypassAutoEncryption: false);

        Assert.Equal(patients.Encrypted.Settings.AutoEncryptionOptions, settings.AutoEncryptionOptions);
        Assert.Throws<CsfleConfigurationException>(() => new MongoClient(settings));
    }

    [Fact]
    public void Another_provider_in_the_process_is_an_error_that_says_what_to_remove()
    {
        var registry = new Mock<IAutoEncryptionProviderRegistry>();
        registry.Setup(each => each.Register(It.IsAny<Func<IMongoClient, AutoEncryptionOptions, IAutoEncryptionLibMongoCryptController>>()))
            .Throws(new MongoConfigurationException("AutoEncryption Provider already registered."));

        var exception = Assert.Throws<CsfleConfigurationException>(() => AutoEncryptionRouter.Register(registry.Object));

        Assert.Equal(CsfleErrorCode.ProviderTaken, exception.Code);
        Assert.Contains("AddAutoEncryption()", exception.Message, StringComparison.Ordinal);
        Assert.IsType<MongoConfigurationException>(exception.InnerException);
    }

    [Fact]
    public void The_driver_itself_refuses_a_second_provider_as_we_expect_it_to()
        => Assert.Equal(CsfleErrorCode.ProviderTaken, SeparateDriver.Run(typeof(OwnProviderFirst)));

    [Fact]
    public void The_router_may_register_again_and_again()
    {
        var registry = MongoClientSettings.Extensions.AutoEncryptionProvider;

        AutoEncryptionRouter.Register(registry);
        AutoEncryptionRouter.Register(registry);
    }

    [Fact]
    public void The_settings_of_a_client_show_no_secret()
    {
        var key = Enumerable.Range(0, 96).Select(index => (byte)(255 - index)).ToArray();
        using var masterKey = LocalMasterKey.FromBytes(key);
        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo($"mongodb://doctor:{Password}@localhost:1")
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(masterKey)
            .AllowUnencrypted("app.*"));
        using var client = factory.CreateEncryptedClient();

        var shown = client.Settings.ToString() + client.Settings.AutoEncryptionOptions;

        Assert.Contains("KmsProviders : { }", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(key), shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(key), shown, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Auto_encryption_options_of_the_application_are_refused_instead_of_overwritten()
    {
        using var patients = new Patients();
        var options = patients.Encrypted.Settings.AutoEncryptionOptions;

        var exception = Assert.Throws<CsfleConfigurationException>(() => new Patients((csfle, _) => csfle.ConfigureClient(settings => settings.AutoEncryptionOptions = options)));

        Assert.Equal("ConfigureClient", Assert.Single(exception.Errors).Option);
    }

    [Fact]
    public void Libmongocrypt_that_was_not_set_up_is_an_error_that_says_how_to()
    {
        using var patients = new Patients();

        var exception = Assert.Throws<CsfleConfigurationException>(() => patients.Factory.CreateEncryptedClient(CsfleEngineKind.LibMongoCrypt));

        Assert.Equal(CsfleErrorCode.EngineNotSetUp, exception.Code);
        Assert.Contains("Medco.Csfle.LibMongoCrypt", exception.Message, StringComparison.Ordinal);
        Assert.Contains("UseLibMongoCrypt", exception.Message, StringComparison.Ordinal);
    }
}
