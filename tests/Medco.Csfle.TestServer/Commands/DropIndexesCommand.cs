using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>dropIndexes</c>: one index by name or key, several by name, or with <c>*</c> all but that on <c>_id</c>.</summary>
internal static class DropIndexesCommand
{
    private const int AmbiguousIndexKeyPattern = 181;

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var which = arguments.Optional("index");
        arguments.RefuseOthers();
        if (which is null) throw new ServerException(ErrorCode.MissingField, "BSON field 'dropIndexes.index' is missing but a required field");

        var collection = context.Catalog.Find(context.Database, name)
            ?? throw new ServerException(ErrorCode.NamespaceNotFound, $"ns not found {context.Database}.{name}");
        collection.Journal.ReserveAll(collection);
        var before = collection.Indexes.Count();
        var dropped = (which.IsArray ? which.Items.SelectMany(item => Find(collection, item)) : Find(collection, which)).ToArray();
        foreach (var index in dropped) collection.DropIndex(index);
        context.Reply.WriteInt32("nIndexesWas"u8, before);
    }

    private static IndexSpecification[] Find(Collection collection, Value which)
    {
        if (which is { Type: BsonType.String, Text: "*" }) return [.. collection.Indexes.Where(index => index != IndexSpecification.Id)];

        IndexSpecification[] found = which.Type switch
        {
            BsonType.String => [.. collection.Indexes.Where(index => index.Name == which.Text)],
            BsonType.Document => [.. collection.Indexes.Where(index => index.HasKey(which.Document))],
            _ => throw ServerException.TypeMismatch("BSON field 'dropIndexes.index' must be a name, an array of names, or a key"),
        };
        return found switch
        {
            [] => throw new ServerException(ErrorCode.IndexNotFound, $"index not found with name [{ValueText.Of(which)}]"),
            [_, _, ..] => throw new ServerException(AmbiguousIndexKeyPattern, $"{found.Length} indexes found for key: {ValueText.Of(which)}, identify by name instead."),
            _ when found[0] == IndexSpecification.Id => throw new ServerException(ErrorCode.InvalidOptions, "cannot drop _id index"),
            _ => found,
        };
    }
}
