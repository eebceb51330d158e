using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Unwrapped data keys by id and by alternate name, each for a limited time and at most so many. Reading takes no lock and
/// allocates nothing.
/// </summary>
/// <remarks>
/// The cache holds one reference to every key; whoever takes a key out holds another. So a key that expires, is pushed out or
/// goes with the cache is zeroed when its last user has released it. Expired keys are zeroed when the next one is added.
/// As in libmongocrypt, a key that comes in replaces every older one that shares its id or a name with it.
/// </remarks>
internal sealed class DataKeyCache : IDisposable
{
    /// <summary>The most keys kept: far more than collections have, few enough that their cipher states fit into memory.</summary>
    public const int DefaultCapacity = 4096;

    private readonly TimeProvider _time;
    private readonly TimeSpan _expiration;
    private readonly int _capacity;
    private readonly ConcurrentDictionary<Guid, Entry> _byId = new();
    private readonly ConcurrentDictionary<string, Entry> _byName = new(StringComparer.Ordinal);

    // Guarded by itself, as is every change to the two above. Oldest first, so that what expires first stands first.
    private readonly LinkedList<Entry> _byAge = new();
    private bool _disposed;

    public DataKeyCache(TimeProvider time, TimeSpan expiration, int capacity = DefaultCapacity)
    {
        _time = time;
        _expiration = expiration;
        _capacity = capacity;
    }

    /// <summary>How many keys are held, expired ones included.</summary>
    public int Count => _byId.Count;

    /// <summary>Takes a key out for use; the caller releases it.</summary>
    /// <param name="reference">The key by id or name.</param>
    /// <param name="now">The timestamp of <see cref="Now"/>.</param>
    /// <param name="key">The key.</param>
    /// <returns>False when the key is not there or has expired.</returns>
    public bool TryAcquire(in KeyReference reference, long now, [NotNullWhen(true)] out DataKey? key)
    {
        var found = reference.AltName is { } name ? _byName.TryGetValue(name, out var entry) : _byId.TryGetValue(reference.Id, out entry);
        if (found && !HasExpired(entry!, now) && entry!.Key.TryAddReference())
        {
            key = entry.Key;
            return true;
        }

        key = null;
        return false;
    }

    /// <summary>The time to pass to <see cref="TryAcquire"/>.</summary>
    public long Now => _time.GetTimestamp();

    /// <summary>Adds a key and takes over the caller's reference to it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="names">All its alternate names.</param>
    /// <param name="fetched">The <see cref="Now"/> before the key was looked up: what it expires from.</param>
    /// <exception cref="ObjectDisposedException">The cache is disposed; so is the key then.</exception>
    public void Add(DataKey key, IReadOnlyList<string> names, long fetched)
    {
        lock (_byAge)
        {
            if (_disposed)
            {
                key.Dispose();
                throw new ObjectDisposedException(nameof(KeyVaultService));
            }

            if (_byId.TryGetValue(key.Id, out var same)) Remove(same);
            foreach (var name in names)
            {
                if (_byName.TryGetValue(name, out var namesake)) Remove(namesake);
            }

            var now = Now;
            while (_byAge.First is { } oldest && (_byAge.Count >= _capacity || HasExpired(oldest.Value, now))) Remove(oldest.Value);

            var entry = new Entry(key, names, fetched);
            _byAge.AddLast(entry.Node);
            foreach (var name in names) _byName[name] = entry;
            _byId[key.Id] = entry;
        }
    }

    /// <summary>Lets a key go, where it is there.</summary>
    public void Remove(Guid id)
    {
        lock (_byAge)
        {
            if (_byId.TryGetValue(id, out var entry)) Remove(entry);
        }
    }

    /// <summary>Lets every key go.</summary>
    public void Dispose()
    {
        lock (_byAge)
        {
            _disposed = true;
            while (_byAge.First is { } oldest) Remove(oldest.Value);
        }
    }

    // A key from the future is one whose clock was set back, as when a machine goes on from a snapshot: how old it is, nobody knows.
    private bool HasExpired(Entry entry, long now)
        => _expiration > TimeSpan.Zero && (now < entry.Fetched || _time.GetElapsedTime(entry.Fetched, now) >= _expiration);

    private void Remove(Entry entry)
    {
        _byAge.Remove(entry.Node);
        _byId.TryRemove(entry.Key.Id, out _);
        foreach (var name in entry.Names) _byName.TryRemove(name, out _);
        entry.Key.Dispose();
    }

    private sealed class Entry
    {
        public Entry(DataKey key, IReadOnlyList<string> names, long fetched)
        {
            Key = key;
            Names = names;
            Fetched = fetched;
            Node = new LinkedListNode<Entry>(this);
        }

        public DataKey Key { get; }

        public IReadOnlyList<string> Names { get; }

        public long Fetched { get; }

        public LinkedListNode<Entry> Node { get; }
    }
}
