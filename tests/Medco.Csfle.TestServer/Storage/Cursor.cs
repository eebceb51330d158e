using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>The rest of a query's result: the documents as they were when the query ran.</summary>
internal sealed class Cursor(long id, string fullName, IReadOnlyList<Document> documents)
{
    private int _next;

    public long Id { get; } = id;

    /// <summary>The namespace the cursor belongs to.</summary>
    public string FullName { get; } = fullName;

    /// <summary>The collection was dropped since.</summary>
    public bool IsDropped { get; set; }

    public bool IsExhausted => _next == documents.Count;

    /// <summary>Writes the next documents as an array: at most <paramref name="count"/>, at most 16 MiB, at least one.</summary>
    public void WriteBatch(BsonWriter reply, string name, long count)
    {
        Span<byte> buffer = stackalloc byte[BsonIndex.MaxLength];
        long bytes = 0;
        reply.StartArray(name);
        for (var index = 0; index < count && !IsExhausted; index++)
        {
            var document = documents[_next].Bytes.Span;
            bytes += document.Length;
            if (index > 0 && bytes > WireLimits.MaxDocumentBytes) break;
            reply.WriteDocument(BsonIndex.Format(index, buffer), document);
            _next++;
        }

        reply.EndDocument();
    }
}
