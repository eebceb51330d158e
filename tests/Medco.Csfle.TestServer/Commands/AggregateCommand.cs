using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Aggregation;
using Medco.Csfle.TestServer.Replication;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>aggregate</c>: a pipeline over the documents of a collection. Its result is a cursor.</summary>
internal static class AggregateCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var stages = arguments.Documents("pipeline");
        var replicaSet = context.ReplicaSet;
        var isChangeStream = replicaSet is not null && ChangeStream.IsAskedFor(stages);
        if (arguments.First.IsNumber && !isChangeStream)
        {
            throw new ServerException(ErrorCode.InvalidNamespace, stages.Count == 0 || stages[0].Count == 0
                ? "{aggregate: 1} is not valid for an empty pipeline."
                : $"{{aggregate: 1}} is not valid for '{stages[0][0].Name}'; a collection is required.");
        }

        var name = arguments.First.IsNumber ? null : arguments.Collection(context.Database);
        if (arguments.Optional("cursor") is null) throw ServerException.FailedToParse("The 'cursor' option is required, except for aggregate with the explain argument");
        var batchSize = CursorReply.BatchSize(arguments, CursorReply.DefaultFirstBatch);
        var hint = arguments.Optional("hint");
        Collation.Check(arguments.OptionalDocument("collation"));
        foreach (var option in new[] { "allowDiskUse", "bypassDocumentValidation" }) arguments.Boolean(option, otherwise: false);
        foreach (var option in new[] { "explain", "let" }) arguments.RefuseUnlessNeutral(option);
        arguments.RefuseOthers();

        if (isChangeStream)
        {
            if (context.Transaction is not null) throw new ServerException(ErrorCode.OperationNotSupportedInTransaction, "Operation not permitted in transaction :: caused by :: Aggregation stage $changeStream cannot run within a multi-document transaction");
            var stream = new ChangeStream(context.Database, name, stages);
            var events = new ChangeStreamCursor(context.Cursors.NewId(), $"{context.Database}.{name ?? "$cmd.aggregate"}", stream, replicaSet!);
            CursorReply.Write(context, events, "firstBatch", batchSize);
            return;
        }

        var collection = context.Catalog.Find(context.Database, name!);
        Hint.Check(hint, collection);
        var pipeline = new PipelineParser(from => context.Catalog.Find(context.Database, from)).Parse(stages);

        // A first filter goes to the collection, which may know the one document it asks for.
        var filter = stages.Count > 0 && stages[0][0] is { Name: "$match", Value.IsDocument: true } match ? match.Value.Document : Document.Empty;
        var found = PipelineParser.Run(pipeline, collection?.Find(filter) ?? []);
        var cursor = context.CreateCursor($"{context.Database}.{name}", [.. found]);
        CursorReply.Write(context, cursor, "firstBatch", batchSize);
    }
}
