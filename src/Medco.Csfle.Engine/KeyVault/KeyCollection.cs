namespace Medco.Csfle.Engine.KeyVault;

/// <summary>An unchangeable set of data keys in which every id and every alternate name occurs once: a key vault's content.</summary>
internal sealed class KeyCollection
{
    /// <summary>No keys.</summary>
    public static readonly KeyCollection Empty = new([]);

    private KeyCollection(IReadOnlyList<DataKeyDocument> keys) => Keys = keys;

    /// <summary>The keys in the order they were added.</summary>
    public IReadOnlyList<DataKeyDocument> Keys { get; }

    /// <summary>These keys.</summary>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: an id or a name occurs twice.</exception>
    public static KeyCollection Of(IReadOnlyList<DataKeyDocument> keys)
    {
        var ids = new HashSet<Guid>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (!ids.Add(key.Id)) throw Duplicate(key, null);
            foreach (var name in key.KeyAltNames)
            {
                if (!names.Add(name)) throw Duplicate(key, name);
            }
        }

        return new KeyCollection(keys);
    }

    /// <summary>These keys and one more.</summary>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: its id or a name of it is taken.</exception>
    public KeyCollection Add(DataKeyDocument key) => Of([.. Keys, key]);

    /// <summary>The keys that have one of the ids or one of the names.</summary>
    public IReadOnlyList<DataKeyDocument> Find(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> names)
    {
        var wantedIds = new HashSet<Guid>(ids);
        var wantedNames = new HashSet<string>(names, StringComparer.Ordinal);
        return [.. Keys.Where(key => wantedIds.Contains(key.Id) || key.KeyAltNames.Any(wantedNames.Contains))];
    }

    /// <summary>The first keys.</summary>
    public IReadOnlyList<DataKeyDocument> First(int limit) => limit >= Keys.Count ? Keys : [.. Keys.Take(limit)];

    /// <summary>The keys that a filter chooses.</summary>
    public IReadOnlyList<DataKeyDocument> Matching(KeyFilter filter) => [.. Keys.Where(filter.Matches)];

    /// <summary>These keys, one of them with a further name; the very same where nothing changes.</summary>
    /// <param name="id">The key.</param>
    /// <param name="name">The name.</param>
    /// <param name="before">The key as it was; null where there is none.</param>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: another key has the name.</exception>
    public KeyCollection AddName(Guid id, string name, out DataKeyDocument? before)
    {
        before = Keys.FirstOrDefault(key => key.Id == id);
        return before is null || before.KeyAltNames.Contains(name) ? this : Replace(before.WithNames([.. before.KeyAltNames, name]));
    }

    /// <summary>These keys, one of them without a name; the very same where nothing changes.</summary>
    /// <param name="id">The key.</param>
    /// <param name="name">The name.</param>
    /// <param name="before">The key as it was; null where there is none.</param>
    public KeyCollection RemoveName(Guid id, string name, out DataKeyDocument? before)
    {
        before = Keys.FirstOrDefault(key => key.Id == id);
        return before is null || !before.KeyAltNames.Contains(name) ? this : Replace(before.WithNames([.. before.KeyAltNames.Where(other => other != name)]));
    }

    /// <summary>All but one; the very same where it is not there.</summary>
    public KeyCollection Remove(Guid id)
    {
        DataKeyDocument[] others = [.. Keys.Where(key => key.Id != id)];
        return others.Length == Keys.Count ? this : new KeyCollection(others);
    }

    /// <summary>These keys, some of them wrapped anew; the very same where none of them is there.</summary>
    public KeyCollection Rewrap(IReadOnlyList<RewrappedKey> rewrapped, DateTimeOffset now, out int matched)
    {
        var byId = rewrapped.ToDictionary(key => key.Id);
        matched = Keys.Count(key => byId.ContainsKey(key.Id));
        return matched == 0 ? this : new KeyCollection([.. Keys.Select(key => byId.TryGetValue(key.Id, out var change) ? key.With(change, now) : key)]);
    }

    private KeyCollection Replace(DataKeyDocument changed) => Of([.. Keys.Select(key => key.Id == changed.Id ? changed : key)]);

    private static DataKeyException Duplicate(DataKeyDocument key, string? name) => new(
        CsfleErrorCode.DuplicateDataKey,
        name is null ? $"the key vault already holds a data key {key.Id}" : $"the key alternate name '{name}' is already taken in the key vault",
        name is null ? "Use the data key that is there." : "Use the data key that has the name, or choose another name.",
        key.Id,
        name);
}
