using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Data keys: creates them, finds them, unwraps them through the KMS that holds their master key, and keeps the unwrapped ones
/// in memory for a while.
/// </summary>
/// <remarks>
/// One instance serves an application; it is safe to use from many threads. A key that the vault does not hold, or that does
/// not unwrap, is an error and never leads to a new key; that a key was not found is not remembered. While the key vault or
/// the KMS is down, keys in memory go on working until they expire.
/// </remarks>
public sealed partial class KeyVaultService : IDisposable
{
    private const int MaxKeysListed = 20;
    private const int MaxAttempts = 15;

    private readonly IKeyVaultStore _store;
    private readonly Dictionary<string, IKeyManagementService> _services = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly DataKeyCache _cache;
    private readonly KeyFlights _flights;
    private readonly KeyFlights _asyncFlights;
    private readonly ILogger _logger;
    private volatile bool _disposed;
    private volatile bool _hasIndex;

    /// <summary>Serves the keys of one key vault.</summary>
    /// <param name="store">Where the keys are kept.</param>
    /// <param name="services">
    /// One service for every KMS provider in use. Each gets time limits and retries (<see cref="KeyVaultOptions.KmsResilience"/>),
    /// unless it is a <see cref="ResilientKeyManagementService"/> already. This instance disposes them.
    /// </param>
    /// <param name="options">Settings; those of <see cref="KeyVaultOptions"/> unless told.</param>
    /// <exception cref="ArgumentException">Two services are for the same provider, or a provider's name is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The expiration is negative.</exception>
    public KeyVaultService(IKeyVaultStore store, IEnumerable<IKeyManagementService> services, KeyVaultOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(services);
        options ??= new KeyVaultOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CacheExpiration, TimeSpan.Zero, nameof(options));
        _store = store;
        var resilience = options.KmsResilience ?? new KmsResilienceOptions { TimeProvider = options.TimeProvider, LoggerFactory = options.LoggerFactory };
        foreach (var service in services)
        {
            if (!KmsProvider.TryGetType(service.Provider, out _)) throw new ArgumentException($"`{service.Provider}` is not the name of a KMS provider.", nameof(services));
            var resilient = service as ResilientKeyManagementService ?? new ResilientKeyManagementService(service, resilience);
            if (!_services.TryAdd(service.Provider, resilient)) throw new ArgumentException($"KMS provider `{service.Provider}` is given twice.", nameof(services));
        }

