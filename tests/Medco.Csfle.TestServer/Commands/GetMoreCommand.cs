using System.Globalization;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Replication;
using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>getMore</c>: the next batch of a cursor. That of a change stream waits for an event, for as long as <c>maxTimeMS</c> says.</summary>
internal static class GetMoreCommand
{
    private const int QueryPlanKilled = 175;

    /// <summary>How long a change stream waits for an event where the command does not say.</summary>
    private static readonly TimeSpan DefaultAwait = TimeSpan.FromSeconds(1);

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        if (arguments.First.Type != BsonType.Int64) throw arguments.WrongType("getMore", arguments.First, "long");
        var id = arguments.First.Int64;
        var name = arguments.Text("collection");
        var batchSize = arguments.OptionalCount("batchSize");
        var timeout = arguments.OptionalCount("maxTimeMS");
        arguments.RefuseOthers();

        var fullName = $"{context.Database}.{name}";
        var cursor = context.Cursors.Find(id)
            ?? throw new ServerException(ErrorCode.CursorNotFound, $"cursor id {id.ToString(CultureInfo.InvariantCulture)} not found");
        if (cursor.FullName != fullName)
        {
            throw new ServerException(ErrorCode.Unauthorized, $"Requested getMore on namespace '{fullName}', but cursor belongs to a different namespace {cursor.FullName}");
        }

        if (cursor.Transaction != context.Transaction)
        {
            throw new ServerException(ErrorCode.IllegalOperation, $"Cannot run getMore on cursor {id.ToString(CultureInfo.InvariantCulture)} from outside of the transaction it was created in, or from inside of another");
        }

        if (cursor is ChangeStreamCursor { IsWaiting: true } && context.Waited < (timeout is { } wanted ? TimeSpan.FromMilliseconds(Math.Min(wanted, int.MaxValue)) : DefaultAwait))
        {
            throw new NotYetException(isLimited: false);
        }

        if (timeout is not null && cursor is not ChangeStreamCursor) throw ServerException.BadValue("cannot set maxTimeMS on getMore command for a non-awaitData cursor");
        if (cursor.IsDropped)
        {
            context.Cursors.Close(id);
            throw new ServerException(QueryPlanKilled, "collection dropped");
        }

        // Without a size, or with 0, a batch is as large as its bytes allow.
        CursorReply.Write(context, cursor, "nextBatch", batchSize is null or 0 ? long.MaxValue : batchSize.Value);
    }
}
