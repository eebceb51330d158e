using Medco.Csfle.Clients;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Keys;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Logging;
using MongoDB.Driver;

namespace Medco.Csfle.DependencyInjection;

/// <summary>What <see cref="CsfleBuilder"/> was told. Opened, read or connected to is nothing of it.</summary>
internal sealed class CsfleOptions
{
    public string? ConnectionString { get; set; }

    public string? KeyVaultNamespace { get; set; }

    public IKeyVaultStore? KeyVaultStore { get; set; }

    /// <summary>Where the master keys come from; each provider once.</summary>
    public List<KmsRegistration> KmsProviders { get; } = [];

    /// <summary>The provider that wraps new data keys; null where nothing was said.</summary>
    public string? NewDataKeysProvider { get; set; }

    public List<CollectionRegistration> Collections { get; } = [];

    public List<string> AllowUnencrypted { get; } = [];

    public bool UseServerSchema { get; set; }

    /// <summary>Null where nothing was said: then they are created in Development.</summary>
    public bool? CreateMissingDataKeys { get; set; }

    public List<Action<MongoClientSettings>> ConfigureClient { get; } = [];

    /// <summary>MongoDB's own engine; null where it was not set up.</summary>
    public OfficialEngine? OfficialEngine { get; set; }

    /// <summary>Null where nothing was said: then the official engine where it was set up.</summary>
    public CsfleEngineKind? DefaultEngine { get; set; }

    public ILoggerFactory? LoggerFactory { get; set; }
}
