using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>The part of a reply that is a cursor: a batch, the cursor's id or 0 where nothing is left, and its namespace.</summary>
internal static class CursorReply
{
    /// <summary>How many documents the first batch has where the command does not say.</summary>
    public const int DefaultFirstBatch = 101;

    public static void Write(CommandContext context, Cursor cursor, string batchName, long batchSize, bool isSingleBatch = false)
    {
        context.Reply.StartDocument("cursor"u8);
        cursor.WriteBatch(context.Reply, batchName, batchSize);
        var goesOn = !isSingleBatch && !cursor.IsExhausted;
        context.Reply.WriteInt64("id"u8, goesOn ? cursor.Id : 0);
        context.Reply.WriteString("ns"u8, cursor.FullName);
        context.Reply.EndDocument();

        if (goesOn) context.Cursors.Keep(cursor);
        else context.Cursors.Close(cursor.Id);
    }
}
