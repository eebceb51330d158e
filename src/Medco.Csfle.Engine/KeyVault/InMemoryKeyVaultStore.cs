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
        cancellationToken.ThrowIfCancellationRequested();
        var before = Volatile.Read(ref _keys);
        while (true)
        {
            var seen = Interlocked.CompareExchange(ref _keys, before.Add(key), before);
            if (ReferenceEquals(seen, before)) return;
            before = seen;
        }
    }

    /// <inheritdoc/>
    public ValueTask InsertAsync(DataKeyDocument key, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        Insert(key, cancellationToken);
        return ValueTask.CompletedTask;
    }
}
