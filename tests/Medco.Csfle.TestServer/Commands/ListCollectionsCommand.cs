using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>listCollections</c>: the collections of a database as a cursor of documents, filtered like any others.</summary>
internal static class ListCollectionsCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var filter = MatchParser.Parse(arguments.OptionalDocument("filter") ?? Document.Empty);
        var isNameOnly = arguments.Boolean("nameOnly", otherwise: false);
        // Descriptions are small, and a driver may look only at the first batch.
        var batchSize = CursorReply.BatchSize(arguments, otherwise: long.MaxValue);
        arguments.Boolean("authorizedCollections", otherwise: false);
        arguments.RefuseOthers();

        // The filter sees what is returned: with nameOnly, names and types.
        var found = context.Catalog.List(context.Database)
            .Select(collection => isNameOnly ? NameOf(collection) : Describe(collection))
            .Where(filter.Matches);
        var cursor = context.Cursors.Create($"{context.Database}.$cmd.listCollections", [.. found]);
        CursorReply.Write(context, cursor, "firstBatch", batchSize);
    }

    private static Document NameOf(Collection collection)
        => new([new("name", Value.FromText(collection.Name)), new("type", Value.FromText("collection"))]);

    private static Document Describe(Collection collection) => new(NameOf(collection).Elements.Concat(
    [
        new("options", new Value(collection.Options.Shown)),
        new("info", new Value(new Document([new("readOnly", Value.FromBoolean(false)), new("uuid", Value.FromUuid(collection.Uuid))]))),
        new("idIndex", new Value(IndexSpecification.Id.Shown)),
    ]));
}
