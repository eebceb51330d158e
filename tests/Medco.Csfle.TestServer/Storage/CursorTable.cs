using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>The open cursors.</summary>
internal sealed class CursorTable
{
    private readonly Dictionary<long, Cursor> _open = [];

    public int Count => _open.Count;

    /// <summary>A new cursor that is not kept until <see cref="Keep"/>.</summary>
    public Cursor Create(string fullName, IReadOnlyList<Document> documents, Transaction? transaction = null)
        => new DocumentCursor(NewId(), fullName, documents) { Transaction = transaction };

    /// <summary>An id that no cursor has.</summary>
    public long NewId()
    {
        long id;
        do id = Random.Shared.NextInt64(1, long.MaxValue);
        while (_open.ContainsKey(id));
        return id;
    }

    public void Keep(Cursor cursor) => _open[cursor.Id] = cursor;

    public Cursor? Find(long id) => _open.GetValueOrDefault(id);

    public bool Close(long id) => _open.Remove(id);

    /// <summary>Marks the cursors of a collection that was dropped.</summary>
    public void Drop(string fullName)
    {
        foreach (var cursor in _open.Values)
        {
            // A change stream tells of the drop itself.
            if (cursor is DocumentCursor && cursor.FullName == fullName) cursor.IsDropped = true;
        }
    }
}
