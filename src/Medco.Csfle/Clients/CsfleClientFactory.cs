using Medco.Csfle.Clients;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Health;
using Medco.Csfle.Proof;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Driver;

namespace Medco.Csfle;

/// <summary>The factory of clients, for applications without a container; <c>services.AddCsfle</c> makes the same one.</summary>
public sealed class CsfleClientFactory : ICsfleClientFactory, IDisposable
{
    private readonly CsfleOptions _options;
    private readonly Lazy<MongoClient> _plainClient;
    private readonly EngineSource _engine;
    private readonly OfficialEngineSource? _official;
    private readonly AutoEncryptionOptions _autoEncryption;
    private readonly AutoEncryptionOptions? _officialAutoEncryption;
    private readonly ILogger _logger;
    private bool _disposed;

    internal CsfleClientFactory(CsfleOptions options, bool isDevelopment, ILoggerFactory? loggerFactory)
    {
        CsfleOptionsValidator.Validate(options);
        loggerFactory ??= NullLoggerFactory.Instance;
        _options = options;
        _plainClient = new Lazy<MongoClient>(() => new MongoClient(NewSettings()));
        Keys = new CsfleKeys(NewKeyVaultStore, options.KmsProviders, options.NewDataKeysProvider ?? options.KmsProviders[0].Provider, loggerFactory, options.ToKeyVaultOptions(loggerFactory));
        Encryption = new CsfleEncryption(Keys);
        _logger = loggerFactory.CreateLogger<CsfleClientFactory>();
        Enforcement = new CsfleEnforcement(options, Keys, NewRunner, loggerFactory.CreateLogger<CsfleEnforcement>());
        var proof = new StartupProof(options, Keys, NewController, () => CreateEncryptedClient(CsfleEngineKind.Managed), NewRunner, _logger);
        _engine = new EngineSource(options, Keys, Enforcement, proof, NewRunner, options.CreateMissingDataKeys ?? isDevelopment, loggerFactory);
        _autoEncryption = AutoEncryptionRouter.Issue(() => new ManagedEncryptionController(_engine));
        if (options.OfficialEngine is not { } officialEngine) return;
        var official = new OfficialEngineSource(officialEngine, _engine, proof, started => new(options, started, Keys.MasterKeys, _plainClient.Value, NewSettings, _logger));
        _official = official;
        _officialAutoEncryption = AutoEncryptionRouter.Issue(() => new OfficialEncryptionController(official));
    }

    /// <inheritdoc/>
    public CsfleKeys Keys { get; }

    /// <inheritdoc/>
    public CsfleEncryption Encryption { get; }

    /// <inheritdoc/>
    public CsfleEnforcement Enforcement { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, EncryptionSchema> Schemas => _engine.Started?.Schemas ?? throw new CsfleConfigurationException(
        CsfleErrorCode.NotStarted, "The schemas are known after start-up only, because they carry the ids of the data keys",
        $"Await {nameof(InitializeAsync)} first; in a host, ask after it has started.");

    /// <summary>Makes a factory. Nothing is read or written yet.</summary>
    /// <param name="configure">Says where MongoDB, key vault and master key are, and which collections are encrypted.</param>
    /// <exception cref="CsfleConfigurationException">Settings are missing or wrong; all of it is in the exception.</exception>
    public static CsfleClientFactory Create(Action<CsfleBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new CsfleOptions();
        configure(new CsfleBuilder(options));
        return new CsfleClientFactory(options, isDevelopment: false, options.LoggerFactory);
    }

    /// <inheritdoc/>
    public IMongoClient CreateEncryptedClient()
        => CreateEncryptedClient(_options.DefaultEngine ?? (_official is null ? CsfleEngineKind.Managed : CsfleEngineKind.LibMongoCrypt));

    /// <inheritdoc/>
    public IMongoClient CreateEncryptedClient(CsfleEngineKind engine)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var autoEncryption = engine switch
        {
            CsfleEngineKind.Managed => _autoEncryption,
            CsfleEngineKind.LibMongoCrypt => _officialAutoEncryption ?? throw new CsfleConfigurationException(
                CsfleErrorCode.EngineNotSetUp, "A client was to encrypt with libmongocrypt, which was not set up",
                "Reference the package Medco.Csfle.LibMongoCrypt and call UseLibMongoCrypt(...) at registration, or use the managed engine, which needs neither."),
            _ => throw new ArgumentOutOfRangeException(nameof(engine), engine, "There is no such engine."),
        };
        AutoEncryptionRouter.Register(MongoClientSettings.Extensions.AutoEncryptionProvider);
        var settings = NewSettings();
        settings.AutoEncryptionOptions = autoEncryption;
        var client = new MongoClient(settings);
        if (ReferenceEquals(client.Settings.AutoEncryptionOptions, autoEncryption)) return client;
        client.Dispose();
        throw NotWired();
    }

    /// <inheritdoc/>
    public IMongoClient CreateUnencryptedClient()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new MongoClient(NewSettings());
    }

    /// <inheritdoc/>
    public void Initialize(CancellationToken cancellationToken = default)
    {
        _engine.Start(cancellationToken);
        _official?.Open(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task InitializeAsync(CancellationToken cancellationToken = default)
    {
        await _engine.StartAsync(cancellationToken).ConfigureAwait(false);
        if (_official is not null) await _official.OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets the data keys go. Encrypted clients of this factory refuse to work from now on.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _official?.Dispose();
        _engine.Dispose();
        Keys.Close();
        if (_plainClient.IsValueCreated) _plainClient.Value.Dispose();
    }

    private MongoClientSettings NewSettings()
    {
        var settings = MongoClientSettings.FromConnectionString(_options.ConnectionString);
        foreach (var configure in _options.ConfigureClient) configure(settings);
        return settings.AutoEncryptionOptions is null
            ? settings
            : throw new CsfleConfigurationException([
                new(nameof(CsfleBuilder.ConfigureClient), "It set AutoEncryptionOptions, which decide whether and how a client encrypts.", "Leave them alone: the factory sets them.") { Registration = _options.Name }]);
    }

    // What the driver does for each encrypted client, without a client.
    private ManagedEncryptionController NewController()
    {
        var registry = MongoClientSettings.Extensions.AutoEncryptionProvider;
        AutoEncryptionRouter.Register(registry);
        return registry.CreateAutoCryptClientController(_plainClient.Value, _autoEncryption) as ManagedEncryptionController ?? throw NotWired();
    }

    private static EncryptionProofException NotWired() => new(
        CsfleErrorCode.ProviderNotWired,
        "MongoDB.Driver does not hand the commands of a client of this factory to Medco.Csfle",
        "Check that the application uses a version of MongoDB.Driver that this library was built for, and that nothing else in the process takes part in automatic encryption.");

    /// <summary>The namespaces of the collections that are registered with a class.</summary>
    internal IEnumerable<string> NamespacesOf(Type type)
        => _options.Collections.Where(registration => registration.Type == type).Select(registration => RegisteredCollections.NamespaceOf(registration)!);

    /// <summary>Looks how it goes.</summary>
    internal CsfleHealthCheck NewHealthCheck(IEnumerable<IHealthProbe>? probes = null) => new(
        _engine, Keys, probes ?? (_options.Enforcement is null ? [] : [new ValidatorDrift(Enforcement)]), _logger);

    private MongoClientCommandRunner NewRunner() => new(_plainClient.Value);

    private IKeyVaultStore NewKeyVaultStore() => _options.KeyVaultStore ?? new MongoKeyVaultStore(NewRunner(), _options.KeyVaultNamespace!);
}
