using System.Text.RegularExpressions;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Analysis.Match;
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
            _ => "refused",
        }));
        Assert.Equal(expected, Rows("## Query operators in place of a path").Select(row => (row[0], row[1])));
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
}
