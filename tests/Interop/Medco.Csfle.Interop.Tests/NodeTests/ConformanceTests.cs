using System.Text.Json;
using Medco.Csfle.TestServer;
using Medco.Csfle.TestServer.Aggregation;
using Medco.Csfle.TestServer.Commands;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Replication;
using Medco.Csfle.TestServer.Updates;
using Xunit.Abstractions;

namespace Medco.Csfle.Interop.Tests.NodeTests;

/// <summary>The conformance suite (<c>conformance/run.mjs</c>) against the in-process server.</summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    private static readonly Lazy<IReadOnlyList<Case>> Standalone = new(() => Run(InProcessMongoServer.Start));
    private static readonly Lazy<IReadOnlyList<Case>> ReplicaSet = new(() => Run(() => InProcessMongoServer.StartReplicaSet()));

    [NodeFact]
    public void A_standalone_keeps_what_the_manual_promises() => AssertKept(Standalone.Value, isReplicaSet: false);

    [NodeFact]
    public void A_replica_set_keeps_what_the_manual_promises() => AssertKept(ReplicaSet.Value, isReplicaSet: true);

    [NodeFact]
    public void Every_name_the_server_claims_has_a_case()
    {
        string[] claimed =
        [
            .. CommandTable.Names.Select(name => $"command {name}"),
            .. MatchParser.Names.Select(name => $"query {name}"),
            .. UpdateParser.Names.Select(name => $"update {name}"),
            .. PipelineParser.Names.Append(ChangeStream.Name).Select(name => $"stage {name}"),
            .. ExpressionParser.Names.Select(name => $"expression {name}"),
            .. Accumulator.Names.Select(name => $"accumulator {name}"),
        ];

        // A case counts that was run, and that was seen to send what it is about.
        var covered = ReplicaSet.Value.Where(found => found.Ok).SelectMany(found => found.Subjects).ToHashSet();

        output.WriteLine($"{claimed.Length} names are claimed.");
        var uncovered = claimed.Where(name => !covered.Contains(name)).ToArray();
        Assert.Empty(uncovered);
    }

    private static IReadOnlyList<Case> Run(Func<InProcessMongoServer> start)
    {
        using var server = start();
        return [.. NodeFactAttribute.Driver.Run(["conformance/run.mjs", server.ConnectionString, "--json"], "")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize<Case>(line, JsonSerializerOptions.Web)!)];
    }

    private void AssertKept(IReadOnlyList<Case> cases, bool isReplicaSet)
    {
        var failed = cases.Where(found => !found.Ok && found.Skipped is null).Select(found => $"{found.Theme} - {found.Name}\n    {found.Message}").ToArray();
        var skipped = cases.Count(found => found.Skipped is not null);
        output.WriteLine($"{cases.Count} cases, {failed.Length} failed, {skipped} skipped.");
        Assert.True(cases.Count > 500, "The suite ended early.");
        Assert.True(failed.Length == 0, $"{failed.Length} of {cases.Count} cases failed:\n{string.Join('\n', failed)}");

        // Only what needs a replica set is left out, and only where there is none.
        Assert.Equal(!isReplicaSet, skipped > 0);
    }

    private sealed record Case(string Theme, string Name, IReadOnlyList<string> Subjects, bool Ok, string? Message, string? Skipped);
}
