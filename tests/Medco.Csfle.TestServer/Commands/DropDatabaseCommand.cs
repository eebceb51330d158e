namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>dropDatabase</c>: drops every collection; a database without any is gone.</summary>
internal static class DropDatabaseCommand
{
    public static void Run(CommandContext context)
    {
        context.Arguments.RefuseOthers();
        var collections = context.Catalog.List(context.Database);
        foreach (var collection in collections) collection.Journal.ReserveAll(collection);
        foreach (var collection in collections)
        {
            context.Catalog.Drop(context.Database, collection.Name);
            context.Cursors.Drop(collection.FullName);
        }

        if (collections.Count == 0) return;
        context.Catalog.RecordDropOf(context.Database);
        context.Reply.WriteString("dropped"u8, context.Database);
    }
}
