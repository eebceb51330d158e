using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>A store that stops working at one of its operations, before it has an effect or behind it: as when a process ends there.</summary>
/// <param name="inner">The store that keeps the keys.</param>
/// <param name="failAt">Which operation fails, counted from 0.</param>
/// <param name="afterwards">Whether it has its effect.</param>
internal sealed class FaultyKeyVaultStore(IKeyVaultStore inner, int failAt, bool afterwards) : IKeyVaultStore
{
    private int _operations;

    public string Description => inner.Description;

    /// <summary>Whether the fault has come to pass.</summary>
    public bool HasFailed => _operations > failAt;

    public IReadOnlyList<DataKeyDocument> Find(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
        => Do(() => inner.Find(ids, keyAltNames, cancellationToken));

    public ValueTask<IReadOnlyList<DataKeyDocument>> FindAsync(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(Find(ids, keyAltNames, cancellationToken));

    public IReadOnlyList<DataKeyDocument> List(int limit = int.MaxValue, CancellationToken cancellationToken = default) => Do(() => inner.List(limit, cancellationToken));

    public ValueTask<IReadOnlyList<DataKeyDocument>> ListAsync(int limit = int.MaxValue, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(List(limit, cancellationToken));

    public void Insert(DataKeyDocument key, CancellationToken cancellationToken = default) => Do(() =>
    {
        inner.Insert(key, cancellationToken);
        return true;
    });

    public ValueTask InsertAsync(DataKeyDocument key, CancellationToken cancellationToken = default)
    {
        Insert(key, cancellationToken);
        return ValueTask.CompletedTask;
    }

    public void EnsureIndex(CancellationToken cancellationToken = default) => inner.EnsureIndex(cancellationToken);

    public ValueTask EnsureIndexAsync(CancellationToken cancellationToken = default) => inner.EnsureIndexAsync(cancellationToken);

    public IReadOnlyList<DataKeyDocument> FindMatching(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
        => Do(() => inner.FindMatching(filter, cancellationToken));

    public ValueTask<IReadOnlyList<DataKeyDocument>> FindMatchingAsync(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(FindMatching(filter, cancellationToken));

    public DataKeyDocument? AddName(Guid id, string keyAltName, CancellationToken cancellationToken = default) => Do(() => inner.AddName(id, keyAltName, cancellationToken));

    public ValueTask<DataKeyDocument?> AddNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(AddName(id, keyAltName, cancellationToken));

    public DataKeyDocument? RemoveName(Guid id, string keyAltName, CancellationToken cancellationToken = default) => Do(() => inner.RemoveName(id, keyAltName, cancellationToken));

    public ValueTask<DataKeyDocument?> RemoveNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(RemoveName(id, keyAltName, cancellationToken));

    public bool Delete(Guid id, CancellationToken cancellationToken = default) => Do(() => inner.Delete(id, cancellationToken));

    public ValueTask<bool> DeleteAsync(Guid id, CancellationToken cancellationToken = default) => ValueTask.FromResult(Delete(id, cancellationToken));

    /// <summary>One operation for every key, since a server may stop in the middle.</summary>
    public RewrapResult Rewrap(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        foreach (var key in keys) Do(() => inner.Rewrap([key], now, cancellationToken));
        return new RewrapResult(keys.Count, keys.Count);
    }

    public ValueTask<RewrapResult> RewrapAsync(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(Rewrap(keys, now, cancellationToken));

    private T Do<T>(Func<T> operation)
    {
        var fails = _operations++ == failAt;
        if (fails && !afterwards) throw new StoppedException();
        var result = operation();
        return fails ? throw new StoppedException() : result;
    }
}

/// <summary>The process ended here.</summary>
internal sealed class StoppedException : Exception;
