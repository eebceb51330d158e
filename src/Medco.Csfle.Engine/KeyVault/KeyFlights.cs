using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// The fetches of keys that are under way, so that many who need a key at once ask the key vault and the KMS once. Synchronous
/// and asynchronous callers have one instance each: neither waits for the other kind.
/// </summary>
internal sealed class KeyFlights(DataKeyCache cache)
{
    // Whoever waited so often for others in vain, because they gave up or asked for too much, goes alone.
    private const int MostWaits = 3;

    private readonly ConcurrentDictionary<KeyReference, KeyFlight> _flying = new();

    /// <summary>Decides for every key that a caller lacks whether it fetches it or waits for somebody who does.</summary>
    /// <param name="references">The keys.</param>
    /// <param name="keys">Those it has; what has come into the cache meanwhile is added.</param>
    /// <param name="attempt">How often it has waited for others already.</param>
    public Boarding Board(ReadOnlySpan<KeyReference> references, Span<DataKey> keys, int attempt)
    {
        var own = new KeyFlight(cache);
        var joined = new HashSet<KeyFlight>();
        var wanted = new HashSet<KeyReference>();
        for (var i = 0; i < references.Length; i++)
        {
            if (keys[i] is not null) continue;
            var flight = attempt < MostWaits ? _flying.GetOrAdd(references[i], own) : own;
            if (!ReferenceEquals(flight, own))
            {
                wanted.Add(references[i]);
                joined.Add(flight);
            }
            else if (cache.TryAcquire(references[i], cache.Now, out var key))
            {
                // Another flight landed between the first look into the cache and this one.
                keys[i] = key;
                if (!own.References.Contains(references[i])) Forget(references[i], own);
            }
            else
            {
                wanted.Add(references[i]);
                own.Add(references[i]);
            }
        }

        // Somebody may have joined it before everything came from the cache.
        if (own.References.Count == 0) own.Land([], []);
        return new Boarding(own, joined, wanted);
    }

    /// <summary>Takes a flight that is over off the board.</summary>
    public void Remove(KeyFlight flight)
    {
        foreach (var reference in flight.References) Forget(reference, flight);
    }

    private void Forget(in KeyReference reference, KeyFlight flight) => _flying.TryRemove(KeyValuePair.Create(reference, flight));

    /// <summary>What one caller does for its keys.</summary>
    /// <param name="Own">The flight that it has to carry out, where it has references.</param>
    /// <param name="Joined">The flights of others that it waits for.</param>
    /// <param name="Wanted">The keys that it lacks.</param>
    public sealed record Boarding(KeyFlight Own, HashSet<KeyFlight> Joined, HashSet<KeyReference> Wanted)
    {
        /// <summary>Takes the keys of the flights that it waited for.</summary>
        /// <returns>Whether it has every key now; otherwise it boards again.</returns>
        /// <exception cref="CsfleException">A flight failed that fetched nothing but what this caller wants, too.</exception>
        public bool TryLeave(ReadOnlySpan<KeyReference> references, Span<DataKey> keys)
        {
            foreach (var flight in Joined)
            {
                if (flight.Error is { } error and not OperationCanceledException && flight.References.All(Wanted.Contains)) ExceptionDispatchInfo.Throw(error);
            }

            var isComplete = true;
            for (var i = 0; i < references.Length; i++)
            {
                if (keys[i] is not null) continue;
                foreach (var flight in Joined)
                {
                    if ((keys[i] = flight.Take(references[i])!) is not null) break;
                }

                isComplete &= keys[i] is not null;
            }

            return isComplete;
        }
    }
}
