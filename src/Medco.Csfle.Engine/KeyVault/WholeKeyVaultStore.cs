namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// A key vault whose whole content is read at once, in memory or in a file: every change is checked against all keys, so that
/// ids and names are unique without an index.
/// </summary>
public abstract class WholeKeyVaultStore : IKeyVaultStore
{
    private protected WholeKeyVaultStore()
    {
    }

    /// <inheritdoc/>
    public abstract string Description { get; }

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> Find(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(keyAltNames);
        cancellationToken.ThrowIfCancellationRequested();
        return Load().Find(ids, keyAltNames);
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
        return Load().First(limit);
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
        // Names are unique already.
    }

    /// <inheritdoc/>
    public ValueTask EnsureIndexAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> FindMatching(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Load().Matching(KeyFilter.Parse(filter.Span));
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

    /// <summary>What the key vault holds now.</summary>
    private protected abstract KeyCollection Load();

    /// <summary>Puts other content in its place, unless the change gives back the very same.</summary>
    /// <param name="change">Makes the new content of the old one; may be called more than once.</param>
    /// <param name="cancellationToken">Gives up waiting for others who change it.</param>
    /// <returns>Whether anything was changed.</returns>
    private protected abstract bool Change(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken);

    /// <inheritdoc cref="Change"/>
    private protected abstract ValueTask<bool> ChangeAsync(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken);
}
