using System.Security.Cryptography;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// One fetch of keys that the cache did not have, without the I/O: who started it does the work, whoever needs one of its keys
/// meanwhile waits for it. It ends with all its keys in the cache, or with an error and none.
/// </summary>
internal sealed class KeyFlight
{
    private readonly DataKeyCache _cache;
    private readonly long _start;
    private readonly HashSet<KeyReference> _references = [];
    private readonly List<(DataKey Key, DataKeyDocument Document)> _unwrapped = [];
    private readonly Dictionary<KeyReference, DataKey> _keys = [];
    private readonly TaskCompletionSource _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public KeyFlight(DataKeyCache cache)
    {
        _cache = cache;
        _start = cache.Now;
    }

    /// <summary>What it fetches.</summary>
    public IReadOnlyCollection<KeyReference> References => _references;

    /// <summary>Completes, never with an error, when the fetch is over.</summary>
    public Task Landed => _landed.Task;

    /// <summary>Why it failed; null where it did not. To be read when it is over.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Adds a key to fetch, before the start.</summary>
    public void Add(in KeyReference reference) => _references.Add(reference);

    /// <summary>Takes what a KMS answered, and zeroes it.</summary>
    public void Add(DataKeyDocument document, byte[] material)
    {
        try
        {
            _unwrapped.Add((new DataKey(document.Id, material), document));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    /// <summary>Ends it: gives the one who started it a reference to every key it still lacks, and the keys to the cache.</summary>
    public void Land(ReadOnlySpan<KeyReference> references, Span<DataKey> keys)
    {
        foreach (var (key, document) in _unwrapped)
        {
            _keys.Add(KeyReference.ById(key.Id), key);
            foreach (var name in document.KeyAltNames) _keys.Add(KeyReference.ByName(name), key);
        }

        for (var i = 0; i < references.Length; i++)
        {
            if (keys[i] is null) keys[i] = Take(references[i])!;
        }

        while (_unwrapped.Count > 0)
        {
            var (key, document) = _unwrapped[^1];
            _unwrapped.RemoveAt(_unwrapped.Count - 1);
            _cache.Add(key, document.KeyAltNames, _start);
        }

        _landed.SetResult();
    }

    /// <summary>Ends it with an error.</summary>
    public void Crash(Exception error)
    {
        foreach (var (key, _) in _unwrapped) key.Dispose();
        _unwrapped.Clear();
        Error = error;
        _landed.TrySetResult();
    }

    /// <summary>A key of a flight that is over, with a reference for the caller; null where it has none, or has let it go already.</summary>
    public DataKey? Take(in KeyReference reference) => _keys.TryGetValue(reference, out var key) && key.TryAddReference() ? key : null;
}
