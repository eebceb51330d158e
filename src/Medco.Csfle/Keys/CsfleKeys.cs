using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.Keys;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle;

/// <summary>
/// The data keys of an application in its key vault: creates them and finds them by name. A key that exists is never replaced.
/// </summary>
public sealed class CsfleKeys
{
    private const int MaxNamesListed = 20;
    private const int Unauthorized = 13;

    private readonly Lazy<IKeyVaultStore> _store;
    private readonly IReadOnlyList<KmsRegistration> _providers;
    private readonly string _newDataKeysProvider;
    private readonly KeyVaultOptions _options;
    private readonly ILogger _logger;
    private readonly object _lock = new();
    private KeyVaultService? _service;
    private IReadOnlyList<IKeyManagementService> _opened = [];
    private volatile bool _hasIndex;
    private bool _closed;

    /// <summary>Opens nothing yet.</summary>
    /// <param name="openStore">Makes the store.</param>
    /// <param name="providers">The KMS providers.</param>
    /// <param name="newDataKeysProvider">Which of them wraps new data keys.</param>
    /// <param name="loggerFactory">Where to log.</param>
    /// <param name="options">How long keys are kept and KMSs waited for; the defaults where it is null.</param>
    internal CsfleKeys(
        Func<IKeyVaultStore> openStore, IReadOnlyList<KmsRegistration> providers, string newDataKeysProvider, ILoggerFactory loggerFactory, KeyVaultOptions? options = null)
    {
        _store = new Lazy<IKeyVaultStore>(openStore);
        _providers = providers;
        _newDataKeysProvider = newDataKeysProvider;
        _options = options ?? new KeyVaultOptions { LoggerFactory = loggerFactory };
        _logger = loggerFactory.CreateLogger<CsfleKeys>();
    }

    /// <summary>The engine's service for the same key vault, with the master keys of this application.</summary>
    /// <exception cref="MasterKeyException">A master key cannot be read.</exception>
    /// <exception cref="CsfleConfigurationException">A master key comes asynchronously, and nothing has awaited it yet.</exception>
    public KeyVaultService Service => Open();

    /// <summary>The service, where it was opened already.</summary>
    internal KeyVaultService? OpenedService => Opened;

    internal IKeyVaultStore Store => _store.Value;

    /// <summary>The KMS providers, once they are opened. They stay this object's.</summary>
    internal IReadOnlyList<IKeyManagementService> MasterKeys
    {
        get
        {
            lock (_lock) return _opened;
        }
    }

    internal string Description => _store.Value.Description;

