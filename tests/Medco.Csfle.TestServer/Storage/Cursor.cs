using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>What a client has not read yet.</summary>
internal abstract class Cursor(long id, string fullName)
{
    public long Id { get; } = id;

    /// <summary>The namespace the cursor belongs to.</summary>
    public string FullName { get; } = fullName;

    /// <summary>The transaction it was opened in.</summary>
    public Transaction? Transaction { get; init; }

    /// <summary>The collection was dropped since.</summary>
    public bool IsDropped { get; set; }

    /// <summary>Whether there is nothing left, now and later.</summary>
    public abstract bool IsExhausted { get; }

    /// <summary>The next document, or null where there is none at the moment.</summary>
    protected abstract Document? Next { get; }

    /// <summary>Writes the next documents as an array: at most <paramref name="count"/>, at most 16 MiB, at least one.</summary>
    public void WriteBatch(BsonWriter reply, string name, long count)
    {
        Span<byte> buffer = stackalloc byte[BsonIndex.MaxLength];
        long bytes = 0;
        reply.StartArray(name);
        for (var index = 0; index < count && Next is { } next; index++)
        {
            var document = next.Bytes.Span;
            bytes += document.Length;
            if (index > 0 && bytes > WireLimits.MaxDocumentBytes) break;
            reply.WriteDocument(BsonIndex.Format(index, buffer), document);
            MoveOn();
        }

        reply.EndDocument();
    }

    /// <summary>Writes what a cursor of its kind tells besides its documents.</summary>
    public virtual void WriteState(BsonWriter reply)
    {
    }

    /// <summary>The next document was written.</summary>
    protected abstract void MoveOn();
}
