using System.Text.RegularExpressions;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Analysis.Update;

namespace Medco.Csfle.Engine.Tests.Documentation;

/// <summary>docs/operators.md says what the operator tables say.</summary>
public sealed partial class OperatorsPageTests
{
    [Fact]
    public void Query_operators_at_a_path()
    {
        var expected = MatchOperators.AtPath.Select(entry => (entry.Key, Describe(entry.Value)));
        Assert.Equal(expected, Rows("## Query operators at a path").Select(row => (row[0], string.Join(" | ", row[1..]))));

        static string Describe(MatchRule rule) => rule switch
        {
            MatchRule.Equality => "passes | encrypted | refused",
            MatchRule.Membership => "passes | each element encrypted | refused",
            MatchRule.Existence => "passes | passes | passes",
            MatchRule.Negation => "as what it negates | as what it negates | as what it negates",
            MatchRule.ArrayElements or MatchRule.PlaintextOnly => "passes | refused | refused",
            _ => throw new ArgumentOutOfRangeException(nameof(rule)),
        };
    }

    [Fact]
    public void Query_operators_in_place_of_a_path()
    {
        var expected = MatchOperators.TopLevel.Select(entry => (entry.Key, entry.Value switch
        {
            TopLevelRule.Logical => "each branch by itself",
            TopLevelRule.Comment => "passes",
            TopLevelRule.Expression => "constants compared with deterministic fields are encrypted, see below",
            _ => "refused",
        }));
        Assert.Equal(expected, Rows("## Query operators in place of a path").Select(row => (row[0], row[1])));
    }

    [Fact]
    public void Aggregation_stages()
    {
        var expected = PipelineStages.All.Select(entry => (entry.Key, entry.Value.Position == StagePosition.First ? "first" : "anywhere"));
        Assert.Equal(expected, Rows("## Aggregation stages").Select(row => (row[0], row[1])));
        Assert.All(Rows("## Aggregation stages"), row => Assert.Equal(3, row.Length));
    }

    [Fact]
    public void Group_accumulators()
    {
        var expected = Accumulators.All.Select(entry => (entry.Key, entry.Value switch
        {
            AccumulatorRule.Collect => "passes | passes | passes",
            AccumulatorRule.CollectDistinct => "passes | passes | refused",
            _ => "passes | refused | refused",
        }));
        Assert.Equal(expected, Rows("## Accumulators").Select(row => (row[0], string.Join(" | ", row[1..]))));
    }

    [Fact]
    public void Expression_operators()
    {
        var text = Section("## Expression operators");
        var expected = ExpressionOperators.All.Where(entry => entry.Value != ExpressionRule.PlaintextOnly).Select(entry => (entry.Key, entry.Value switch
        {
            ExpressionRule.Comparison => "compared with a constant, which is encrypted",
            ExpressionRule.Membership => "compared with an array of constants, which are encrypted",
            ExpressionRule.Condition or ExpressionRule.Switch => "may be chosen; not a condition",
            ExpressionRule.FirstPresent => "may be chosen",
            ExpressionRule.Binding => "in `in`, as that allows; no variable",
            ExpressionRule.Constant => "is not read",
            ExpressionRule.Iteration => "refused",
            ExpressionRule.FieldAccess => "refused, also without an `input`",
            _ => throw new InvalidOperationException(entry.Key),
        }));
        Assert.Equal(expected, Rows("## Expression operators").Select(row => (row[0], row[1])));

        const string Plain = "These operators take plain fields only: ";
        var line = text[text.IndexOf(Plain, StringComparison.Ordinal)..].Split('\n')[0];
        Assert.Equal(
            ExpressionOperators.All.Where(entry => entry.Value == ExpressionRule.PlaintextOnly).Select(entry => entry.Key),
            Operator().Matches(line).Select(match => match.Groups[1].Value));
    }

    [Fact]
    public void Update_operators()
    {
        var expected = UpdateOperators.All.Select(entry => (entry.Key, "passes", entry.Value.Rule switch
        {
            UpdateRule.Assignment => "encrypted",
            UpdateRule.Removal => "passes",
            UpdateRule.Renaming => "passes between fields encrypted in the same way",
            _ => "refused",
        }));
        Assert.Equal(expected, Rows("## Update operators").Select(row => (row[0], row[1], row[2])));
    }

    [Fact]
    public void Commands()
    {
        var text = Section("## Commands");
        var listed = Rows("## Commands").Select(row => row[0]).ToHashSet();
        var bypassed = Code().Matches(text[text.IndexOf("Passed unread", StringComparison.Ordinal)..]).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Equal(CommandTable.Rules.Where(rule => rule.Value == CommandRule.Analysed).Select(rule => rule.Key).Order(), listed.Order());
        Assert.Equal(CommandTable.Rules.Where(rule => rule.Value == CommandRule.Bypassed).Select(rule => rule.Key).Order(), bypassed.Order());
    }

    // The cells of the table under a heading, without its two header lines; the first cell without its back-quotes.
    private static IEnumerable<string[]> Rows(string heading)
        => Section(heading).Split('\n').Where(line => line.StartsWith('|')).Skip(2)
            .Select(line => line.Trim('|', '\r', ' ').Split(" | "))
            .Select(cells => (string[])[cells[0].Trim('`'), .. cells[1..]]);

    private static string Section(string heading)
    {
        var page = RepositoryFiles.Read("docs/operators.md");
        var start = page.IndexOf(heading + "\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/operators.md has no '{heading}'");
        var end = page.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        return end < 0 ? page[start..] : page[start..end];
    }

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex Code();

    [GeneratedRegex("`(\\$\\w+)`")]
    private static partial Regex Operator();
}
