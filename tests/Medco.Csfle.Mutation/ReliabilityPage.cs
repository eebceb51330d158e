namespace Medco.Csfle.Mutation;

/// <summary>The section of docs/reliability.md that this program writes, between two marks.</summary>
internal static class ReliabilityPage
{
    private const string Begin = "<!-- mutation check: written by build.sh mutate -->";
    private const string End = "<!-- end of the mutation check -->";

    public static string Table(IReadOnlyCollection<Outcome> outcomes)
    {
        var killed = outcomes.Count(outcome => outcome.Verdict == Verdict.Killed);
        var rows = outcomes.OrderBy(outcome => outcome.Mutant.Number)
            .Select(outcome => $"| {outcome.Mutant.Number} | {outcome.Mutant.Name} | `{outcome.Mutant.File}` | {Result(outcome)} |");
        return $"""
            {killed} of {outcomes.Count} faults are caught.

            | | Fault | In | Caught by |
            | --- | --- | --- | --- |
            {string.Join('\n', rows)}
            """;
    }

    public static string With(string page, string table)
    {
        var begin = page.IndexOf(Begin, StringComparison.Ordinal);
        var end = page.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin) throw new FormatException("docs/reliability.md has not the two marks between which the mutation check is written.");
        return $"{page[..begin]}{Begin}\n\n{table}\n\n{page[end..]}";
    }

    private static string Result(Outcome outcome) => outcome.Verdict switch
    {
        Verdict.Killed => $"`{outcome.Detail}`",
        Verdict.Survived => "**nothing**",
        _ => $"not tried: {outcome.Detail.ReplaceLineEndings(" ")}",
    };
}
