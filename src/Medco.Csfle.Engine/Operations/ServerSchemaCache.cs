using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations;

/// <summary>
/// The encryption schemas that collections have on the server, asked for when a command first names them and kept for a while;
/// that a collection has none is kept as well. Errors are not.
/// </summary>
/// <remarks>
/// <para>While one caller asks for a namespace, the others who need it wait for that answer. Callers that wait on their thread
/// and asynchronous ones do not wait for each other: no thread waits for a continuation.</para>
/// <para>Who controls the server controls these schemas, and can take them away. A schema registered with the client cannot be
/// taken away.</para>
/// </remarks>
internal sealed class ServerSchemaCache
{
    /// <summary>How long an answer counts: as long as libmongocrypt's, so that all clients notice a change as soon.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(60);

    /// <summary>The most namespaces kept: far more than applications have collections.</summary>
    public const int DefaultCapacity = 10_000;

    private readonly IMongoCommandRunner _runner;
    private readonly TimeProvider _time;
    private readonly bool _usesSchemas;
    private readonly int _capacity;
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    // Guards what follows, and every change of the entries.
    private readonly object _gate = new();
    private readonly Dictionary<string, Flight> _waiting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Flight> _awaiting = new(StringComparer.Ordinal);
    private long _generation;

    /// <summary>An empty cache.</summary>
    /// <param name="runner">Asks the server; never through a client that encrypts.</param>
    /// <param name="time">The clock that answers age by.</param>
    /// <param name="usesSchemas">Whether what is found is encrypted along; else it is only to be told apart from what is not encrypted.</param>
    /// <param name="capacity">The most namespaces kept.</param>
    public ServerSchemaCache(IMongoCommandRunner runner, TimeProvider time, bool usesSchemas = true, int capacity = DefaultCapacity)
    {
        _runner = runner;
        _time = time;
        _usesSchemas = usesSchemas;
        _capacity = capacity;
    }

    /// <summary>How many namespaces are kept, old ones included.</summary>
    public int Count => _entries.Count;

    /// <summary>The schemas of namespaces: every one asked for is in the result, with null where the server has no schema.</summary>
    /// <exception cref="ServerSchemaException">The server cannot be asked, or its answer not understood.</exception>
    /// <exception cref="EncryptionSchemaException">A validator does not say clearly what is encrypted.</exception>
    /// <exception cref="QueryAnalysisException">A namespace is a view, or uses Queryable Encryption.</exception>
    public IReadOnlyDictionary<string, EncryptionSchema?> Find(IReadOnlyList<string> namespaces, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, EncryptionSchema?>(namespaces.Count, StringComparer.Ordinal);
        while (!TryFindKept(namespaces, found))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var search = Begin(namespaces, found, _waiting);
            try
            {
                foreach (var question in search.Questions) search.Answer(question, Run(question, cancellationToken));
            }
            catch (Exception e)
            {
                search.Fail(e);
                throw;
            }

            foreach (var flight in search.Joined)
            {
                flight.Landed.Wait(cancellationToken);
                flight.TakeInto(found);
            }
        }

