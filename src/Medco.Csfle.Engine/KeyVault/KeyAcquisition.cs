using System.Security.Cryptography;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Getting the keys that the cache did not have, without the I/O: what is asked for, which keys have been unwrapped so far, and
/// the end, in which the caller has a reference to every key and the cache has them all, or nobody has any.
/// </summary>
internal sealed class KeyAcquisition
{
    private readonly DataKeyCache _cache;
    private readonly long _start;
    private readonly List<(DataKey Key, DataKeyDocument Document)> _unwrapped = [];

    /// <summary>Starts with what the cache gave: a key, or null where it had none.</summary>
    public KeyAcquisition(DataKeyCache cache, ReadOnlySpan<KeyReference> references, ReadOnlySpan<DataKey?> keys)
    {
        _cache = cache;
        _start = cache.Now;
        Lookup = new KeyLookup(references, keys);
    }

    /// <summary>What to ask the key vault for.</summary>
    public KeyLookup Lookup { get; }

    /// <summary>Takes what a KMS answered, and zeroes it.</summary>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DataKeyNotUnwrapped"/>: it has not the length of a data key.</exception>
    public void Add(DataKeyDocument document, byte[] material)
    {
        try
        {
            if (material.Length != AeadKey.KeyLength)
            {
                throw new DataKeyException(
                    CsfleErrorCode.DataKeyNotUnwrapped,
                    $"KMS provider `{document.Provider}` unwrapped {document} to {material.Length} bytes, not {AeadKey.KeyLength}",
                    "Restore the data key from a backup, and check that the KMS is the right one.",
                    document.Id);
            }

            _unwrapped.Add((new DataKey(document.Id, material), document));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    /// <summary>Gives the caller a reference to every key it still lacks, and the keys to the cache.</summary>
    public void Complete(ReadOnlySpan<KeyReference> references, Span<DataKey> keys)
    {
        var found = new Dictionary<KeyReference, DataKey>();
        foreach (var (key, document) in _unwrapped)
        {
            found.Add(KeyReference.ById(key.Id), key);
            foreach (var name in document.KeyAltNames) found.Add(KeyReference.ByName(name), key);
        }

        for (var i = 0; i < references.Length; i++)
        {
            if (keys[i] is not null) continue;
            var key = found[references[i]];
            key.TryAddReference();
            keys[i] = key;
        }

        while (_unwrapped.Count > 0)
        {
            var (key, document) = _unwrapped[^1];
            _unwrapped.RemoveAt(_unwrapped.Count - 1);
            _cache.Add(key, document.KeyAltNames, _start);
        }
    }

    /// <summary>Releases everything, the keys that came from the cache included.</summary>
    public void Abandon(Span<DataKey> keys)
    {
        foreach (ref var key in keys)
        {
            key?.Release();
            key = null!;
        }

        foreach (var (key, _) in _unwrapped) key.Dispose();
        _unwrapped.Clear();
    }
}
