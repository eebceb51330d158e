using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>The operations of the runner itself, on a client without encryption and without events.</summary>
internal static class TestRunnerOperations
{
    private static readonly Dictionary<string, Func<SpecClient, SpecArguments, ValueTask<SpecResult>>> Operations = new()
    {
        ["failPoint"] = FailPoint,
        ["wait"] = Wait,
        ["assertCollectionExists"] = (client, arguments) => AssertCollection(client, arguments, exists: true),
        ["assertCollectionNotExists"] = (client, arguments) => AssertCollection(client, arguments, exists: false),
        ["assertIndexExists"] = (client, arguments) => AssertIndex(client, arguments, exists: true),
        ["assertIndexNotExists"] = (client, arguments) => AssertIndex(client, arguments, exists: false),
    };

    public static bool Has(string name) => Operations.ContainsKey(name);

    public static async ValueTask<SpecResult> RunAsync(SpecClient client, SpecArguments arguments)
    {
        var result = await Operations[arguments.Operation](client, arguments);
        arguments.RefuseOthers();
        return result;
    }

    private static async ValueTask<SpecResult> FailPoint(SpecClient client, SpecArguments arguments)
    {
        arguments.Required("client");
        await client.RunAsync("admin", arguments.Required("failPoint").Document);
        return SpecResult.None;
    }

    private static async ValueTask<SpecResult> Wait(SpecClient client, SpecArguments arguments)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(arguments.Required("ms").Whole()));
        return SpecResult.None;
    }

    private static async ValueTask<SpecResult> AssertCollection(SpecClient client, SpecArguments arguments, bool exists)
    {
        var name = arguments.Required("collectionName");
        var found = await client.IterateAsync(arguments.Text("databaseName"), SpecDocuments.Of(
            new("listCollections", SpecDocuments.Value(1)), new("filter", SpecDocuments.Value(SpecDocuments.Of(new Element("name", name))))));
        if (found.Document.Count > 0 != exists) throw new SpecFailure($"{arguments.Operation}: {name.Text}");
        return SpecResult.None;
    }

    private static async ValueTask<SpecResult> AssertIndex(SpecClient client, SpecArguments arguments, bool exists)
    {
        var name = arguments.Text("indexName");
        var indexes = await client.IterateAsync(arguments.Text("databaseName"), SpecDocuments.Of(new Element("listIndexes", arguments.Required("collectionName"))));
        if (indexes.Items.Any(index => index.Document.Text("name") == name) != exists) throw new SpecFailure($"{arguments.Operation}: {name}");
        return SpecResult.None;
    }
}
