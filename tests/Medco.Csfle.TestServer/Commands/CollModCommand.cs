using Medco.Csfle.TestServer.Storage;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>collMod</c>: another validator, level or action. An empty validator is none. What else can be modified is refused.</summary>
internal static class CollModCommand
{
    private static readonly string[] Unsupported = ["index", "viewOn", "pipeline", "cappedSize", "cappedMax", "changeStreamPreAndPostImages", "expireAfterSeconds", "timeseries", "dryRun"];

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        var name = arguments.Collection(context.Database);
        var validator = arguments.OptionalDocument("validator");
        var level = arguments.OptionalText("validationLevel");
        var action = arguments.OptionalText("validationAction");
        foreach (var option in Unsupported) arguments.RefuseUnlessNeutral(option);
        arguments.RefuseOthers();

        var collection = context.Catalog.Find(context.Database, name)
            ?? throw new ServerException(ErrorCode.NamespaceNotFound, $"ns does not exist: {context.Database}.{name}");
        collection.Journal.ReserveAll(collection);
        var old = collection.Options;
        var wanted = validator ?? old.Validator;
        collection.Options = new CollectionOptions(wanted is { Count: 0 } ? null : wanted, level ?? old.Level, action ?? old.Action);
    }
}
