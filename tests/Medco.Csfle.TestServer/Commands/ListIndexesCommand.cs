using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>listIndexes</c>: the indexes of a collection as a cursor of documents.</summary>
internal static class ListIndexesCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var batchSize = CursorReply.BatchSize(arguments, otherwise: long.MaxValue);
        arguments.RefuseOthers();

        var collection = context.Catalog.Find(context.Database, name)
            ?? throw new ServerException(ErrorCode.NamespaceNotFound, $"ns does not exist: {context.Database}.{name}");
        var cursor = context.Cursors.Create(collection.FullName, [.. collection.Indexes.Select(index => index.Shown)]);
        CursorReply.Write(context, cursor, "firstBatch", batchSize);
    }
}
