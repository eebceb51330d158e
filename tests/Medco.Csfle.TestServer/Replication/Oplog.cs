using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;

namespace Medco.Csfle.TestServer.Replication;

/// <summary>One change and its place among all.</summary>
/// <param name="ClusterTime">When it was committed: seconds since the Unix epoch in the upper half, an increment in the lower.</param>
/// <param name="Index">Its number among the changes of one transaction, which are committed at the same time.</param>
/// <param name="WallTime">When it was committed, in milliseconds since the Unix epoch.</param>
/// <param name="Change">What changed.</param>
/// <param name="Transaction">The transaction that changed it.</param>
internal sealed record OplogEntry(ulong ClusterTime, uint Index, long WallTime, Change Change, Transaction? Transaction);

/// <summary>All changes since the server started, in order, and the time that they define.</summary>
internal sealed class Oplog
{
    private readonly List<OplogEntry> _entries = [];

    /// <summary>The time before the first change.</summary>
    public ulong Start { get; } = (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds() << 32;

    /// <summary>The time of the last change.</summary>
    public ulong Now => _entries.Count == 0 ? Start : _entries[^1].ClusterTime;

    public int Count => _entries.Count;

    public OplogEntry this[int index] => _entries[index];

    /// <summary>Appends changes that are committed at once.</summary>
    public void Append(IReadOnlyList<Change> changes, Transaction? transaction)
    {
        var now = DateTimeOffset.UtcNow;
        var clusterTime = Math.Max(Now + 1, (ulong)now.ToUnixTimeSeconds() << 32);
        for (var i = 0; i < changes.Count; i++) _entries.Add(new OplogEntry(clusterTime, (uint)i, now.ToUnixTimeMilliseconds(), changes[i], transaction));
    }

    /// <summary>The number of the first entry at or behind a place.</summary>
    public int Find(ulong clusterTime, uint index)
    {
        var (low, high) = (0, _entries.Count);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var entry = _entries[middle];
            if ((entry.ClusterTime, entry.Index).CompareTo((clusterTime, index)) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
