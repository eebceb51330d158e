using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>count</c>: how many documents match.</summary>
internal static class CountCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var filter = arguments.OptionalDocument("query") ?? Document.Empty;
        var skip = arguments.OptionalCount("skip") ?? 0;
        var limit = Limit(arguments);
        var hint = arguments.Optional("hint");
        Collation.Check(arguments.OptionalDocument("collation"));
        arguments.RefuseOthers();

        MatchParser.Parse(filter);
        var collection = context.Catalog.Find(context.Database, name);
        Hint.Check(hint, collection);
        var found = Math.Max(0, (collection?.Find(filter).LongCount() ?? 0) - skip);
        context.Reply.WriteInt32("n"u8, (int)(limit == 0 ? found : Math.Min(found, limit)));
    }

    /// <summary>A limit below zero counts like the one above it.</summary>
    private static long Limit(CommandArguments arguments)
    {
        var limit = arguments.Optional("limit");
        if (limit is null) return 0;
        return limit.IsNumber && limit.Number.TryToInt64(out var number) && number != long.MinValue
            ? Math.Abs(number)
            : throw arguments.WrongType("limit", limit, "long");
    }
}
