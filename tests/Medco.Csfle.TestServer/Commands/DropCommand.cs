using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>drop</c>. As of MongoDB 7.0, dropping what is not there is no error.</summary>
internal static class DropCommand
{
    public static void Run(CommandContext context)
    {
        var name = context.Arguments.Collection(context.Database);
        context.Arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);
        if (context.Catalog.Find(context.Database, name) is not { } collection) return;

        collection.Journal.ReserveAll(collection);
        context.Catalog.Drop(context.Database, name);
        context.Cursors.Drop(collection.FullName);
        context.Reply.WriteInt32("nIndexesWas"u8, collection.Indexes.Count());
        context.Reply.WriteString("ns"u8, collection.FullName);
    }
}
