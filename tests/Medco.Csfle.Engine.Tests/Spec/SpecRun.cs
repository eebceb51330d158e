using Medco.Csfle.TestServer;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>One run of one test, on a server of its own: the unified test format's "Executing a Test".</summary>
internal sealed class SpecRun : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly SpecTest _test;
    private readonly bool _isAsync;
    private readonly SpecClient _plain;
    private readonly Dictionary<string, SpecClient> _clients = [];
    private readonly Dictionary<string, (SpecClient Client, HashSet<string> Kinds)> _observed = [];
    private readonly Dictionary<string, SpecDatabase> _databases = [];
    private readonly Dictionary<string, SpecCollection> _collections = [];
    private readonly Dictionary<string, SpecClientEncryption> _encryptions = [];
    private readonly Dictionary<string, Value> _results = [];
    private readonly Matching _matching;

    private SpecRun(SpecTest test, bool isAsync)
    {
        _test = test;
        _isAsync = isAsync;
        _plain = new SpecClient(_server, isAsync);
        _matching = new Matching(_results);
    }

    /// <summary>Runs a test on the engine's synchronous path, and then again on the asynchronous one.</summary>
    /// <exception cref="SpecFailure">Something is not as the test says.</exception>
    public static async Task RunAsync(SpecTest test)
    {
        foreach (var isAsync in new[] { false, true })
        {
            using var run = new SpecRun(test, isAsync);
            try
            {
                await run.ExecuteAsync();
            }
            catch (SpecFailure e)
            {
                throw new SpecFailure($"{(isAsync ? "asynchronous" : "synchronous")} path: {e.Message}");
            }
        }
    }

    public void Dispose()
    {
        foreach (var encryption in _encryptions.Values) encryption.Encryption.Dispose();
        foreach (var client in _clients.Values) client.Dispose();
        _plain.Dispose();
        _server.Dispose();
    }

    private async Task ExecuteAsync()
    {
        foreach (var data in _test.InitialData) await FillAsync(data);
        foreach (var (kind, body) in _test.Entities) Create(kind, body);
        foreach (var operation in _test.Operations) await ExecuteAsync(operation);
        foreach (var expected in _test.Body.Items("expectEvents")) CheckEvents(expected);
        foreach (var expected in _test.Body.Items("outcome")) await CheckOutcomeAsync(expected);
    }

    private async Task FillAsync(Document data)
    {
        var database = data.Text("databaseName");
        var collection = SpecDocuments.Value(data.Text("collectionName"));
        var options = data.OptionalDocument("createOptions") ?? Document.Empty;
        await _plain.RunAsync(database, SpecDocuments.Of([new("create", collection), .. options.Elements]));
        var documents = data.Find("documents")!;
        if (documents.Document.Count == 0) return;
        await _plain.RunAsync(database, SpecDocuments.Of(
            new("insert", collection), new("documents", documents)));
    }

    private void Create(string kind, Document body)
    {
        var id = body.Text("id");
        switch (kind)
        {
            case "client":
                CreateClient(id, body);
                break;
            case "database":
                _databases.Add(id, new SpecDatabase(_clients[body.Text("client")], body.Text("databaseName")));
                break;
            case "collection":
                var database = _databases[body.Text("database")];
                _collections.Add(id, new SpecCollection(database.Client, database.Name, body.Text("collectionName")));
                break;
            case "clientEncryption":
                var options = body.OptionalDocument("clientEncryptionOpts")!;
                var keyVaultClient = _clients[options.Text("keyVaultClient")];
                _encryptions.Add(id, new SpecClientEncryption(keyVaultClient, new SpecEncryption(options, [], () => keyVaultClient, discoversSchemas: false)));
                break;
            default:
                throw new SpecFailure($"this runner has no entity of the kind '{kind}'");
        }
    }

    private void CreateClient(string id, Document body)
    {
        var arguments = new SpecArguments($"client {id}", body);
        arguments.Required("id");
        // One server that never fails over has nothing to retry, and nothing else that an address could say.
        var timeout = arguments.Optional("uriOptions")?.Document is { } uriOptions ? UriTimeout(uriOptions) : null;
        arguments.Optional("useMultipleMongoses");
        SpecClient? client = null;
        var encryption = arguments.Optional("autoEncryptOpts")?.Document is { } options
            ? new SpecEncryption(options, DatabasesOfClients(), () => client!, discoversSchemas: true)
            : null;
        HashSet<string> kinds = [.. arguments.Optional("observeEvents")?.Items.Select(kind => kind.Text) ?? []];
        HashSet<string> ignored = [.. arguments.Optional("ignoreCommandMonitoringEvents")?.Items.Select(name => name.Text) ?? []];
        arguments.RefuseOthers();
        client = new SpecClient(_server, _isAsync) { Encryption = encryption, Timeout = timeout, IgnoredCommands = ignored };
        _clients.Add(id, client);
        _observed.Add(id, (client, kinds));
    }

    private static TimeSpan? UriTimeout(Document options)
    {
        var arguments = new SpecArguments("uriOptions", options);
        var timeout = arguments.Optional("timeoutMS");
        arguments.Optional("retryReads");
        arguments.Optional("retryWrites");
        arguments.RefuseOthers();
        return timeout is null ? null : TimeSpan.FromMilliseconds(timeout.Whole());
    }

    // The library writes to a collection without a schema only where it was told that it may; the tests know no such rule.
    private IEnumerable<string> DatabasesOfClients()
        => _test.Entities.Where(entity => entity.Kind == "database").Select(entity => entity.Body.Text("databaseName")).Distinct();

    private async Task ExecuteAsync(Document operation)
    {
        var name = operation.Text("name");
        var target = operation.Text("object");
        var arguments = new SpecArguments(name, operation.OptionalDocument("arguments"));
        SpecResult result;
        try
        {
            result = await RunAsync(target, arguments);
        }
        catch (Exception e) when (ExpectedError.IsLegitimate(e))
        {
            if (operation.Flag("ignoreResultAndError")) return;
            if (operation.OptionalDocument("expectError") is not { } expected) throw new SpecFailure($"{target}.{name} failed: {e.GetType().Name}: {e.Message}");
            ExpectedError.Check(expected, e, _matching);
            return;
        }

        if (operation.Flag("ignoreResultAndError")) return;
        if (operation.OptionalDocument("expectError") is { } error) throw new SpecFailure($"{target}.{name} succeeded, but was to fail: {error.Json()}");
        CheckResult($"{target}.{name}", operation.Find("expectResult"), result);
        if (operation.OptionalText("saveResultAsEntity") is { } entity) _results.Add(entity, result.Value ?? throw new SpecFailure($"{name} has no result to save"));
    }

    private void CheckResult(string path, Value? expected, SpecResult result)
    {
        if (expected is null) return;
        if (result is { IsIterable: true, Value: { } items }) _matching.CheckArray(expected, items, path, itemsAreRoot: true);
        else _matching.Check(expected, result.Value, path, isRoot: true);
    }

    private ValueTask<SpecResult> RunAsync(string target, SpecArguments arguments)
    {
        if (target == "testRunner") return TestRunnerOperations.RunAsync(_plain, arguments);
        if (_collections.TryGetValue(target, out var collection)) return collection.Client.LimitAsync(() => CollectionOperations.RunAsync(collection, arguments));
        if (_databases.TryGetValue(target, out var database)) return database.Client.LimitAsync(() => DatabaseOperations.RunAsync(database, arguments));
        return _encryptions.TryGetValue(target, out var encryption)
            ? encryption.Client.LimitAsync(() => ClientEncryptionOperations.RunAsync(encryption, arguments))
            : throw new SpecFailure($"there is no entity '{target}' with operations");
    }

    private void CheckEvents(Document expected)
    {
        var id = expected.Text("client");
        if ((expected.OptionalText("eventType") ?? "command") != "command") throw new SpecFailure("this runner has the events of commands only");
        var (client, kinds) = _observed[id];
        SpecEvent[] actual = [.. client.Events.Where(published => kinds.Contains(published.Kind))];
        Document[] events = [.. expected.Items("events")];
        var isCountRight = expected.Flag("ignoreExtraEvents") ? actual.Length >= events.Length : actual.Length == events.Length;
        for (var i = 0; i < Math.Min(events.Length, actual.Length); i++) CheckEvent(events[i][0], actual[i], $"{id}.events[{i}]");
        if (!isCountRight) throw new SpecFailure($"{id}: expected {events.Length} events, found {actual.Length}: {string.Join("; ", actual.AsEnumerable())}");
    }

    private void CheckEvent(Element expected, SpecEvent actual, string path)
    {
        if (expected.Name != actual.Kind) throw new SpecFailure($"{path}: expected {expected.Name}, found {actual}");
        foreach (var (name, value) in expected.Value.Document.Elements)
        {
            switch (name)
            {
                case "command" or "reply":
                    _matching.Check(value, new Value(actual.Body), $"{path}.{actual.Command}", isRoot: true);
                    break;
                case "commandName":
                    _matching.Check(value, SpecDocuments.Value(actual.Command), $"{path}.commandName", isRoot: false);
                    break;
                case "databaseName":
                    _matching.Check(value, SpecDocuments.Value(actual.Database), $"{path}.databaseName", isRoot: false);
                    break;
                default:
                    throw new SpecFailure($"{path}: this runner does not know '{name}'");
            }
        }
    }

    private async Task CheckOutcomeAsync(Document expected)
    {
        var ns = $"{expected.Text("databaseName")}.{expected.Text("collectionName")}";
        var documents = await _plain.IterateAsync(expected.Text("databaseName"), SpecDocuments.Of(
            new("find", SpecDocuments.Value(expected.Text("collectionName"))),
            new("sort", SpecDocuments.Value(SpecDocuments.Of(new Element("_id", SpecDocuments.Value(1)))))));
        var wanted = expected.Find("documents")!;
        if (!Matching.AreIdentical(wanted, documents)) throw new SpecFailure($"outcome of {ns}: expected {wanted.Json()}, found {documents.Json()}");
    }
}
