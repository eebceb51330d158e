namespace Medco.Csfle.Engine.KeyVault;

/// <summary>Keeps data keys for as long as the process lives: for tests and demonstrations.</summary>
public sealed class InMemoryKeyVaultStore : WholeKeyVaultStore
{
    private KeyCollection _keys = KeyCollection.Empty;

    /// <inheritdoc/>
    public override string Description => "the key vault in memory";

    private protected override KeyCollection Load() => Volatile.Read(ref _keys);

    private protected override bool Change(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken)
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

    private protected override ValueTask<bool> ChangeAsync(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<bool>(cancellationToken)
            : ValueTask.FromResult(Change(change, cancellationToken));
}
