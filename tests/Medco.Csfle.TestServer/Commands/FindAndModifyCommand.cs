using System.Text;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Updates;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>findAndModify</c>: updates, replaces or removes the first document in an order, and returns it as it was or as it became.</summary>
internal static class FindAndModifyCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var filter = arguments.OptionalDocument("query") ?? Document.Empty;
        var sort = new SortOrder(arguments.OptionalDocument("sort") ?? Document.Empty);
        var projection = new Projection(arguments.OptionalDocument("fields") ?? Document.Empty);
        var removes = arguments.Boolean("remove", otherwise: false);
        var update = arguments.Optional("update");
        var returnsNew = arguments.Boolean("new", otherwise: false);
        var isUpsert = arguments.Boolean("upsert", otherwise: false);
        var arrayFilters = arguments.Optional("arrayFilters") is null ? [] : arguments.Documents("arrayFilters");
        var bypassesValidation = arguments.Boolean("bypassDocumentValidation", otherwise: false);
        var hint = arguments.Optional("hint");
        Collation.Check(arguments.OptionalDocument("collation"));
        arguments.RefuseUnlessNeutral("let");
        arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);
        if (removes && update is not null) throw ServerException.FailedToParse("Cannot specify both an update and remove=true");
        if (removes && returnsNew) throw ServerException.FailedToParse("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
        if (removes && isUpsert) throw ServerException.FailedToParse("Cannot specify both upsert=true and remove=true");
        if (!removes && update is null) throw ServerException.FailedToParse("Either an update or remove=true must be specified");

        var parsed = update is null ? null : UpdateParser.Parse(update, arrayFilters);
        MatchParser.Parse(filter);
        var result = context.Statements.Run(0, () => Modify());
        foreach (var (field, value) in result.Reply!) context.Reply.WriteRaw(value.Type, Encoding.UTF8.GetBytes(field), value.Bytes.Span);

        StatementResult Modify()
        {
            var collection = context.Catalog.Find(context.Database, name);
            Hint.Check(hint, collection);
            if (collection is null && isUpsert) collection = context.Catalog.Create(context.Database, name, CollectionOptions.None);
            var found = sort.Apply(collection?.Find(filter) ?? []).FirstOrDefault();

            var outcome = new List<Element>();
            Document? returned = null;
            if (parsed is null)
            {
                if (found is not null) collection!.Remove(found);
                outcome.Add(new Element("n", Value.FromInt32(found is null ? 0 : 1)));
                returned = found;
            }
            else
            {
                Document? inserted = null;
                if (collection is not null && (found is not null || isUpsert))
                {
                    var run = new CollectionUpdate(collection, filter, parsed, bypassesValidation);
                    if (found is null) inserted = run.Insert();
                    var updated = found is null ? inserted : run.Apply(found);
                    returned = returnsNew ? updated : found;
                }

                outcome.Add(new Element("n", Value.FromInt32(found is null && inserted is null ? 0 : 1)));
                outcome.Add(new Element("updatedExisting", Value.FromBoolean(found is not null)));
                if (inserted is not null) outcome.Add(new Element("upserted", inserted[0].Value));
            }

            return new StatementResult(Reply:
            [
                new("lastErrorObject", new Value(new Document(outcome))),
                new("value", returned is null ? Value.Null : new Value(projection.Apply(returned))),
            ]);
        }
    }
}
