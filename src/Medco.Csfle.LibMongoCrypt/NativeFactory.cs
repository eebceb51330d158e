using MongoDB.Driver;
using MongoDB.Driver.Authentication;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>
/// What makes the controllers of MongoDB.Driver.Encryption. The package shows it only to the extension manager that it
/// registers it with; so here is one that keeps it, since the driver's own has room for one provider, which is our router.
/// </summary>
internal sealed class NativeFactory : IExtensionManager, IAutoEncryptionProviderRegistry
{
    private Func<IMongoClient, AutoEncryptionOptions, IAutoEncryptionLibMongoCryptController>? _factory;

    private NativeFactory()
    {
    }

    /// <summary>The factory. It loads the native library when it is first called, not before.</summary>
    public static Func<IMongoClient, AutoEncryptionOptions, IAutoEncryptionLibMongoCryptController> Create { get; } = Capture();

    /// <inheritdoc/>
    public ISaslMechanismRegistry SaslMechanisms => MongoClientSettings.Extensions.SaslMechanisms;

    /// <inheritdoc/>
    public IKmsProviderRegistry KmsProviders => MongoClientSettings.Extensions.KmsProviders;

    /// <inheritdoc/>
    public IAutoEncryptionProviderRegistry AutoEncryptionProvider => this;

    /// <inheritdoc/>
    public void Register(Func<IMongoClient, AutoEncryptionOptions, IAutoEncryptionLibMongoCryptController> factory) => _factory = factory;

    /// <inheritdoc/>
    public IAutoEncryptionLibMongoCryptController CreateAutoCryptClientController(IMongoClient client, AutoEncryptionOptions autoEncryptionOptions)
        => MongoClientSettings.Extensions.AutoEncryptionProvider.CreateAutoCryptClientController(client, autoEncryptionOptions);

    private static Func<IMongoClient, AutoEncryptionOptions, IAutoEncryptionLibMongoCryptController> Capture()
    {
        var manager = new NativeFactory();
        manager.AddAutoEncryption();
        return manager._factory!;
    }
}