        _time = options.TimeProvider;
        _cache = new DataKeyCache(_time, options.CacheExpiration);
        _flights = new KeyFlights(_cache);
        _asyncFlights = new KeyFlights(_cache);
        _logger = options.LoggerFactory?.CreateLogger<KeyVaultService>() ?? (ILogger)NullLogger.Instance;
    }

    /// <summary>How many unwrapped keys are in memory.</summary>
    internal int CachedKeys => _cache.Count;

    /// <summary>Whether all those keys are in memory, and have not expired.</summary>
    internal bool Holds(IReadOnlyCollection<Guid> ids)
    {
        foreach (var id in ids)
        {
            if (!_cache.TryAcquire(KeyReference.ById(id), _cache.Now, out var key)) return false;
            key.Release();
        }

        return true;
    }

    /// <summary>Where the keys are kept.</summary>
    internal IKeyVaultStore Store => _store;

    /// <summary>Where to log.</summary>
    internal ILogger Logger => _logger;

    /// <summary>The clock.</summary>
    internal TimeProvider Time => _time;

    /// <summary>Creates a data key, wraps it and adds it to the key vault.</summary>
    /// <param name="provider">The KMS provider that wraps it: <c>local</c>, <c>aws</c>, …, with a name where it has one.</param>
    /// <param name="options">Names, and where the master key lives.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The id of the new key.</returns>
    /// <exception cref="DataKeyException">
    /// <see cref="CsfleErrorCode.KmsNotConfigured"/>; <see cref="CsfleErrorCode.DuplicateDataKey"/>: a name is taken;
    /// <see cref="CsfleErrorCode.MalformedDataKey"/>: what the options say cannot become a data key. No key was added.
    /// </exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written.</exception>
    public Guid CreateDataKey(string provider, DataKeyCreationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new DataKeyCreationOptions();
        var service = RequireCreation(provider, options, out var masterKey);
        var material = NewMaterial(options);
        try
        {
            var key = NewKey(options, masterKey, service.Wrap(masterKey, material, cancellationToken));
            _store.Insert(key, cancellationToken);
            _logger.DataKeyCreated(key.Id, provider, _store.Description);
            return key.Id;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    /// <inheritdoc cref="CreateDataKey"/>
    public ValueTask<Guid> CreateDataKeyAsync(string provider, DataKeyCreationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new DataKeyCreationOptions();
        var service = RequireCreation(provider, options, out var masterKey);
        return CreateAsync(service, options, masterKey, cancellationToken);
    }

    /// <summary>
    /// The id of the data key with that name, which is created where there is none. However many threads and processes ask at
    /// once, one key comes to be, and all get its id. A key that is there is unwrapped to prove that it works; one that does not
    /// unwrap is an error and is never replaced.
    /// </summary>
    /// <param name="provider">The KMS provider that wraps a new key: <c>local</c>, <c>aws</c>, …, with a name where it has one.</param>
    /// <param name="keyAltName">The key alternate name.</param>
    /// <param name="masterKey">Where the master key lives, as <see cref="DataKeyCreationOptions.MasterKey"/>.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="DataKeyException">The key that is there does not unwrap, or none can be created.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written, or names in it are not sure to be unique.</exception>
    public Guid GetOrCreateDataKey(string provider, string keyAltName, ReadOnlyMemory<byte> masterKey = default, CancellationToken cancellationToken = default)
    {
        RequireName(keyAltName);
        for (var attempt = 1; ; attempt++)
        {
            if (FindByName(keyAltName, cancellationToken) is { } found)
            {
                var keys = new DataKey[1];
                AcquireKeys([KeyReference.ById(found.Id)], keys, cancellationToken);
                keys[0].Release();
                return found.Id;
            }

            if (!_hasIndex) _store.EnsureIndex(cancellationToken);
            _hasIndex = true;
            try
            {
                return CreateDataKey(provider, new DataKeyCreationOptions { KeyAltNames = [keyAltName], MasterKey = masterKey }, cancellationToken);
            }
            catch (DataKeyException e) when (LostRace(e, attempt))
            {
                cancellationToken.WaitHandle.WaitOne(RaceDelay(attempt));
            }
        }
    }

    /// <inheritdoc cref="GetOrCreateDataKey"/>
    public async ValueTask<Guid> GetOrCreateDataKeyAsync(string provider, string keyAltName, ReadOnlyMemory<byte> masterKey = default, CancellationToken cancellationToken = default)
    {
        RequireName(keyAltName);
        for (var attempt = 1; ; attempt++)
        {
            if (await FindByNameAsync(keyAltName, cancellationToken).ConfigureAwait(false) is { } found)
            {
                var keys = new DataKey[1];
                await AcquireKeysAsync(new[] { KeyReference.ById(found.Id) }, keys, cancellationToken).ConfigureAwait(false);
                keys[0].Release();
                return found.Id;
            }

            if (!_hasIndex) await _store.EnsureIndexAsync(cancellationToken).ConfigureAwait(false);
            _hasIndex = true;
            try
            {
                return await CreateDataKeyAsync(provider, new DataKeyCreationOptions { KeyAltNames = [keyAltName], MasterKey = masterKey }, cancellationToken).ConfigureAwait(false);
            }
            catch (DataKeyException e) when (LostRace(e, attempt))
            {
                await Task.Delay(RaceDelay(attempt), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The key of that id as the key vault holds it.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: the document is no data key.</exception>
    public DataKeyDocument? FindById(Guid id, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Single(_store.FindMatching(KeyFilter.ById(id), cancellationToken));
    }

    /// <inheritdoc cref="FindById"/>
    public async ValueTask<DataKeyDocument?> FindByIdAsync(Guid id, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Single(await _store.FindMatchingAsync(KeyFilter.ById(id), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The key of that alternate name as the key vault holds it.</summary>
    /// <inheritdoc cref="FindById"/>
    public DataKeyDocument? FindByName(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Utf8Text.IsWellFormed(keyAltName) ? Single(_store.FindMatching(KeyFilter.ByName(keyAltName), cancellationToken)) : null;
    }

    /// <inheritdoc cref="FindByName"/>
    public async ValueTask<DataKeyDocument?> FindByNameAsync(string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Utf8Text.IsWellFormed(keyAltName) ? Single(await _store.FindMatchingAsync(KeyFilter.ByName(keyAltName), cancellationToken).ConfigureAwait(false)) : null;
    }

    /// <summary>
    /// Gets unwrapped keys for use: all of them, or none and an error. From memory where they are there; the others with one
    /// question to the key vault and one to their KMS for each.
    /// </summary>
    /// <param name="references">The keys by id or name; the same one may stand there often.</param>
    /// <param name="keys">
    /// Receives the key of every reference at the same index. The caller calls <see cref="DataKey.Release"/> on each. Null at
    /// every index when an error is thrown.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="DataKeyException">A key is unknown, malformed, does not unwrap, or its KMS is not configured.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    internal void AcquireKeys(ReadOnlySpan<KeyReference> references, Span<DataKey> keys, CancellationToken cancellationToken)
    {
        if (!TryAcquireFromCache(references, keys)) AcquireMissing(references, keys, cancellationToken);
    }

    /// <inheritdoc cref="AcquireKeys"/>
    internal ValueTask AcquireKeysAsync(ReadOnlySpan<KeyReference> references, Memory<DataKey> keys, CancellationToken cancellationToken)
        => TryAcquireFromCache(references, keys.Span) ? ValueTask.CompletedTask : AcquireMissingAsync(references.ToArray(), keys, cancellationToken);

    /// <summary>
    /// Lets every key go: each is zeroed when its last user has released it. The services are disposed; the store is not.
    /// </summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _cache.Dispose();
        foreach (var service in _services.Values) service.Dispose();
    }

    private static DataKeyDocument? Single(IReadOnlyList<DataKeyDocument> found) => found.Count == 0 ? null : found[0];

    // The name is taken, yet the winner's key was not found: a majority read may see it a moment later.
    private static bool LostRace(DataKeyException exception, int attempt) => exception.Code == CsfleErrorCode.DuplicateDataKey && attempt < MaxAttempts;

    private static TimeSpan RaceDelay(int attempt) => TimeSpan.FromMilliseconds(Math.Min(10 << attempt, 500));

    // What came back is no data key, or there is no way to get it: the outage of a KMS is another matter.
    private static bool IsNotUnwrapped(Exception exception)
        => exception is CryptographicException or DataKeyException { Code: CsfleErrorCode.DataKeyNotUnwrapped } or KmsException { Failure: KmsFailure.WrongAnswer };

    private static DataKeyException NotUnwrapped(DataKeyDocument document, Exception cause) => new(
        CsfleErrorCode.DataKeyNotUnwrapped,
        $"the master key of KMS provider `{document.Provider}` does not unwrap {document}",
        "Configure the master key that the data key was created with, or restore the data key from a backup. Do not create a new data key: it would not read what the old one encrypted.",
        document.Id,
        null,
        cause);

    private static byte[] NewMaterial(DataKeyCreationOptions options)
    {
        var material = GC.AllocateUninitializedArray<byte>(AeadKey.KeyLength, pinned: true);
        if (options.KeyMaterial.IsEmpty)
        {
            RandomNumberGenerator.Fill(material);
        }
        else
        {
            options.KeyMaterial.Span.CopyTo(material);
        }

        return material;
    }

    private static DataKeyException InvalidOption(string what, string remedy, string? name = null)
        => new(CsfleErrorCode.MalformedDataKey, what, remedy, null, name);

    private static void RequireName(string name)
    {
        if (string.IsNullOrEmpty(name)) throw InvalidOption("a key alternate name is empty", "Name the key, or give no name.");
        if (!Utf8Text.IsWellFormed(name)) throw InvalidOption("a key alternate name is not valid Unicode", "Give a name without lone surrogates.");
    }

    private IKeyManagementService RequireCreation(string provider, DataKeyCreationOptions options, out byte[] masterKey)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var service = RequireService(provider, null);
        if (!options.KeyMaterial.IsEmpty && options.KeyMaterial.Length != AeadKey.KeyLength)
        {
            throw InvalidOption($"keyMaterial should have length {AeadKey.KeyLength}, but has length {options.KeyMaterial.Length}", "Pass 96 random bytes, or none.");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in options.KeyAltNames)
        {
            RequireName(name);
            if (!seen.Add(name)) throw InvalidOption($"unexpected duplicate keyAltNames: '{name}'", "Give each name once.", name);
        }

        masterKey = MasterKeyDocument.Create(provider, options.MasterKey.Span);
        return service;
    }

    private async ValueTask<Guid> CreateAsync(IKeyManagementService service, DataKeyCreationOptions options, byte[] masterKey, CancellationToken cancellationToken)
    {
        var material = NewMaterial(options);
        try
        {
            var key = NewKey(options, masterKey, await service.WrapAsync(masterKey, material, cancellationToken).ConfigureAwait(false));
            await _store.InsertAsync(key, cancellationToken).ConfigureAwait(false);
            _logger.DataKeyCreated(key.Id, service.Provider, _store.Description);
            return key.Id;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    private DataKeyDocument NewKey(DataKeyCreationOptions options, byte[] masterKey, byte[] wrapped)
        => DataKeyDocument.Create(Guid.NewGuid(), options.KeyAltNames, wrapped, _time.GetUtcNow(), masterKey);

    private IKeyManagementService RequireService(string provider, Guid? keyId)
        => _services.TryGetValue(provider, out var service)
            ? service
            : throw new DataKeyException(
                CsfleErrorCode.KmsNotConfigured,
                keyId is null ? $"KMS provider `{provider}` is not configured" : $"KMS provider `{provider}` is not configured, and data key {keyId} is wrapped by it",
                _services.Count == 0 ? "Configure it; no KMS provider is." : $"Configure it. Configured are: `{string.Join("`, `", _services.Keys)}`.",
                keyId);

    private bool TryAcquireFromCache(ReadOnlySpan<KeyReference> references, Span<DataKey> keys)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var now = _cache.Now;
        var hits = 0;
        for (var i = 0; i < references.Length; i++)
        {
            if (_cache.TryAcquire(references[i], now, out var key)) hits++;
            keys[i] = key!;
        }

        if (CsfleTelemetry.KeyCacheLookups.Enabled) Count(hits, references.Length - hits);
        return hits == references.Length;
    }

    private static void Count(int hits, int misses)
    {
        const string Result = "medco.csfle.cache.result";
        if (hits > 0) CsfleTelemetry.KeyCacheLookups.Add(hits, new KeyValuePair<string, object?>(Result, "hit"));
        if (misses > 0) CsfleTelemetry.KeyCacheLookups.Add(misses, new KeyValuePair<string, object?>(Result, "miss"));
    }

    private void AcquireMissing(ReadOnlySpan<KeyReference> references, Span<DataKey> keys, CancellationToken cancellationToken)
    {
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var boarding = _flights.Board(references, keys, attempt);
                if (boarding.Own.References.Count > 0) Fly(boarding.Own, references, keys, cancellationToken);

                // Synchronous callers alone carry these flights out, so this waits for threads, never for a task.
                foreach (var joined in boarding.Joined) joined.Landed.Wait(cancellationToken);
                if (boarding.TryLeave(references, keys)) return;
                ObjectDisposedException.ThrowIf(_disposed, this);
            }
        }
        catch
        {
            Release(keys);
            throw;
        }
    }

    private async ValueTask AcquireMissingAsync(ReadOnlyMemory<KeyReference> references, Memory<DataKey> keys, CancellationToken cancellationToken)
    {
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var boarding = _asyncFlights.Board(references.Span, keys.Span, attempt);
                if (boarding.Own.References.Count > 0) await FlyAsync(boarding.Own, references, keys, cancellationToken).ConfigureAwait(false);
                foreach (var joined in boarding.Joined) await joined.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);
                if (boarding.TryLeave(references.Span, keys.Span)) return;
                ObjectDisposedException.ThrowIf(_disposed, this);
            }
        }
        catch
        {
            Release(keys.Span);
            throw;
        }
    }

    private void Fly(KeyFlight flight, ReadOnlySpan<KeyReference> references, Span<DataKey> keys, CancellationToken cancellationToken)
    {
        using var call = BeginFetch(flight);
        try
        {
            var lookup = new KeyLookup(flight.References);
            var documents = _store.Find(lookup.Ids, lookup.Names, cancellationToken);
            if (lookup.FindMissing(documents) is { } missing) throw NotFound(missing, ListFor(missing, cancellationToken));
            foreach (var document in documents) flight.Add(document, Unwrap(document, cancellationToken));
            flight.Land(references, keys);
            _logger.DataKeysLoaded(documents.Count, _store.Description);
        }
        catch (Exception e)
        {
            // Off the board first: whoever waited for it would otherwise find it there again, and wait in vain.
            _flights.Remove(flight);
            flight.Crash(e);
            NotFetched(call, e);
            throw;
        }

        _flights.Remove(flight);
    }

    private async ValueTask FlyAsync(KeyFlight flight, ReadOnlyMemory<KeyReference> references, Memory<DataKey> keys, CancellationToken cancellationToken)
    {
        using var call = BeginFetch(flight);
        try
        {
            var lookup = new KeyLookup(flight.References);
            var documents = await _store.FindAsync(lookup.Ids, lookup.Names, cancellationToken).ConfigureAwait(false);
            if (lookup.FindMissing(documents) is { } missing) throw NotFound(missing, await ListForAsync(missing, cancellationToken).ConfigureAwait(false));
            foreach (var document in documents) flight.Add(document, await UnwrapAsync(document, cancellationToken).ConfigureAwait(false));
            flight.Land(references.Span, keys.Span);
            _logger.DataKeysLoaded(documents.Count, _store.Description);
        }
        catch (Exception e)
        {
            _asyncFlights.Remove(flight);
            flight.Crash(e);
            NotFetched(call, e);
            throw;
        }

        _asyncFlights.Remove(flight);
    }

    private static MeasuredCall? BeginFetch(KeyFlight flight)
        => MeasuredCall.Begin("csfle.fetch_keys", CsfleTelemetry.KeyFetchDuration, new("medco.csfle.keys", flight.References.Count));

    private void NotFetched(MeasuredCall? call, Exception exception)
    {
        call?.Fail(exception);
        _logger.DataKeysNotLoaded(_store.Description, CsfleTelemetry.TypeOf(exception));
    }

    private static void Release(Span<DataKey> keys)
    {
        foreach (ref var key in keys)
        {
            key?.Release();
            key = null!;
        }
    }

    /// <summary>Unwraps a key; the caller zeroes it.</summary>
    internal byte[] Unwrap(DataKeyDocument document, CancellationToken cancellationToken)
    {
        var service = RequireService(document.Provider, document.Id);
        try
        {
            return service.Unwrap(document.MasterKey, document.KeyMaterial, cancellationToken);
        }
        catch (Exception e) when (IsNotUnwrapped(e))
        {
            throw NotUnwrapped(document, e);
        }
    }

    /// <inheritdoc cref="Unwrap"/>
    internal async ValueTask<byte[]> UnwrapAsync(DataKeyDocument document, CancellationToken cancellationToken)
    {
        var service = RequireService(document.Provider, document.Id);
        try
        {
            return await service.UnwrapAsync(document.MasterKey, document.KeyMaterial, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsNotUnwrapped(e))
        {
            throw NotUnwrapped(document, e);
        }
    }

    // For the names in a message, which help who asked for a name: where they cannot be had, the message goes without.
    private IReadOnlyList<DataKeyDocument>? ListFor(KeyReference missing, CancellationToken cancellationToken)
    {
        if (missing.AltName is null) return [];
        try
        {
            return _store.List(MaxKeysListed + 1, cancellationToken);
        }
        catch (CsfleException)
        {
            return null;
        }
    }

    private async ValueTask<IReadOnlyList<DataKeyDocument>?> ListForAsync(KeyReference missing, CancellationToken cancellationToken)
    {
        if (missing.AltName is null) return [];
        try
        {
            return await _store.ListAsync(MaxKeysListed + 1, cancellationToken).ConfigureAwait(false);
        }
        catch (CsfleException)
        {
            return null;
        }
    }

    private DataKeyException NotFound(KeyReference missing, IReadOnlyList<DataKeyDocument>? listed)
    {
        var names = listed?.SelectMany(key => key.KeyAltNames).Take(MaxKeysListed).ToArray() ?? [];
        var content = listed switch
        {
            _ when missing.AltName is null => "",
            null => " What it holds cannot be listed.",
            [] => " It holds no data key at all.",
            _ when names.Length == 0 => " None of its data keys has a name.",
            _ => $" It has the names '{string.Join("', '", names)}'{(listed.Count > MaxKeysListed || listed.Sum(key => key.KeyAltNames.Count) > names.Length ? " and more" : "")}.",
        };
        return new DataKeyException(
            CsfleErrorCode.DataKeyNotFound,
            $"not all keys requested were satisfied: {_store.Description} holds no data key {missing}",
            $"Verify that the name or id and the key vault were correctly specified: the key vault may be empty or misnamed.{content} Create the data key only where nothing has been encrypted with it yet.",
            missing.AltName is null ? missing.Id : null,
            missing.AltName);
    }
}
