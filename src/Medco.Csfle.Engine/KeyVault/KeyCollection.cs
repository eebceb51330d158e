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

    private static DataKeyException Duplicate(DataKeyDocument key, string? name) => new(
        CsfleErrorCode.DuplicateDataKey,
        name is null ? $"the key vault already holds a data key {key.Id}" : $"the key alternate name '{name}' is already taken in the key vault",
        name is null ? "Use the data key that is there." : "Use the data key that has the name, or choose another name.",
        key.Id,
        name);
}
