using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>insert</c>: documents one by one; an ordered batch ends at its first error.</summary>
internal static class InsertCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var documents = arguments.Documents("documents");
        var isOrdered = arguments.Boolean("ordered", otherwise: true);
        var bypassesValidation = arguments.Boolean("bypassDocumentValidation", otherwise: false);
        arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);

        var errors = new WriteErrors(context, documents.Count, isOrdered);
        var collection = context.Catalog.Find(context.Database, name) ?? context.Catalog.Create(context.Database, name, CollectionOptions.None);
        var inserted = errors.Run(i =>
        {
            Insert(collection, documents[i], bypassesValidation);
            return new StatementResult(Matched: 1);
        });

        context.Reply.WriteInt32("n"u8, inserted.Count);
        errors.Write(context.Reply);
    }

    private static void Insert(Collection collection, Document document, bool bypassesValidation)
    {
        var prepared = InsertedDocument.Prepare(document);
        if (!bypassesValidation && collection.Options.Enforced?.Check(prepared) is { } error) throw error;
        collection.Insert(prepared);
    }
}
