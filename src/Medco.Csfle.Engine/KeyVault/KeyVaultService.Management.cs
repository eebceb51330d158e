using System.Security.Cryptography;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.KeyVault;

/// <content>What is done to keys that are there: list, name, delete, wrap anew.</content>
public sealed partial class KeyVaultService
{
    /// <summary>The keys that a filter chooses, as the key vault holds them.</summary>
    /// <param name="filter">See <see cref="IKeyVaultStore.FindMatching"/>; empty, or the empty document, for every key.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="KeyVaultException">The key vault cannot be read, or does not know something in the filter.</exception>
    /// <exception cref="BsonFormatException">The filter is not BSON.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: a document is no data key.</exception>
    public IReadOnlyList<DataKeyDocument> FindKeys(ReadOnlyMemory<byte> filter = default, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return filter.IsEmpty ? _store.List(int.MaxValue, cancellationToken) : _store.FindMatching(filter, cancellationToken);
    }

    /// <inheritdoc cref="FindKeys"/>
    public ValueTask<IReadOnlyList<DataKeyDocument>> FindKeysAsync(ReadOnlyMemory<byte> filter = default, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return filter.IsEmpty ? _store.ListAsync(int.MaxValue, cancellationToken) : _store.FindMatchingAsync(filter, cancellationToken);
    }

    /// <summary>
    /// Gives a key one more alternate name. In MongoDB, that another key has it is found only once the unique index is there
    /// (<see cref="IKeyVaultStore.EnsureIndex"/>).
    /// </summary>
    /// <param name="id">The key's UUID.</param>
    /// <param name="keyAltName">The name. One that the key has already stays as it is.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The key as it was before; null where there is none of that id.</returns>
    /// <exception cref="DataKeyException">
    /// <see cref="CsfleErrorCode.DuplicateDataKey"/>: another key has the name; <see cref="CsfleErrorCode.MalformedDataKey"/>: it
    /// cannot be a name. Nothing was changed.
    /// </exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written.</exception>
    public DataKeyDocument? AddKeyAltName(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        RequireName(keyAltName);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _store.AddName(id, keyAltName, cancellationToken);
    }

