using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>The rest of a query's result: the documents as they were when the query ran.</summary>
internal sealed class DocumentCursor(long id, string fullName, IReadOnlyList<Document> documents) : Cursor(id, fullName)
{
    private int _next;

    public override bool IsExhausted => _next == documents.Count;

    protected override Document? Next => IsExhausted ? null : documents[_next];

    protected override void MoveOn() => _next++;
}
