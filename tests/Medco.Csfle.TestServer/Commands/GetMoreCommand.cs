using System.Globalization;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>getMore</c>: the next batch of a cursor.</summary>
internal static class GetMoreCommand
{
    private const int QueryPlanKilled = 175;

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        if (arguments.First.Type != BsonType.Int64) throw arguments.WrongType("getMore", arguments.First, "long");
        var id = arguments.First.Int64;
        var name = arguments.Text("collection");
        var batchSize = arguments.OptionalCount("batchSize");
        var hasTimeout = arguments.OptionalCount("maxTimeMS") is not null;
        arguments.RefuseOthers();

        var fullName = $"{context.Database}.{name}";
        var cursor = context.Cursors.Find(id)
            ?? throw new ServerException(ErrorCode.CursorNotFound, $"cursor id {id.ToString(CultureInfo.InvariantCulture)} not found");
        if (cursor.FullName != fullName)
        {
            throw new ServerException(ErrorCode.Unauthorized, $"Requested getMore on namespace '{fullName}', but cursor belongs to a different namespace {cursor.FullName}");
        }

        if (hasTimeout) throw ServerException.BadValue("cannot set maxTimeMS on getMore command for a non-awaitData cursor");
        if (cursor.IsDropped)
        {
            context.Cursors.Close(id);
            throw new ServerException(QueryPlanKilled, "collection dropped");
        }

        // Without a size, or with 0, a batch is as large as its bytes allow.
        CursorReply.Write(context, cursor, "nextBatch", batchSize is null or 0 ? long.MaxValue : batchSize.Value);
    }
}