    /// <inheritdoc cref="AddKeyAltName"/>
    public ValueTask<DataKeyDocument?> AddKeyAltNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        RequireName(keyAltName);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _store.AddNameAsync(id, keyAltName, cancellationToken);
    }

    /// <summary>Takes an alternate name from a key. What was encrypted stays readable: ciphertexts carry the id.</summary>
    /// <param name="id">The key's UUID.</param>
    /// <param name="keyAltName">The name. With the last one goes the field.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The key as it was before, with the name or without; null where there is none of that id.</returns>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: it cannot be a name, or the document is no data key.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written.</exception>
    public DataKeyDocument? RemoveKeyAltName(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        RequireName(keyAltName);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var before = _store.RemoveName(id, keyAltName, cancellationToken);
        _cache.Remove(id);
        return before;
    }

    /// <inheritdoc cref="RemoveKeyAltName"/>
    public async ValueTask<DataKeyDocument?> RemoveKeyAltNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        RequireName(keyAltName);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var before = await _store.RemoveNameAsync(id, keyAltName, cancellationToken).ConfigureAwait(false);
        _cache.Remove(id);
        return before;
    }

    /// <summary>
    /// Deletes a key, here and in the memory of this instance; others use it until it expires there. What it encrypted cannot be
    /// read any more, unless the key is put back from a backup.
    /// </summary>
    /// <param name="id">The key's UUID.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written.</exception>
    public bool DeleteKey(Guid id, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var wasThere = _store.Delete(id, cancellationToken);
        _cache.Remove(id);
        return wasThere;
    }

    /// <inheritdoc cref="DeleteKey"/>
    public async ValueTask<bool> DeleteKeyAsync(Guid id, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var wasThere = await _store.DeleteAsync(id, cancellationToken).ConfigureAwait(false);
        _cache.Remove(id);
        return wasThere;
    }

    /// <summary>
    /// Wraps keys anew, with another master key or with the newest version of their own. The keys stay what they are, and so does
    /// everything they encrypted. All are unwrapped and wrapped before the first is written; the writing is not atomic, and may be
    /// done again. <see cref="RewrapJob"/> does the same with a plan, a backup and a check.
    /// </summary>
    /// <param name="filter">See <see cref="IKeyVaultStore.FindMatching"/>; the empty document for every key.</param>
    /// <param name="options">The new master key; unless told, each key's own.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>How many keys were found and changed. Nothing is written where the filter chooses none.</returns>
    /// <exception cref="DataKeyException">A key does not unwrap, or its KMS or the new one is not configured; nothing was written.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read or written, or does not know something in the filter.</exception>
    /// <exception cref="BsonFormatException">The filter is not BSON.</exception>
    public RewrapResult RewrapManyDataKey(ReadOnlyMemory<byte> filter, RewrapOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var target = RewrapTarget(options);
        var rewrapped = new List<RewrappedKey>();
        foreach (var key in _store.FindMatching(filter, cancellationToken)) rewrapped.Add(Rewrap(key, target, cancellationToken));
        return rewrapped.Count == 0 ? RewrapResult.None : _store.Rewrap(rewrapped, _time.GetUtcNow(), cancellationToken);
    }

    /// <inheritdoc cref="RewrapManyDataKey"/>
    public async ValueTask<RewrapResult> RewrapManyDataKeyAsync(ReadOnlyMemory<byte> filter, RewrapOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var target = RewrapTarget(options);
        var rewrapped = new List<RewrappedKey>();
        foreach (var key in await _store.FindMatchingAsync(filter, cancellationToken).ConfigureAwait(false))
        {
            rewrapped.Add(await RewrapAsync(key, target, cancellationToken).ConfigureAwait(false));
        }

        return rewrapped.Count == 0 ? RewrapResult.None : await _store.RewrapAsync(rewrapped, _time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The master key document to wrap with; null for each key's own.</summary>
    /// <exception cref="DataKeyException">The KMS is not configured, or the fields are not those of the provider.</exception>
    internal byte[]? RewrapTarget(RewrapOptions? options)
    {
        options ??= new RewrapOptions();
        if (options.Provider is { } provider)
        {
            RequireService(provider, null);
            return MasterKeyDocument.Create(provider, options.MasterKey.Span);
        }

        if (!options.MasterKey.IsEmpty) throw InvalidOption("a master key to rewrap with is given without the KMS provider that holds it", "Name the provider too, or neither.");
        return null;
    }

    /// <summary>Wraps a key anew, and makes sure that the new wrapping unwraps to the same key.</summary>
    /// <param name="document">The key.</param>
    /// <param name="target">The master key document; null for the key's own.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="DataKeyException">It does not unwrap, before or afterwards, or a KMS is not configured.</exception>
    internal RewrappedKey Rewrap(DataKeyDocument document, byte[]? target, CancellationToken cancellationToken)
    {
        var material = Unwrap(document, cancellationToken);
        byte[] again = [];
        try
        {
            var masterKey = target ?? document.MasterKey;
            var service = RequireService(target is null ? document.Provider : MasterKeyDocument.Validate(target), document.Id);
            var rewrapped = new RewrappedKey(document.Id, service.Wrap(masterKey, material, cancellationToken), masterKey);
            again = service.Unwrap(rewrapped.MasterKey, rewrapped.KeyMaterial, cancellationToken);
            return CryptographicOperations.FixedTimeEquals(material, again) ? rewrapped : throw WrongWrapping(document, service.Provider);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
            CryptographicOperations.ZeroMemory(again);
        }
    }

    /// <inheritdoc cref="Rewrap"/>
    internal async ValueTask<RewrappedKey> RewrapAsync(DataKeyDocument document, byte[]? target, CancellationToken cancellationToken)
    {
        var material = await UnwrapAsync(document, cancellationToken).ConfigureAwait(false);
        byte[] again = [];
        try
        {
            var masterKey = target ?? document.MasterKey;
            var service = RequireService(target is null ? document.Provider : MasterKeyDocument.Validate(target), document.Id);
            var rewrapped = new RewrappedKey(document.Id, await service.WrapAsync(masterKey, material, cancellationToken).ConfigureAwait(false), masterKey);
            again = await service.UnwrapAsync(rewrapped.MasterKey, rewrapped.KeyMaterial, cancellationToken).ConfigureAwait(false);
            return CryptographicOperations.FixedTimeEquals(material, again) ? rewrapped : throw WrongWrapping(document, service.Provider);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
            CryptographicOperations.ZeroMemory(again);
        }
    }

    private static DataKeyException WrongWrapping(DataKeyDocument document, string provider) => new(
        CsfleErrorCode.DataKeyNotUnwrapped,
        $"KMS provider `{provider}` wrapped {document} so that it does not unwrap to the same key",
        "Nothing was written. Check that the KMS is the right one, and that nothing changes its answers on the way.",
        document.Id);
}
