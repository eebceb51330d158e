using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>find</c>: filter, sort, skip, limit and projection, in this order.</summary>
internal static class FindCommand
{
    private static readonly string[] Unsupported = ["min", "max", "returnKey", "showRecordId", "tailable", "awaitData", "let"];

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var filter = arguments.OptionalDocument("filter") ?? Document.Empty;
        var sort = new SortOrder(arguments.OptionalDocument("sort") ?? Document.Empty);
        var projection = new Projection(arguments.OptionalDocument("projection") ?? Document.Empty);
        var skip = arguments.OptionalCount("skip") ?? 0;
        var limit = arguments.OptionalCount("limit") ?? 0;
        var batchSize = arguments.OptionalCount("batchSize") ?? CursorReply.DefaultFirstBatch;
        var isSingleBatch = arguments.Boolean("singleBatch", otherwise: false);
        var collection = context.Catalog.Find(context.Database, name);
        Hint.Check(arguments.Optional("hint"), collection);
        Collation.Check(arguments.OptionalDocument("collation"));

        // How the server gets at the documents, not which they are.
        foreach (var option in new[] { "noCursorTimeout", "oplogReplay", "allowPartialResults", "allowDiskUse" }) arguments.Boolean(option, otherwise: false);
        foreach (var option in Unsupported) arguments.RefuseUnlessNeutral(option);
        arguments.RefuseOthers();

        // A filter that is none is an error also where there is no collection to apply it to.
        MatchParser.Parse(filter);
        var found = sort.Apply(collection?.Find(filter) ?? []);
        if (skip > 0) found = found.Skip((int)Math.Min(skip, int.MaxValue));
        if (limit > 0) found = found.Take((int)Math.Min(limit, int.MaxValue));
        var cursor = context.CreateCursor($"{context.Database}.{name}", [.. found.Select(projection.Apply)]);
        CursorReply.Write(context, cursor, "firstBatch", batchSize, isSingleBatch);
    }
}
