using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>renameCollection</c>: a collection with its documents and indexes gets another name.</summary>
internal static class RenameCollectionCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        if (arguments.First.Type != BsonType.String) throw arguments.WrongType("renameCollection", arguments.First, "string");
        var (database, name) = Split(arguments.First.Text);
        var (toDatabase, toName) = Split(arguments.Text("to"));
        var dropsTarget = arguments.Boolean("dropTarget", otherwise: false);
        arguments.RefuseOthers();
        if (context.Database != "admin") throw new ServerException(ErrorCode.Unauthorized, "renameCollection may only be run against the admin database.");
        if (arguments.First.Text == arguments.Text("to")) throw new ServerException(ErrorCode.IllegalOperation, "Can't rename a collection to itself");

        var collection = context.Catalog.Find(database, name)
            ?? throw new ServerException(ErrorCode.NamespaceNotFound, $"Source collection {database}.{name} does not exist");
        collection.Journal.ReserveAll(collection);
        if (context.Catalog.Find(toDatabase, toName) is { } target)
        {
            if (!dropsTarget) throw new ServerException(ErrorCode.NamespaceExists, "target namespace exists");
            target.Journal.ReserveAll(target);
            context.Catalog.Drop(toDatabase, toName);
            context.Cursors.Drop(target.FullName);
        }

        context.Cursors.Drop(collection.FullName);
        context.Catalog.Rename(database, collection, toDatabase, toName);
    }

    private static (string Database, string Name) Split(string fullName)
    {
        var dot = fullName.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0) throw new ServerException(ErrorCode.InvalidNamespace, $"Invalid namespace specified '{fullName}'");
        var (database, name) = (fullName[..dot], fullName[(dot + 1)..]);
        NamespaceRules.CheckDatabase(database);
        NamespaceRules.CheckWritableCollection(database, name);
        return (database, name);
    }
}
