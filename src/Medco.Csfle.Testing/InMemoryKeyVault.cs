using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Testing;

/// <summary>A key vault for one test: a store in memory, a master key that nobody else has, and data keys with the names that the test needs.</summary>
/// <remarks>
/// With the engine, take <see cref="Service"/>; with the SDK, <see cref="Store"/> and <see cref="MasterKey"/>:
/// <code>
/// using var keys = new InMemoryKeyVault("medco-patients");
/// var engine = new CsfleEngine(keys.Service, schemas);
/// CsfleClientFactory.Create(csfle => csfle.UseKeyVault(keys.Store).UseLocalMasterKey(keys.MasterKey) ...);
/// </code>
/// </remarks>
public sealed class InMemoryKeyVault : IDisposable
{
    private readonly Dictionary<string, Guid> _ids = new(StringComparer.Ordinal);

    /// <summary>Creates a data key for each name.</summary>
    /// <param name="keyAltNames">The key alternate names.</param>
    public InMemoryKeyVault(params string[] keyAltNames)
    {
        ArgumentNullException.ThrowIfNull(keyAltNames);
        Service = new KeyVaultService(Store, [new LocalKeyManagementService(MasterKey)]);
        foreach (var name in keyAltNames) _ids[name] = Service.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = [name] });
    }

    /// <summary>The store; it holds the data keys wrapped.</summary>
    public InMemoryKeyVaultStore Store { get; } = new();

    /// <summary>The master key of the data keys.</summary>
    public LocalMasterKey MasterKey { get; } = LocalMasterKey.Generate();

    /// <summary>The service over store and master key.</summary>
    public KeyVaultService Service { get; }

    /// <summary>The ids of the data keys by the names given to the constructor, as a schema takes them.</summary>
    public IReadOnlyDictionary<string, Guid> KeyIds => _ids;

    /// <summary>Lets the keys go.</summary>
    public void Dispose()
    {
        Service.Dispose();
        MasterKey.Dispose();
    }
}