    /// <summary>
    /// Creates a data key with that name, wrapped by the configured master key, after making sure of the unique index that
    /// keeps names unique.
    /// </summary>
    /// <param name="keyAltName">The key alternate name, as <c>[DataKey]</c> gives it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The id of the new key.</returns>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: the name is taken; no key was added.</exception>
    /// <exception cref="MasterKeyException">The master key cannot be read.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written.</exception>
    public Guid CreateDataKey(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyAltName);
        var vault = Open();
        EnsureIndex(isRequired: true, cancellationToken);
        return vault.CreateDataKey(_newDataKeysProvider, new DataKeyCreationOptions { KeyAltNames = [keyAltName] }, cancellationToken);
    }

    /// <inheritdoc cref="CreateDataKey"/>
    public async Task<Guid> CreateDataKeyAsync(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyAltName);
        var vault = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await EnsureIndexAsync(isRequired: true, cancellationToken).ConfigureAwait(false);
        return await vault.CreateDataKeyAsync(_newDataKeysProvider, new DataKeyCreationOptions { KeyAltNames = [keyAltName] }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The id of the data key with that name, which is created where there is none. However many processes ask at once, one key
    /// comes to be. One that is there and does not unwrap is an error and is never replaced.
    /// </summary>
    /// <param name="keyAltName">The key alternate name, as <c>[DataKey]</c> gives it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="DataKeyException">The key that is there does not unwrap.</exception>
    /// <exception cref="MasterKeyException">The master key cannot be read.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written.</exception>
    public Guid GetOrCreateDataKey(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyAltName);
        return Open().GetOrCreateDataKey(_newDataKeysProvider, keyAltName, default, cancellationToken);
    }

    /// <inheritdoc cref="GetOrCreateDataKey"/>
    public async Task<Guid> GetOrCreateDataKeyAsync(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyAltName);
        var vault = await OpenAsync(cancellationToken).ConfigureAwait(false);
        return await vault.GetOrCreateDataKeyAsync(_newDataKeysProvider, keyAltName, default, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The id of the data key with that name. Needs no master key.</summary>
    /// <param name="keyAltName">One of the key's alternate names.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Null where the key vault has none.</returns>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: the document found is no data key.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    public Guid? FindDataKey(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        return FirstId(_store.Value.Find([], [keyAltName], cancellationToken));
    }

    /// <inheritdoc cref="FindDataKey"/>
    public async Task<Guid?> FindDataKeyAsync(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        return FirstId(await _store.Value.FindAsync([], [keyAltName], cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Makes sure of the unique index on names, once.</summary>
    /// <param name="isRequired">False lets a user who may only read the key vault go on, with a warning in the log.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    internal void EnsureIndex(bool isRequired, CancellationToken cancellationToken)
    {
        if (_hasIndex) return;
        try
        {
            _store.Value.EnsureIndex(cancellationToken);
            _hasIndex = true;
        }
        catch (KeyVaultException exception) when (!isRequired && exception.ServerCode == Unauthorized)
        {
            _logger.KeyVaultIndexNotChecked(Description);
        }
    }

    /// <inheritdoc cref="EnsureIndex"/>
    internal async ValueTask EnsureIndexAsync(bool isRequired, CancellationToken cancellationToken)
    {
        if (_hasIndex) return;
        try
        {
            await _store.Value.EnsureIndexAsync(cancellationToken).ConfigureAwait(false);
            _hasIndex = true;
        }
        catch (KeyVaultException exception) when (!isRequired && exception.ServerCode == Unauthorized)
        {
            _logger.KeyVaultIndexNotChecked(Description);
        }
    }

    /// <summary>The ids of the keys with those names.</summary>
    /// <param name="names">The names.</param>
    /// <param name="createMissing">Whether a key that is not there is created. One that is there but does not unwrap is not touched.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="DataKeyException">Keys are missing; the error names all of them, and the names that are there.</exception>
    internal Dictionary<string, Guid> Resolve(IReadOnlyCollection<string> names, bool createMissing, CancellationToken cancellationToken)
    {
        if (names.Count == 0) return [];
        var ids = IdsByName(_store.Value.Find([], names, cancellationToken));
        var missing = names.Where(name => !ids.ContainsKey(name)).ToArray();
        if (missing.Length == 0) return ids;
        if (!createMissing) throw NotFound(missing, _store.Value.List(MaxNamesListed + 1, cancellationToken));
        foreach (var name in missing) ids[name] = GetOrCreateDataKey(name, cancellationToken);
        return ids;
    }

    /// <inheritdoc cref="Resolve"/>
    internal async ValueTask<Dictionary<string, Guid>> ResolveAsync(IReadOnlyCollection<string> names, bool createMissing, CancellationToken cancellationToken)
    {
        if (names.Count == 0) return [];
        var ids = IdsByName(await _store.Value.FindAsync([], names, cancellationToken).ConfigureAwait(false));
        var missing = names.Where(name => !ids.ContainsKey(name)).ToArray();
        if (missing.Length == 0) return ids;
        if (!createMissing) throw NotFound(missing, await _store.Value.ListAsync(MaxNamesListed + 1, cancellationToken).ConfigureAwait(false));
        foreach (var name in missing) ids[name] = await GetOrCreateDataKeyAsync(name, cancellationToken).ConfigureAwait(false);
        return ids;
    }

    /// <summary>Some data key that has a name and unwraps; null where there is none among the first of them.</summary>
    internal NamedDataKey? FindNamed(CancellationToken cancellationToken)
    {
        foreach (var key in _store.Value.List(MaxNamesListed, cancellationToken))
        {
            if (key.KeyAltNames.Count == 0) continue;
            try
            {
                Load([key.Id], cancellationToken);
                return new NamedDataKey(key.KeyAltNames[0], key.Id);
            }
            catch (DataKeyException)
            {
                // Another application's key, perhaps, under a master key that this one does not have.
            }
        }

        return null;
    }

    /// <inheritdoc cref="FindNamed"/>
    internal async ValueTask<NamedDataKey?> FindNamedAsync(CancellationToken cancellationToken)
    {
        foreach (var key in await _store.Value.ListAsync(MaxNamesListed, cancellationToken).ConfigureAwait(false))
        {
            if (key.KeyAltNames.Count == 0) continue;
            try
            {
                await LoadAsync([key.Id], cancellationToken).ConfigureAwait(false);
                return new NamedDataKey(key.KeyAltNames[0], key.Id);
            }
            catch (DataKeyException)
            {
            }
        }

        return null;
    }

    /// <summary>Unwraps the keys, which proves that they are there and that the master key is theirs, and keeps them in memory.</summary>
    internal void Load(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        var keys = new DataKey[ids.Count];
        Service.AcquireKeys([.. ids.Select(KeyReference.ById)], keys, cancellationToken);
        foreach (var key in keys) key.Release();
    }

    /// <inheritdoc cref="Load"/>
    internal async ValueTask LoadAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        var keys = new DataKey[ids.Count];
        var vault = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await vault.AcquireKeysAsync(ids.Select(KeyReference.ById).ToArray(), keys, cancellationToken).ConfigureAwait(false);
        foreach (var key in keys) key.Release();
    }

    /// <summary>Lets keys and master key go. The store, where it was given, stays the caller's.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _closed = true;
            _service?.Dispose();
        }
    }

    /// <summary>The service, opened now where it was not yet.</summary>
    /// <exception cref="MasterKeyException">A master key cannot be read.</exception>
    internal ValueTask<KeyVaultService> OpenAsync(CancellationToken cancellationToken)
        => Opened is { } open ? new(open) : OpenSlowlyAsync(cancellationToken);

    private KeyVaultService? Opened
    {
        get
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                return _service;
            }
        }
    }

    private KeyVaultService Open()
    {
        if (Opened is { } open) return open;
        var services = new List<IKeyManagementService>();
        try
        {
            foreach (var provider in _providers) services.Add(provider.Open(_logger));
        }
        catch
        {
            services.ForEach(service => service.Dispose());
            throw;
        }

        return Publish(services);
    }

    private async ValueTask<KeyVaultService> OpenSlowlyAsync(CancellationToken cancellationToken)
    {
        var services = new List<IKeyManagementService>();
        try
        {
            foreach (var provider in _providers) services.Add(await provider.OpenAsync(_logger, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            services.ForEach(service => service.Dispose());
            throw;
        }

        return Publish(services);
    }

    // No lock is held while master keys are opened, so that a sync caller never waits for an asynchronous one. Of those who
    // open at the same time, the first one counts.
    private KeyVaultService Publish(List<IKeyManagementService> services)
    {
        var opened = new KeyVaultService(_store.Value, services, _options);
        lock (_lock)
        {
            if (!_closed && _service is null)
            {
                _opened = services;
                return _service = opened;
            }
        }

        opened.Dispose();
        return Opened!;
    }

    private static Guid? FirstId(IReadOnlyList<DataKeyDocument> found) => found.Count == 0 ? null : found[0].Id;

    private static Dictionary<string, Guid> IdsByName(IReadOnlyList<DataKeyDocument> found)
    {
        var ids = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var key in found)
        {
            foreach (var name in key.KeyAltNames)
            {
                if (ids.TryAdd(name, key.Id)) continue;
                throw new DataKeyException(CsfleErrorCode.DuplicateDataKey, $"two data keys, {ids[name]} and {key.Id}, have the name '{name}'",
                    "Take the name away from the one that nothing is encrypted with, and create the unique index on keyAltNames.", key.Id, name);
            }
        }

        return ids;
    }

    private DataKeyException NotFound(string[] missing, IReadOnlyList<DataKeyDocument> listed)
    {
        var names = listed.SelectMany(key => key.KeyAltNames).Take(MaxNamesListed).ToArray();
        var content = listed.Count == 0 ? "It holds no data key at all"
            : names.Length == 0 ? "None of its data keys has a name"
            : $"It has the names '{string.Join("', '", names)}'{(listed.Count > MaxNamesListed || listed.Sum(key => key.KeyAltNames.Count) > names.Length ? " and more" : "")}";
        return new DataKeyException(
            CsfleErrorCode.DataKeyNotFound,
            $"{Description} holds no data key named '{string.Join("', '", missing)}': it may be empty or misnamed. {content}",
            $"Check {nameof(CsfleBuilder.UseKeyVault)}(...) and [DataKey(...)]. Where nothing has been encrypted with the key yet, create it with {nameof(CsfleKeys)}.{nameof(CreateDataKey)} or ask for {nameof(CsfleBuilder.CreateMissingDataKeys)}().",
            null,
            missing[0]);
    }
}
