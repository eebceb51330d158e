using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Replication;

/// <summary>Change events (manual, "Change Events") of entries of the log.</summary>
internal static class ChangeEvent
{
    /// <summary>The event of a change, or null where it has none: the creation of a collection is an event only where that is asked for.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="lookUp">Finds the document as it is now, for an update; null where the events do not tell it.</param>
    public static Document? Of(OplogEntry entry, Func<Change, Document?>? lookUp)
    {
        var change = entry.Change;
        var type = change.Kind switch
        {
            ChangeKind.Insert => "insert",
            ChangeKind.Update => "update",
            ChangeKind.Replace => "replace",
            ChangeKind.Delete => "delete",
            ChangeKind.Drop => "drop",
            ChangeKind.Rename => "rename",
            ChangeKind.DropDatabase => "dropDatabase",
            _ => null,
        };
        if (type is null) return null;

        var fields = Start(entry, TokenKind.Event, type);
        switch (change.Kind)
        {
            case ChangeKind.Insert or ChangeKind.Replace:
                fields.Add(new Element("fullDocument", new Value(change.After!)));
                break;
            case ChangeKind.Update when lookUp is not null:
                fields.Add(new Element("fullDocument", lookUp(change) is { } found ? new Value(found) : Value.Null));
                break;
        }

        fields.Add(new Element("ns", new Value(Namespace(change.Database, change.Collection))));
        if (change.To is { } to) fields.Add(new Element("to", new Value(Namespace(to.Database, to.Collection))));
        if (change.Before is not null || change.After is not null)
        {
            fields.Add(new Element("documentKey", new Value(new Document([new Element("_id", change.Id)]))));
        }

        if (change.Kind == ChangeKind.Update) fields.Add(new Element("updateDescription", new Value(UpdateDescription.Between(change.Before!, change.After!))));
        return new Document(fields);
    }

    /// <summary>The event after which a stream ends.</summary>
    public static Document InvalidateAfter(OplogEntry entry) => new(Start(entry, TokenKind.Invalidate, "invalidate"));

    private static List<Element> Start(OplogEntry entry, TokenKind kind, string type)
    {
        List<Element> fields =
        [
            new("_id", new Value(new ResumeToken(entry.ClusterTime, entry.Index, kind).ToDocument())),
            new("operationType", Value.FromText(type)),
            new("clusterTime", Value.FromTimestamp(entry.ClusterTime)),
            new("wallTime", Value.FromDate(entry.WallTime)),
        ];
        if (entry.Transaction is { } transaction)
        {
            fields.Add(new Element("lsid", new Value(transaction.Session)));
            fields.Add(new Element("txnNumber", Value.FromInt64(transaction.Number)));
        }

        return fields;
    }

    private static Document Namespace(string database, string collection)
        => new(collection.Length == 0
            ? [new Element("db", Value.FromText(database))]
            : [new Element("db", Value.FromText(database)), new Element("coll", Value.FromText(collection))]);
}
