using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Replication;

/// <summary>A replica set of one member: what it has beyond a standalone, which is a log of all changes, and sessions.</summary>
internal sealed class ReplicaSet : Journal
{
    private readonly List<Transaction> _open = [];

    /// <summary>A set.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="address">Host and port of its member.</param>
    public ReplicaSet(string name, string address)
    {
        (Name, Address) = (name, address);
        Catalog = new Catalog(this);
        Sessions = new SessionTable(Catalog, _open);
    }

    public string Name { get; }

    public string Address { get; }

    /// <summary>What is committed.</summary>
    public Catalog Catalog { get; }

    public Oplog Oplog { get; } = new();

    public SessionTable Sessions { get; }

    /// <summary>Writes the times that every reply of a member of a replica set tells.</summary>
    public void WriteTimes(BsonWriter reply)
    {
        var now = unchecked((long)Oplog.Now);
        reply.StartDocument("$clusterTime"u8);
        reply.WriteInt64("clusterTime"u8, now, BsonType.Timestamp);
        reply.StartDocument("signature"u8);

        // What a server without authentication signs with.
        reply.WriteBinary("hash"u8, 0, new byte[20]);
        reply.WriteInt64("keyId"u8, 0);
        reply.EndDocument();
        reply.EndDocument();
        reply.WriteInt64("operationTime"u8, now, BsonType.Timestamp);
    }

    /// <exception cref="ServerException">The transaction could not be committed; it is aborted.</exception>
    public void Commit(Transaction transaction) => Oplog.Append(transaction.Commit(), transaction);

    /// <exception cref="NotYetException">A transaction has written the document and is in progress.</exception>
    public override void Reserve(Collection collection, Value id)
    {
        if (_open.Any(transaction => transaction.Holds(collection, id))) throw new NotYetException(isLimited: true);
    }

    /// <exception cref="NotYetException">A transaction works on the collection.</exception>
    public override void ReserveAll(Collection collection)
    {
        if (_open.Any(transaction => transaction.Uses(collection))) throw new NotYetException(isLimited: true);
    }

    public override void Record(Change change) => Oplog.Append([change], transaction: null);
}
