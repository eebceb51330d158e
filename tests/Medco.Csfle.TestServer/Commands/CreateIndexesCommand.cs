using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>createIndexes</c>: all of the indexes or, where one of them cannot be, none.</summary>
internal static class CreateIndexesCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var specifications = arguments.Documents("indexes").Select(IndexSpecification.Parse).ToArray();
        var quorum = arguments.Optional("commitQuorum");
        arguments.RefuseOthers();
        NamespaceRules.CheckWritableCollection(context.Database, name);
        if (specifications.Length == 0) throw ServerException.BadValue("Must specify at least one index to create");
        if (quorum is not null)
        {
            throw context.ReplicaSet is null ? ServerException.BadValue("Standalones can't specify commitQuorum") : ServerException.NotImplemented("'createIndexes.commitQuorum'");
        }

        var existing = context.Catalog.Find(context.Database, name);
        existing?.Journal.ReserveAll(existing);
        var collection = existing ?? context.Catalog.Create(context.Database, name, CollectionOptions.None);
        var before = collection.Indexes.Count();
        var created = new List<IndexSpecification>();
        try
        {
            foreach (var specification in specifications)
            {
                if (IsThere(collection, specification)) continue;
                collection.CreateIndex(specification);
                created.Add(specification);
            }
        }
        catch (ServerException)
        {
            foreach (var specification in created) collection.DropIndex(specification);
            if (existing is null) context.Catalog.Drop(context.Database, name);
            throw;
        }

        context.Reply.WriteInt32("numIndexesBefore"u8, before);
        context.Reply.WriteInt32("numIndexesAfter"u8, collection.Indexes.Count());
        if (existing is null) context.Reply.WriteBoolean("createdCollectionAutomatically"u8, true);
        if (created.Count == 0) context.Reply.WriteString("note"u8, "all indexes already exist");
    }

    private static bool IsThere(Collection collection, IndexSpecification specification)
    {
        foreach (var index in collection.Indexes)
        {
            if (index.IsAlike(specification))
            {
                if (index.Name == specification.Name) return true;
                throw new ServerException(ErrorCode.IndexOptionsConflict, $"Index already exists with a different name: {index.Name}");
            }

            if (index.Name == specification.Name)
            {
                throw new ServerException(
                    ErrorCode.IndexKeySpecsConflict,
                    "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. "
                    + $"Please refer to our documentation. Requested index: {ValueText.Of(specification.Shown)}, existing index: {ValueText.Of(index.Shown)}");
            }
        }

        return false;
    }
}
