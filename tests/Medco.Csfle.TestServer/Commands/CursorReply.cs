using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>The part of a reply that is a cursor: a batch, the cursor's id or 0 where nothing is left, and its namespace.</summary>
internal static class CursorReply
{
    /// <summary>How many documents the first batch has where the command does not say.</summary>
    public const int DefaultFirstBatch = 101;

    /// <summary>The size of the first batch in the field <c>cursor</c> of a command.</summary>
    public static long BatchSize(CommandArguments arguments, long otherwise)
    {
        foreach (var (name, value) in (arguments.OptionalDocument("cursor") ?? Document.Empty).Elements)
        {
            if (name != "batchSize") throw new ServerException(ErrorCode.UnknownField, $"BSON field '{arguments.CommandName}.cursor.{name}' is an unknown field.");
            if (!value.IsNumber || !value.Number.TryToInt64(out var size)) throw arguments.WrongType("cursor.batchSize", value, "long");
            return size >= 0 ? size : throw ServerException.BadValue($"{arguments.CommandName}.cursor.batchSize must not be negative");
        }

        return otherwise;
    }

    public static void Write(CommandContext context, Cursor cursor, string batchName, long batchSize, bool isSingleBatch = false)
    {
        context.Reply.StartDocument("cursor"u8);
        cursor.WriteBatch(context.Reply, batchName, batchSize);
        cursor.WriteState(context.Reply);
        var goesOn = !isSingleBatch && !cursor.IsExhausted;
        context.Reply.WriteInt64("id"u8, goesOn ? cursor.Id : 0);
        context.Reply.WriteString("ns"u8, cursor.FullName);
        context.Reply.EndDocument();

        if (goesOn) context.Cursors.Keep(cursor);
        else context.Cursors.Close(cursor.Id);
    }
}
