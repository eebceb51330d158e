using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>killCursors</c>: closes cursors of one collection.</summary>
internal static class KillCursorsCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        if (arguments.First.Type != BsonType.String) throw arguments.WrongType("killCursors", arguments.First, "string");
        var fullName = $"{context.Database}.{arguments.First.Text}";
        var ids = arguments.Int64s("cursors");
        arguments.RefuseOthers();
        if (ids.Count == 0) throw ServerException.BadValue("Must specify at least one cursor id in: killCursors");

        var isKilled = ids.ToLookup(id => context.Cursors.Find(id)?.FullName == fullName && context.Cursors.Close(id));
        Write(context.Reply, "cursorsKilled", isKilled[true]);
        Write(context.Reply, "cursorsNotFound", isKilled[false]);
        Write(context.Reply, "cursorsAlive", []);
        Write(context.Reply, "cursorsUnknown", []);
    }

    private static void Write(BsonWriter reply, string name, IEnumerable<long> ids)
    {
        Span<byte> buffer = stackalloc byte[BsonIndex.MaxLength];
        var index = 0;
        reply.StartArray(name);
        foreach (var id in ids) reply.WriteInt64(BsonIndex.Format(index++, buffer), id);
        reply.EndDocument();
    }
}
