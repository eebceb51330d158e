using Medco.Csfle.TestServer;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>A database as an entity of a test.</summary>
internal sealed record SpecDatabase(SpecClient Client, string Name)
{
    public ValueTask<Document> RunAsync(params IEnumerable<Element> command) => Client.RunAsync(Name, new Document(command));
}

/// <summary>The operations on a database, as the commands that a driver sends for them.</summary>
internal static class DatabaseOperations
{
    private static readonly Dictionary<string, Func<SpecDatabase, SpecArguments, ValueTask<SpecResult>>> Operations = new()
    {
        ["createCollection"] = CreateCollection,
        ["dropCollection"] = DropCollection,
        ["modifyCollection"] = ModifyCollection,
        ["listCollections"] = ListCollections,
        ["runCommand"] = RunCommand,
        ["aggregate"] = Aggregate,
    };

    public static bool Has(string name) => Operations.ContainsKey(name);

    public static async ValueTask<SpecResult> RunAsync(SpecDatabase database, SpecArguments arguments)
        => await Operations[arguments.Operation](database, arguments);

    private static async ValueTask<SpecResult> CreateCollection(SpecDatabase database, SpecArguments arguments)
    {
        var name = arguments.Required("collection");
        await database.RunAsync([new("create", name), .. arguments.Rest()]);
        return SpecResult.None;
    }

    // Drivers take a collection that is not there for dropped.
    private static async ValueTask<SpecResult> DropCollection(SpecDatabase database, SpecArguments arguments)
    {
        Element[] command = [new("drop", arguments.Required("collection")), .. arguments.Options("comment")];
        arguments.RefuseOthers();
        try
        {
            await database.RunAsync(command);
        }
        catch (SpecServerException e) when (e.Code == ErrorCode.NamespaceNotFound)
        {
        }

        return SpecResult.None;
    }

    private static async ValueTask<SpecResult> ModifyCollection(SpecDatabase database, SpecArguments arguments)
    {
        var name = arguments.Required("collection");
        return new(SpecDocuments.Value(await database.RunAsync([new("collMod", name), .. arguments.Rest()])));
    }

    private static async ValueTask<SpecResult> ListCollections(SpecDatabase database, SpecArguments arguments)
    {
        Element[] command =
        [
            new("listCollections", SpecDocuments.Value(1)), .. arguments.Options("filter", "nameOnly", "authorizedCollections", "comment"),
            new("cursor", SpecDocuments.Value(new Document(arguments.Options("batchSize")))),
        ];
        arguments.RefuseOthers();
        return new(await database.Client.IterateAsync(database.Name, new Document(command)), IsIterable: true);
    }

    private static async ValueTask<SpecResult> RunCommand(SpecDatabase database, SpecArguments arguments)
    {
        var command = arguments.Required("command").Document;
        if (command.Count == 0 || command[0].Name != arguments.Text("commandName")) throw new SpecFailure("runCommand: the command does not begin with its name");
        arguments.RefuseOthers();
        return new(SpecDocuments.Value(await database.Client.RunAsync(database.Name, command)));
    }

    private static async ValueTask<SpecResult> Aggregate(SpecDatabase database, SpecArguments arguments)
    {
        Element[] command =
        [
            new("aggregate", SpecDocuments.Value(1)), new("pipeline", arguments.Required("pipeline")),
            new("cursor", SpecDocuments.Value(new Document(arguments.Options("batchSize")))),
            .. arguments.Options("allowDiskUse", "collation", "comment", "let", "maxTimeMS"),
        ];
        arguments.RefuseOthers();
        return new(await database.Client.IterateAsync(database.Name, new Document(command)), IsIterable: true);
    }
}
