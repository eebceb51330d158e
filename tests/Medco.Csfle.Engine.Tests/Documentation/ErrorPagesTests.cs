using System.Reflection;
using System.Text.RegularExpressions;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Documentation;

/// <summary>docs/errors/ has a page for every code, the index a row for every page, and errors link to them.</summary>
public sealed partial class ErrorPagesTests
{
    private const string Index = "docs/errors/README.md";

    private static readonly IReadOnlyList<string> Codes =
        [.. typeof(CsfleErrorCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_code_has_its_page()
    {
        foreach (var code in Codes.Where(code => !File.Exists(FileOf(code))))
        {
            Assert.Fail($"""
                docs/errors/{code}.md is missing. Create it:

                # {code}: <what it is, as in the index>

                Raised as `<exception>`.

                <what it means, and why it is refused or what went wrong>

                ## What to do

                <the remedy>

                ## Related

                - [CSFLE....](CSFLE....md): <what it is>

                and add its row to {Index}:

                | [{code}]({code}.md) | <what it is> |
                """);
        }

        Assert.All(Codes, code =>
        {
            var page = File.ReadAllText(FileOf(code));
            Assert.StartsWith($"# {code}: ", page, StringComparison.Ordinal);
            Assert.Contains("\n## What to do\n", page, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Every_page_has_its_code()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "docs/errors"), "CSFLE*.md").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);
        Assert.Equal(Codes, pages);
    }

    [Fact]
    public void The_index_has_a_row_for_every_page_with_its_title()
    {
        var rows = Row().Matches(RepositoryFiles.Read(Index)).Select(row => $"{row.Groups[1].Value}: {row.Groups[2].Value}");
        Assert.Equal(Codes.Select(code => File.ReadLines(FileOf(code)).First()[2..]), rows);
    }

    [Fact]
    public void The_help_link_of_an_error_leads_to_its_page()
    {
        var error = Assert.Throws<BsonFormatException>(() => ExtendedJson.ToJson([]));

        Assert.Equal("docs/errors/CSFLE1001.md", error.HelpLink);
        Assert.All(Codes, code => Assert.True(File.Exists(Path.Combine(RepositoryFiles.Root, $"{CsfleException.HelpAddress}{code}.md")), code));
    }

    [Fact]
    public void Links_between_pages_lead_somewhere()
    {
        var links = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(RepositoryFiles.Root, "README.md"))
            .SelectMany(page => Link().Matches(File.ReadAllText(page)).Select(link => (Page: page, Target: link.Groups[1].Value)))
            .Where(link => !link.Target.Contains("://", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.True(
            Path.Exists(Path.Combine(Path.GetDirectoryName(link.Page)!, link.Target)), $"{link.Page} links to {link.Target}, which is not there."));
    }

    private static string FileOf(string code) => Path.Combine(RepositoryFiles.Root, $"docs/errors/{code}.md");

    [GeneratedRegex("^\\| \\[(CSFLE\\d+)\\]\\(\\1\\.md\\) \\| (.*) \\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("\\]\\(([^)#\\s]+)(?:#[^)]*)?\\)")]
    private static partial Regex Link();
}
