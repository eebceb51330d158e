using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Updates;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>update</c>: statement by statement, each of the first document that matches, of all of them, or of a new one.</summary>
internal static class UpdateCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var statements = arguments.Documents("updates").Select(Statement.Parse).ToArray();
        var isOrdered = arguments.Boolean("ordered", otherwise: true);
        var bypassesValidation = arguments.Boolean("bypassDocumentValidation", otherwise: false);
        arguments.RefuseUnlessNeutral("let");
        arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);

        if (context.Statements.IsRetryable && statements.Any(statement => statement.IsMulti)) throw new ServerException(ErrorCode.InvalidOptions, "Cannot use retryable writes with multi=true");

        var errors = new WriteErrors(context, statements.Length, isOrdered);
        var results = errors.Run(i =>
        {
            var statement = statements[i];
            var update = UpdateParser.Parse(statement.Update, statement.ArrayFilters);
            if (statement.IsMulti && update is Replacement) throw ServerException.FailedToParse("multi update is not supported for replacement-style update");
            MatchParser.Parse(statement.Filter);

            var collection = context.Catalog.Find(context.Database, name);
            Hint.Check(statement.Hint, collection);
            if (collection is null)
            {
                if (!statement.IsUpsert) return new StatementResult();
                collection = context.Catalog.Create(context.Database, name, CollectionOptions.None);
            }

            var run = new CollectionUpdate(collection, statement.Filter, update, bypassesValidation);
            var found = collection.Find(statement.Filter);
            Document[] documents = [.. statement.IsMulti ? found : found.Take(1)];
            if (documents.Length == 0 && statement.IsUpsert) return new StatementResult(Matched: 1, UpsertedId: run.Insert()[0].Value);
            collection.Reserve(documents);
            return new StatementResult(documents.Length, documents.Count(document => !ReferenceEquals(run.Apply(document), document)));
        });

        context.Reply.WriteInt32("n"u8, results.Sum(entry => entry.Result.Matched));
        context.Reply.WriteInt32("nModified"u8, results.Sum(entry => entry.Result.Modified));
        var upserted = results.Where(entry => entry.Result.UpsertedId is not null).Select(entry => (entry.Index, entry.Result.UpsertedId!)).ToList();
        if (upserted.Count > 0) WriteUpserted(context.Reply, upserted);
        errors.Write(context.Reply);
    }

    private static void WriteUpserted(BsonWriter reply, List<(int Index, Value Id)> upserted)
    {
        var documents = upserted.Select(entry => new Value(new Document([new("index", Value.FromInt32(entry.Index)), new("_id", entry.Id)])));
        reply.WriteRaw(BsonType.Array, Encoding.UTF8.GetBytes("upserted"), Value.FromArray(documents).Bytes.Span);
    }

    /// <summary>One element of <c>updates</c>.</summary>
    private sealed record Statement(Document Filter, Value Update, bool IsMulti, bool IsUpsert, IReadOnlyList<Document> ArrayFilters, Value? Hint)
    {
        public static Statement Parse(Document statement)
        {
            var arguments = StatementArguments.Of("update.updates", statement);
            var parsed = new Statement(
                arguments.Document("q"),
                arguments.Required("u"),
                arguments.Boolean("multi", otherwise: false),
                arguments.Boolean("upsert", otherwise: false),
                arguments.Documents("arrayFilters"),
                arguments.Optional("hint"));
            Collation.Check(arguments.OptionalDocument("collation"));
            arguments.RefuseOthers();
            return parsed;
        }
    }
}
