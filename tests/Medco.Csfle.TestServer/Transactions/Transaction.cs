using System.Diagnostics;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Transactions;

/// <summary>Where a transaction stands.</summary>
internal enum TransactionState
{
    InProgress,
    Committed,
    Aborted,
}

/// <summary>
/// A multi-document transaction: it works on a copy of the catalog, made when it started, and notes what it changes there. Who
/// comes to a document second has a write conflict (manual, "In-progress Transactions and Write Conflicts").
/// </summary>
internal sealed class Transaction : Journal
{
    /// <summary>How long one may last (manual, <c>transactionLifetimeLimitSeconds</c>).</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    private readonly Catalog _committed;
    private readonly ICollection<Transaction> _open;
    private readonly Stopwatch _age = Stopwatch.StartNew();
    private readonly List<Change> _changes = [];
    private readonly HashSet<string> _created = [];
    private readonly HashSet<string> _used = [];
    private readonly Dictionary<Guid, SortedSet<Value>> _reserved = [];

    /// <summary>Starts one.</summary>
    /// <param name="number">Its number in its session.</param>
    /// <param name="session">The <c>lsid</c> of its session.</param>
    /// <param name="committed">What it sees, apart from its own changes.</param>
    /// <param name="open">The transactions in progress, which this one is from now on.</param>
    public Transaction(long number, Document session, Catalog committed, ICollection<Transaction> open)
    {
        (Number, Session, _committed, _open) = (number, session, committed, open);
        Catalog = committed.Copy(this);
        open.Add(this);
    }

    public long Number { get; }

    public Document Session { get; }

    public TransactionState State { get; private set; }

    /// <summary>What the transaction reads and writes.</summary>
    public Catalog Catalog { get; }

    public bool IsTooOld => _age.Elapsed > Lifetime;

    /// <summary>Notes that the transaction works on a collection, which then stays as it is until the end.</summary>
    public void Use(string fullName) => _used.Add(fullName);

    public bool Uses(Collection collection) => _used.Contains(collection.FullName);

    /// <summary>Whether the transaction has written a document, or where it would be.</summary>
    public bool Holds(Collection collection, Value id) => _reserved.TryGetValue(collection.Uuid, out var ids) && ids.Contains(id);

    /// <exception cref="ServerException">Somebody else has written the document since the transaction started.</exception>
    public override void Reserve(Collection collection, Value id)
    {
        if (_created.Contains(collection.FullName) || Holds(collection, id)) return;
        var committed = _committed.Find(collection.Database, collection.Name);
        var isFree = committed?.Uuid == collection.Uuid
            && ReferenceEquals(committed.FindById(id), collection.FindById(id))
            && !_open.Any(other => other.Holds(collection, id));
        if (!isFree) throw WriteConflict();

        if (!_reserved.TryGetValue(collection.Uuid, out var ids)) _reserved[collection.Uuid] = ids = new SortedSet<Value>(ValueOrder.Instance);
        ids.Add(id);
    }

    public override void Record(Change change)
    {
        if (change.Kind == ChangeKind.Create) _created.Add($"{change.Database}.{change.Collection}");
        _changes.Add(change);
    }

    /// <summary>Makes the changes everybody's.</summary>
    /// <returns>The changes.</returns>
    /// <exception cref="ServerException">Somebody else has taken a key or a name; the transaction is aborted.</exception>
    public IReadOnlyList<Change> Commit()
    {
        try
        {
            _committed.Apply(_changes);
        }
        catch (ServerException)
        {
            // Found only now, since only the _id of a document is reserved.
            Abort();
            throw WriteConflict();
        }

        End(TransactionState.Committed);
        return _changes;
    }

    /// <summary>Forgets the changes.</summary>
    public void Abort()
    {
        if (State == TransactionState.InProgress) End(TransactionState.Aborted);
    }

    private void End(TransactionState state)
    {
        State = state;
        _open.Remove(this);
    }

    private static ServerException WriteConflict()
        => new(ErrorCode.WriteConflict, "WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.");
}
