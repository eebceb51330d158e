using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>A store that answers as a test wants, and counts how often it is asked.</summary>
internal sealed class ScriptedKeyVaultStore : IKeyVaultStore
{
    private int _finds;

    public Func<IReadOnlyList<DataKeyDocument>> OnFind { get; set; } = () => [];

    public Func<IReadOnlyList<DataKeyDocument>> OnList { get; set; } = () => [];

    public List<DataKeyDocument> Inserted { get; } = [];

    public int Finds => _finds;

    public string Description => "the scripted key vault";

    public IReadOnlyList<DataKeyDocument> Find(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _finds);
        return OnFind();
    }

    public async ValueTask<IReadOnlyList<DataKeyDocument>> FindAsync(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return Find(ids, keyAltNames, cancellationToken);
    }

    public IReadOnlyList<DataKeyDocument> List(int limit = int.MaxValue, CancellationToken cancellationToken = default) => [.. OnList().Take(limit)];

    public async ValueTask<IReadOnlyList<DataKeyDocument>> ListAsync(int limit = int.MaxValue, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return List(limit, cancellationToken);
    }

    public void Insert(DataKeyDocument key, CancellationToken cancellationToken = default) => Inserted.Add(key);

    public async ValueTask InsertAsync(DataKeyDocument key, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        Insert(key, cancellationToken);
    }

    public void EnsureIndex(CancellationToken cancellationToken = default)
    {
    }

    public ValueTask EnsureIndexAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public IReadOnlyList<DataKeyDocument> FindMatching(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _finds);
        var parsed = KeyFilter.Parse(filter.Span);
        return [.. OnFind().Where(parsed.Matches)];
    }

    public async ValueTask<IReadOnlyList<DataKeyDocument>> FindMatchingAsync(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return FindMatching(filter, cancellationToken);
    }

    public DataKeyDocument? AddName(Guid id, string keyAltName, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<DataKeyDocument?> AddNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public DataKeyDocument? RemoveName(Guid id, string keyAltName, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<DataKeyDocument?> RemoveNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public bool Delete(Guid id, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<bool> DeleteAsync(Guid id, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public RewrapResult Rewrap(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<RewrapResult> RewrapAsync(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