        return found;
    }

    /// <inheritdoc cref="Find"/>
    public ValueTask<IReadOnlyDictionary<string, EncryptionSchema?>> FindAsync(IReadOnlyList<string> namespaces, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, EncryptionSchema?>(namespaces.Count, StringComparer.Ordinal);
        return TryFindKept(namespaces, found)
            ? ValueTask.FromResult<IReadOnlyDictionary<string, EncryptionSchema?>>(found)
            : FindMissingAsync(namespaces, found, cancellationToken);
    }

    /// <summary>Forgets every answer, those under way included: collections are about to change.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _generation++;
            _entries.Clear();
            _waiting.Clear();
            _awaiting.Clear();
        }
    }

    private async ValueTask<IReadOnlyDictionary<string, EncryptionSchema?>> FindMissingAsync(
        IReadOnlyList<string> namespaces, Dictionary<string, EncryptionSchema?> found, CancellationToken cancellationToken)
    {
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            var search = Begin(namespaces, found, _awaiting);
            try
            {
                foreach (var question in search.Questions)
                {
                    search.Answer(question, await RunAsync(question, cancellationToken).ConfigureAwait(false));
                }
            }
            catch (Exception e)
            {
                search.Fail(e);
                throw;
            }

            foreach (var flight in search.Joined)
            {
                await flight.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);
                flight.TakeInto(found);
            }
        }
        while (!TryFindKept(namespaces, found));

        return found;
    }

    private byte[] Run(CollectionInfos question, CancellationToken cancellationToken)
    {
        try
        {
            return _runner.RunCommand(question.Database, question.ToCommand(), cancellationToken);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw question.NoAnswer(e);
        }
    }

    private async ValueTask<byte[]> RunAsync(CollectionInfos question, CancellationToken cancellationToken)
    {
        try
        {
            return await _runner.RunCommandAsync(question.Database, question.ToCommand(), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw question.NoAnswer(e);
        }
    }

    // What is found stays found, however old it gets while the rest is being asked for: otherwise a slow server would never
    // let a command with many namespaces come to an end.
    private bool TryFindKept(IReadOnlyList<string> namespaces, Dictionary<string, EncryptionSchema?> found)
    {
        foreach (var name in namespaces)
        {
            if (!found.ContainsKey(name) && _entries.TryGetValue(name, out var entry) && !HasExpired(entry, _time.GetTimestamp())) found.Add(name, entry.Schema);
        }

        return found.Count == namespaces.Count;
    }

    private Search Begin(IReadOnlyList<string> namespaces, Dictionary<string, EncryptionSchema?> found, Dictionary<string, Flight> flights)
    {
        var search = new Search(this, found, flights);
        lock (_gate)
        {
            foreach (var name in namespaces)
            {
                if (found.ContainsKey(name)) continue;
                if (flights.TryGetValue(name, out var flight))
                {
                    search.Joined.Add(flight);
                    continue;
                }

                flight = new Flight(name, _generation, _time.GetTimestamp());
                flights.Add(name, flight);
                search.Own.Add(flight);
            }
        }

        return search;
    }

    // An answer from the future is one whose clock was set back, as when a machine goes on from a snapshot.
    private bool HasExpired(in Entry entry, long now) => now < entry.Asked || _time.GetElapsedTime(entry.Asked, now) >= TimeToLive;

    private void Keep(Flight flight, EncryptionSchema? schema)
    {
        if (flight.Generation != _generation) return;
        if (_entries.Count >= _capacity && !_entries.ContainsKey(flight.Name)) MakeRoom();
        _entries[flight.Name] = new Entry(schema, flight.Asked);
    }

    private void MakeRoom()
    {
        var now = _time.GetTimestamp();
        foreach (var (name, entry) in _entries)
        {
            if (HasExpired(entry, now)) _entries.TryRemove(name, out _);
        }

        if (_entries.Count >= _capacity) _entries.TryRemove(_entries.MinBy(entry => entry.Value.Asked).Key, out _);
    }

    private readonly record struct Entry(EncryptionSchema? Schema, long Asked);

    /// <summary>One caller's round: the namespaces it asks the server for, and those that somebody else is asking for.</summary>
    private sealed class Search(ServerSchemaCache cache, Dictionary<string, EncryptionSchema?> found, Dictionary<string, Flight> flights)
    {
        public List<Flight> Own { get; } = [];

        public List<Flight> Joined { get; } = [];

        /// <summary>One for every database.</summary>
        public IEnumerable<CollectionInfos> Questions
            => Own.Select(flight => MongoNamespace.Split(flight.Name))
                .GroupBy(name => name.Database, name => name.Collection, StringComparer.Ordinal)
                .Select(group => new CollectionInfos(group.Key, group, cache._usesSchemas))
                .ToArray();

        public void Answer(CollectionInfos question, byte[] reply)
        {
            foreach (var (collection, schema) in question.Read(reply))
            {
                var flight = Own.Find(candidate => candidate.Name == $"{question.Database}.{collection}")!;
                lock (cache._gate)
                {
                    cache.Keep(flight, schema);
                    End(flight);
                }

                found.Add(flight.Name, schema);
                flight.Land(schema);
            }
        }

        /// <summary>
        /// Tells those who wait for what was not answered. That this caller gave up is no reason for them to do so, nor is an
        /// error where it asked for several namespaces: it may be due to one that they do not need.
        /// </summary>
        public void Fail(Exception exception)
        {
            lock (cache._gate)
            {
                foreach (var flight in Own) End(flight);
            }

            var shared = exception is OperationCanceledException || Own.Count > 1 ? null : exception;
            foreach (var flight in Own) flight.Fail(shared);
        }

        private void End(Flight flight)
        {
            // After a change of schemas somebody else may already be asking anew.
            if (flights.GetValueOrDefault(flight.Name) == flight) flights.Remove(flight.Name);
        }
    }

    /// <summary>A question about one namespace that is under way.</summary>
    private sealed class Flight(string name, long generation, long asked)
    {
        // Completed once, by the caller that asks, and never faulted: what came out stands in the two fields.
        private readonly TaskCompletionSource _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private EncryptionSchema? _schema;
        private Exception? _error;
        private bool _isAnswered;

        public string Name => name;

        public long Generation => generation;

        public long Asked => asked;

        public Task Landed => _landed.Task;

        public void Land(EncryptionSchema? schema)
        {
            _schema = schema;
            _isAnswered = true;
            _landed.SetResult();
        }

        /// <summary>Ends without an answer, unless it has one.</summary>
        /// <param name="error">What went wrong; null where that need not concern those who wait, who then ask themselves.</param>
        public void Fail(Exception? error)
        {
            if (_landed.Task.IsCompleted) return;
            _error = error;
            _landed.SetResult();
        }

        /// <summary>Adds the answer; nothing where there is none, so that it has to be asked for again.</summary>
        public void TakeInto(Dictionary<string, EncryptionSchema?> found)
        {
            if (_error is not null) ExceptionDispatchInfo.Throw(_error);
            if (_isAnswered) found[name] = _schema;
        }
    }
}
