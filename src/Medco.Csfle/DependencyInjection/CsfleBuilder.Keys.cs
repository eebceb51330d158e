using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Keys;
using Microsoft.Extensions.Configuration;

namespace Medco.Csfle;

public sealed partial class CsfleBuilder
{
    /// <summary>The collection that holds the data keys, on the same server.</summary>
    /// <param name="keyVaultNamespace"><c>database.collection</c>; by custom <c>encryption.__keyVault</c>.</param>
    public CsfleBuilder UseKeyVault(string keyVaultNamespace)
    {
        _options.KeyVaultNamespace = keyVaultNamespace;
        _options.KeyVaultStore = null;
        _options.ConfiguredAt.Remove((nameof(UseKeyVault), null));
        return this;
    }

    /// <summary>Data keys that are kept elsewhere: in a file, or in memory for tests.</summary>
    /// <param name="store">The store; it stays the caller's.</param>
    public CsfleBuilder UseKeyVault(IKeyVaultStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        _options.KeyVaultStore = store;
        _options.KeyVaultNamespace = null;
        return this;
    }

    /// <summary>
    /// A customer master key in a file: 96 bytes, or the same in base64. Whoever can read file and key vault can read
    /// everything. <see cref="LocalMasterKey.CreateFile"/> creates one.
    /// </summary>
    /// <param name="path">The file; read at start-up.</param>
    /// <param name="name">
    /// Tells several master keys apart: letters, digits and underscores. With the name <c>tenant1</c> it is the KMS provider
    /// <c>local:tenant1</c>, without a name <c>local</c>. Data keys can be read only under the provider they were made with.
    /// The same name again replaces the master key.
    /// </param>
    public CsfleBuilder UseLocalMasterKey(string path, string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Use(LocalMasterKeySource.File(path), name);
    }

    /// <summary>A customer master key that the application has got from somewhere itself.</summary>
    /// <param name="masterKey">The master key; it stays the caller's, and must not be disposed before start-up.</param>
    /// <param name="name"><inheritdoc cref="UseLocalMasterKey(string, string?)" path="/param[@name='name']"/></param>
    public CsfleBuilder UseLocalMasterKey(LocalMasterKey masterKey, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(masterKey);
        return Use(LocalMasterKeySource.Given(masterKey), name);
    }

    /// <summary>
    /// A customer master key in a configuration: 96 bytes in base64. What the configuration is made of decides where the key
    /// lives: user secrets in development, a secret mounted as a file or a vault product's provider in production.
    /// </summary>
    /// <param name="configuration">The configuration; read at start-up.</param>
    /// <param name="key">The key of the value, such as <c>Csfle:LocalMasterKey:Base64</c>.</param>
    /// <param name="name"><inheritdoc cref="UseLocalMasterKey(string, string?)" path="/param[@name='name']"/></param>
    public CsfleBuilder UseLocalMasterKey(IConfiguration configuration, string key, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentException.ThrowIfNullOrEmpty(key);
        return Use(LocalMasterKeySource.Configuration(configuration, key), name);
    }

    /// <summary>A customer master key that a function gets, from a vault product for example.</summary>
    /// <param name="open">
    /// Gets it, each time anew: what it returns is disposed here. Called at start-up, and again where that failed. Whatever it
    /// throws becomes a <see cref="MasterKeyException"/>.
    /// </param>
    /// <param name="name"><inheritdoc cref="UseLocalMasterKey(string, string?)" path="/param[@name='name']"/></param>
    public CsfleBuilder UseLocalMasterKey(Func<LocalMasterKey> open, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(open);
        return Use(LocalMasterKeySource.Function(open), name);
    }

    /// <summary>
    /// A customer master key that an asynchronous function gets, from a vault product for example. A host awaits it; without
    /// one, await <see cref="ICsfleClientFactory.InitializeAsync"/> before the first call that is not asynchronous, which does
    /// not block on it and fails.
    /// </summary>
    /// <param name="open"><inheritdoc cref="UseLocalMasterKey(Func{LocalMasterKey}, string?)" path="/param[@name='open']"/></param>
    /// <param name="name"><inheritdoc cref="UseLocalMasterKey(string, string?)" path="/param[@name='name']"/></param>
    public CsfleBuilder UseLocalMasterKey(Func<CancellationToken, Task<LocalMasterKey>> open, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(open);
        return Use(LocalMasterKeySource.Function(open), name);
    }

    /// <summary>A customer master key in an environment variable: 96 bytes in base64.</summary>
    /// <param name="variable">The name of the variable; read at start-up.</param>
    /// <param name="name"><inheritdoc cref="UseLocalMasterKey(string, string?)" path="/param[@name='name']"/></param>
    public CsfleBuilder UseLocalMasterKeyFromEnvironment(string variable, string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(variable);
        return Use(LocalMasterKeySource.EnvironmentVariable(variable), name);
    }

    /// <summary>
    /// Which of several master keys wraps new data keys. The others go on unwrapping those that exist. Needed where there are
    /// several.
    /// </summary>
    /// <param name="provider">The KMS provider: <c>local</c>, or with a name <c>local:tenant1</c>.</param>
    public CsfleBuilder WrapNewDataKeysWith(string provider)
    {
        ArgumentException.ThrowIfNullOrEmpty(provider);
        _options.NewDataKeysProvider = provider;
        _options.ConfiguredAt.Remove((nameof(WrapNewDataKeysWith), null));
        return this;
    }

    /// <summary>
    /// Whether start-up creates data keys that the classes name and the key vault does not have. Where nothing is said: in the
    /// environment Development it does, elsewhere a missing key is an error, because a key vault that was mistyped must not
    /// get new keys. A key that exists is never replaced.
    /// </summary>
    /// <param name="create">True creates them.</param>
    public CsfleBuilder CreateMissingDataKeys(bool create = true)
    {
        _options.CreateMissingDataKeys = create;
        return this;
    }

    private CsfleBuilder Use(LocalMasterKeySource source, string? name)
    {
        var registration = KmsRegistration.Local(source, name);
        _options.KmsProviders.RemoveAll(each => each.Provider == registration.Provider);
        _options.KmsProviders.Add(registration);
        _options.ConfiguredAt.Remove((nameof(UseLocalMasterKey), registration.Provider));
        return this;
    }
}
