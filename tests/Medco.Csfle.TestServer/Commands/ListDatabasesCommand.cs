using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>listDatabases</c>: the databases that have a collection.</summary>
internal static class ListDatabasesCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var filter = MatchParser.Parse(arguments.OptionalDocument("filter") ?? Document.Empty);
        var isNameOnly = arguments.Boolean("nameOnly", otherwise: false);
        arguments.Boolean("authorizedDatabases", otherwise: false);
        arguments.RefuseOthers();
        if (context.Database != "admin") throw new ServerException(ErrorCode.Unauthorized, "listDatabases may only be run against the admin database.");

        var found = context.Catalog.Databases.Select(name => (Size: Size(context, name), Name: name))
            .Select(database => (database.Size, Shown: Describe(database.Name, database.Size, isNameOnly)))
            .Where(database => filter.Matches(database.Shown))
            .ToArray();
        context.Reply.WriteRaw(BsonType.Array, Encoding.UTF8.GetBytes("databases"), Value.FromArray(found.Select(database => new Value(database.Shown))).Bytes.Span);
        if (isNameOnly) return;

        var total = found.Sum(database => database.Size);
        context.Reply.WriteInt64("totalSize"u8, total);
        context.Reply.WriteInt64("totalSizeMb"u8, total / (1024 * 1024));
    }

    private static long Size(CommandContext context, string database) => context.Catalog.List(database).Sum(collection => collection.Size);

    private static Document Describe(string name, long size, bool isNameOnly)
        => new(isNameOnly
            ? [new("name", Value.FromText(name))]
            : [new("name", Value.FromText(name)), new("sizeOnDisk", Value.FromInt64(size)), new("empty", Value.FromBoolean(false))]);
}
