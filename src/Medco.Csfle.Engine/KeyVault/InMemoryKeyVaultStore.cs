namespace Medco.Csfle.Engine.KeyVault;

/// <summary>Keeps data keys for as long as the process lives: for tests and demonstrations.</summary>
public sealed class InMemoryKeyVaultStore : IKeyVaultStore
{
    private KeyCollection _keys = KeyCollection.Empty;

    /// <inheritdoc/>
    public string Description => "the key vault in memory";

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> Find(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(keyAltNames);
        cancellationToken.ThrowIfCancellationRequested();
        return Volatile.Read(ref _keys).Find(ids, keyAltNames);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DataKeyDocument>> FindAsync(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<IReadOnlyList<DataKeyDocument>>(cancellationToken)
            : ValueTask.FromResult(Find(ids, keyAltNames, cancellationToken));

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> List(int limit = int.MaxValue, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        cancellationToken.ThrowIfCancellationRequested();
        return Volatile.Read(ref _keys).First(limit);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DataKeyDocument>> ListAsync(int limit = int.MaxValue, CancellationToken cancellationToken = default)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<IReadOnlyList<DataKeyDocument>>(cancellationToken)
            : ValueTask.FromResult(List(limit, cancellationToken));

    /// <inheritdoc/>
    public void Insert(DataKeyDocument key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        Change(keys => keys.Add(key), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask InsertAsync(DataKeyDocument key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        await ChangeAsync(keys => keys.Add(key), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void EnsureIndex(CancellationToken cancellationToken = default)
    {
        // Every change is checked against all keys: names are unique already.
    }

    /// <inheritdoc/>
    public ValueTask EnsureIndexAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> FindMatching(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Volatile.Read(ref _keys).Matching(KeyFilter.Parse(filter.Span));
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DataKeyDocument>> FindMatchingAsync(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<IReadOnlyList<DataKeyDocument>>(cancellationToken)
            : ValueTask.FromResult(FindMatching(filter, cancellationToken));

    /// <inheritdoc/>
    public DataKeyDocument? AddName(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        DataKeyDocument? before = null;
        Change(keys => keys.AddName(id, keyAltName, out before), cancellationToken);
        return before;
    }

    /// <inheritdoc/>
    public async ValueTask<DataKeyDocument?> AddNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        DataKeyDocument? before = null;
        await ChangeAsync(keys => keys.AddName(id, keyAltName, out before), cancellationToken).ConfigureAwait(false);
        return before;
    }

    /// <inheritdoc/>
    public DataKeyDocument? RemoveName(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        DataKeyDocument? before = null;
        Change(keys => keys.RemoveName(id, keyAltName, out before), cancellationToken);
        return before;
    }

    /// <inheritdoc/>
    public async ValueTask<DataKeyDocument?> RemoveNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        DataKeyDocument? before = null;
        await ChangeAsync(keys => keys.RemoveName(id, keyAltName, out before), cancellationToken).ConfigureAwait(false);
        return before;
    }

    /// <inheritdoc/>
    public bool Delete(Guid id, CancellationToken cancellationToken = default) => Change(keys => keys.Remove(id), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(Guid id, CancellationToken cancellationToken = default) => ChangeAsync(keys => keys.Remove(id), cancellationToken);

    /// <inheritdoc/>
    public RewrapResult Rewrap(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var matched = 0;
        Change(all => all.Rewrap(keys, now, out matched), cancellationToken);
        return new RewrapResult(matched, matched);
    }

    /// <inheritdoc/>
    public async ValueTask<RewrapResult> RewrapAsync(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var matched = 0;
        await ChangeAsync(all => all.Rewrap(keys, now, out matched), cancellationToken).ConfigureAwait(false);
        return new RewrapResult(matched, matched);
    }

    private bool Change(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var before = Volatile.Read(ref _keys);
        while (true)
        {
            var after = change(before);
            var seen = Interlocked.CompareExchange(ref _keys, after, before);
            if (ReferenceEquals(seen, before)) return !ReferenceEquals(after, before);
            before = seen;
        }
    }

    private ValueTask<bool> ChangeAsync(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<bool>(cancellationToken)
            : ValueTask.FromResult(Change(change, cancellationToken));
}
