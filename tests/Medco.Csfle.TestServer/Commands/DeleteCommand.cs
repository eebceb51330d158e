using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
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

        var errors = new WriteErrors(parsed.Length, isOrdered);
        var collection = context.Catalog.Find(context.Database, name);
        var deleted = 0;
        errors.Run(i =>
        {
            Hint.Check(parsed[i].Hint, collection);
            MatchParser.Parse(parsed[i].Filter);
            if (collection is null) return;
            var found = collection.Find(parsed[i].Filter);
            foreach (var document in parsed[i].IsMulti ? found.ToArray() : found.Take(1).ToArray())
            {
                collection.Remove(document);
                deleted++;
            }
        });

        context.Reply.WriteInt32("n"u8, deleted);
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
