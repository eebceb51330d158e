using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Reading keys of a MongoDB key vault page by page, without the I/O: which command comes next, and what has been read so far.
/// </summary>
internal sealed class KeyPages
{
    /// <summary>The most keys of one page.</summary>
    public const int PageSize = 1000;

    // A server ends a batch early only where the next document would take it beyond 16 MiB. So a short page is the last one,
    // unless it is already so long that a single key, which has some hundred bytes and never 8 MiB, could have had no room.
    private const int LongestLastPage = 8 * 1024 * 1024;

    private static readonly byte[] Everything = [BsonLimits.MinLength, 0, 0, 0, 0];

    private readonly string _collection;
    private readonly byte[] _filter;
    private readonly int _limit;
    private readonly List<DataKeyDocument> _keys = [];
    private int _asked;
    private bool _isComplete;

    private KeyPages(string collection, byte[] filter, int limit)
    {
        _collection = collection;
        _filter = filter;
        _limit = limit;
        _isComplete = limit == 0;
    }

    /// <summary>The keys read so far, in the order of their ids.</summary>
    public IReadOnlyList<DataKeyDocument> Keys => _keys;

    /// <summary>The keys that have one of the ids or one of the names.</summary>
    public static KeyPages Matching(string collection, IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(names);

        // What has no UTF-8 form cannot be the name of a stored key.
        string[] storable = [.. names.Where(name => Utf8Text.IsWellFormed(name))];
        return new KeyPages(collection, KeyVaultCommands.Wanted(ids, storable), ids.Count + storable.Length == 0 ? 0 : int.MaxValue);
    }

    /// <summary>The first keys.</summary>
    public static KeyPages All(string collection, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        return new KeyPages(collection, Everything, limit);
    }

    /// <summary>The keys that a filter chooses.</summary>
    /// <exception cref="BsonFormatException">The filter is not BSON.</exception>
    public static KeyPages Matching(string collection, ReadOnlySpan<byte> filter)
    {
        BsonValidator.Validate(filter);
        return new KeyPages(collection, filter.ToArray(), int.MaxValue);
    }

    /// <summary>What to ask next; null when everything has been read.</summary>
    public byte[]? NextCommand()
    {
        if (_isComplete) return null;
        _asked = Math.Min(PageSize, _limit - _keys.Count);
        return KeyVaultCommands.Find(_collection, _filter, _keys.Count == 0 ? null : _keys[^1].Id, _asked);
    }

    /// <summary>Takes the answer to the last command.</summary>
    /// <param name="page">The keys in it.</param>
    /// <param name="length">The length of the answer in bytes.</param>
    public void Add(IReadOnlyList<DataKeyDocument> page, int length)
    {
        _keys.AddRange(page);
        _isComplete = page.Count == 0 || _keys.Count == _limit || (page.Count < _asked && length < LongestLastPage);
    }
}
