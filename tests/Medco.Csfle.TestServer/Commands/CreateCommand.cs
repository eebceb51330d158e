using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>create</c>: a collection, with a validator perhaps. What other kinds of collections there are is refused.</summary>
internal static class CreateCommand
{
    private static readonly string[] Unsupported =
    [
        "capped", "size", "max", "timeseries", "expireAfterSeconds", "clusteredIndex", "changeStreamPreAndPostImages", "autoIndexId",
        "idIndex", "storageEngine", "indexOptionDefaults", "viewOn", "pipeline", "collation", "encryptedFields", "temp",
    ];

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var validator = arguments.OptionalDocument("validator");
        var level = arguments.OptionalText("validationLevel");
        var action = arguments.OptionalText("validationAction");
        foreach (var option in Unsupported) arguments.RefuseUnlessNeutral(option);
        arguments.RefuseOthers();

        var options = new CollectionOptions(validator, level, action);
        if (context.Catalog.Find(context.Database, name) is not { } existing)
        {
            context.Catalog.Create(context.Database, name, options);
            return;
        }

        // As of MongoDB 7.0, creating the same collection again is no error.
        if (!existing.Options.IsSameAs(options))
        {
            throw new ServerException(ErrorCode.NamespaceExists, $"namespace {existing.FullName} already exists, but with different options");
        }
    }
}
