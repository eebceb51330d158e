using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>delete</c>: the first document that matches, or all of them.</summary>
internal static class DeleteCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var statements = arguments.Documents("deletes");
        var isOrdered = arguments.Boolean("ordered", otherwise: true);
        arguments.RefuseUnlessNeutral("let");
        arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);
        var parsed = statements.Select(Statement.Parse).ToArray();

        if (context.Statements.IsRetryable && parsed.Any(statement => statement.IsMulti)) throw new ServerException(ErrorCode.InvalidOptions, "Cannot use retryable writes with limit=0");

        var errors = new WriteErrors(context, parsed.Length, isOrdered);
        var collection = context.Catalog.Find(context.Database, name);
        var results = errors.Run(i =>
        {
            Hint.Check(parsed[i].Hint, collection);
            MatchParser.Parse(parsed[i].Filter);
            if (collection is null) return new StatementResult();
            var found = collection.Find(parsed[i].Filter);
            Document[] documents = [.. parsed[i].IsMulti ? found : found.Take(1)];
            collection.Reserve(documents);
            foreach (var document in documents) collection.Remove(document);
            return new StatementResult(Matched: documents.Length);
        });

        context.Reply.WriteInt32("n"u8, results.Sum(entry => entry.Result.Matched));
        errors.Write(context.Reply);
    }

    /// <summary>One element of <c>deletes</c>.</summary>
    private sealed record Statement(Document Filter, bool IsMulti, Value? Hint)
    {
        public static Statement Parse(Document statement)
        {
            var arguments = StatementArguments.Of("delete.deletes", statement);
            var filter = arguments.Document("q");
            var limit = arguments.Required("limit");
            Collation.Check(arguments.OptionalDocument("collation"));
            var hint = arguments.Optional("hint");
            arguments.RefuseOthers();
            if (!limit.IsNumber || !limit.Number.TryToInt64(out var count) || count is not (0 or 1))
            {
                throw ServerException.FailedToParse($"The limit field in delete objects must be 0 or 1. Got {ValueText.Of(limit)}");
            }

            return new Statement(filter, IsMulti: count == 0, hint);
        }
    }
}
