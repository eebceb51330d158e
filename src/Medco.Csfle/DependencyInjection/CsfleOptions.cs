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

    /// <summary>How validators on the server are kept; null where nothing was said: then the start-up leaves them alone.</summary>
    public EnforcementOptions? Enforcement { get; set; }

    /// <summary>What the name of a canary's collection adds to that of the collection; null where no canary flies.</summary>
    public string? CanarySuffix { get; set; }

    public List<Action<MongoClientSettings>> ConfigureClient { get; } = [];

    public ILoggerFactory? LoggerFactory { get; set; }
}
