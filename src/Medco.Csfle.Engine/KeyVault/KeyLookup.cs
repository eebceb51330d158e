using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>One question to a key vault, for the keys that the cache did not have, and what its answer must be.</summary>
/// <remarks>The texts are libmongocrypt's (mongocrypt-key-broker.c), which official tests assert in part.</remarks>
internal sealed class KeyLookup
{
    private const string CheckVault = "Verify that the key vault was correctly specified";

    private readonly HashSet<Guid> _ids = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public KeyLookup(IEnumerable<KeyReference> references)
    {
        foreach (var reference in references)
        {
            if (reference.AltName is { } name)
            {
                _names.Add(name);
            }
            else
            {
                _ids.Add(reference.Id);
            }
        }
    }

    /// <summary>The ids asked for.</summary>
    public IReadOnlyCollection<Guid> Ids => _ids;

    /// <summary>The names asked for.</summary>
    public IReadOnlyCollection<string> Names => _names;

    /// <summary>Checks that the answer holds nothing twice and nothing that was not asked for.</summary>
    /// <returns>The first reference that it leaves open; null when it is complete.</returns>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: an id or a name occurs twice.</exception>
    /// <exception cref="KeyVaultException">A key was not asked for.</exception>
    public KeyReference? FindMissing(IReadOnlyList<DataKeyDocument> answer)
    {
        var ids = new HashSet<Guid>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in answer)
        {
            if (!ids.Add(key.Id)) throw Duplicate(key, null);
            foreach (var name in key.KeyAltNames)
            {
                if (!names.Add(name)) throw Duplicate(key, name);
            }

            if (!_ids.Contains(key.Id) && !key.KeyAltNames.Any(_names.Contains))
            {
                throw new KeyVaultException($"unexpected key returned, does not match any requests: data key {key.Id}", $"{CheckVault}, and that nothing changes it on the way.");
            }
        }

        foreach (var id in _ids)
        {
            if (!ids.Contains(id)) return KeyReference.ById(id);
        }

        foreach (var name in _names)
        {
            if (!names.Contains(name)) return KeyReference.ByName(name);
        }

        return null;
    }

    private static DataKeyException Duplicate(DataKeyDocument key, string? name) => new(
        CsfleErrorCode.DuplicateDataKey,
        $"keys returned have duplicate keyAltNames or _id: {(name is null ? key.Id.ToString() : $"'{name}'")}",
        "Remove the surplus name or key from the key vault, and create the unique index on keyAltNames.",
        key.Id,
        name);
}
