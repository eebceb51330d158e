using Medco.Csfle.Clients;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Keys;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Logging;
using MongoDB.Driver;

namespace Medco.Csfle.DependencyInjection;

/// <summary>What <see cref="CsfleBuilder"/> was told. Opened, read or connected to is nothing of it.</summary>
internal sealed class CsfleOptions
{
    /// <summary>The name of the registration; null of the one without.</summary>
    public string? Name { get; set; }

    /// <summary>What relative paths in a configuration count from; null for the current directory.</summary>
    public string? ContentRoot { get; set; }

    /// <summary>The path of the section that was read last; null where none was.</summary>
    public string? SectionPath { get; set; }

    /// <summary>Where in a configuration stands what a method of <see cref="CsfleBuilder"/> would have said; <c>Of</c> tells apart what may be said of many.</summary>
    public Dictionary<(string Method, string? Of), string> ConfiguredAt { get; } = [];

    /// <summary>Mistakes found in configurations.</summary>
    public List<CsfleConfigurationError> ConfigurationErrors { get; } = [];

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

    /// <summary>Null where nothing was said.</summary>
    public TimeSpan? DataKeyLifetime { get; set; }

    /// <summary>Null where nothing was said.</summary>
    public KmsResilienceOptions? KmsResilience { get; set; }

    /// <summary>How validators on the server are kept; null where nothing was said: then the start-up leaves them alone.</summary>
    public EnforcementOptions? Enforcement { get; set; }

    /// <summary>What the name of a canary's collection adds to that of the collection; null where no canary flies.</summary>
    public string? CanarySuffix { get; set; }

    public List<Action<MongoClientSettings>> ConfigureClient { get; } = [];

    /// <summary>MongoDB's own engine; null where it was not set up.</summary>
    public OfficialEngine? OfficialEngine { get; set; }

    /// <summary>Null where nothing was said: then the official engine where it was set up.</summary>
    public CsfleEngineKind? DefaultEngine { get; set; }

    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The settings of the key vault's service. Retries of a KMS are logged with the rest, unless it was said where else.</summary>
    public KeyVaultOptions ToKeyVaultOptions(ILoggerFactory loggerFactory)
    {
        var defaults = new KeyVaultOptions();
        var kms = KmsResilience ?? new KmsResilienceOptions();
        return new KeyVaultOptions
        {
            CacheExpiration = DataKeyLifetime ?? defaults.CacheExpiration,
            LoggerFactory = loggerFactory,
            KmsResilience = new KmsResilienceOptions
            {
                TimeLimit = kms.TimeLimit,
                AttemptTimeLimit = kms.AttemptTimeLimit,
                MaxAttempts = kms.MaxAttempts,
                FirstPause = kms.FirstPause,
                LongestPause = kms.LongestPause,
                TimeProvider = kms.TimeProvider,
                LoggerFactory = kms.LoggerFactory ?? loggerFactory,
            },
        };
    }

    /// <summary>What a setting is called where it was made: the path in a configuration, or the method of the builder.</summary>
    public string NameOf(string method, string? of = null) => ConfiguredAt.GetValueOrDefault((method, of), method);

    /// <summary>What a setting that nobody made would be called.</summary>
    public string NameOfMissing(string method, string key) => SectionPath is null ? method : SectionPath.Length == 0 ? key : $"{SectionPath}:{key}";
}
