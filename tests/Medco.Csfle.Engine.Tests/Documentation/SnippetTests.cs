using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Documentation;

/// <summary>C# shown in the README and in docs/ is code that is compiled: it stands, line for line, in a project of the repository.</summary>
public sealed partial class SnippetTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_snippet_stands_in_a_file_that_is_compiled()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "samples"), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(path => Normalize(File.ReadAllText(path)))
            .ToList();
        var pages = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "docs"), "*.md").Append(Path.Combine(RepositoryFiles.Root, "README.md"));
        var count = 0;
        foreach (var page in pages)
        {
            foreach (Match snippet in Snippet().Matches(File.ReadAllText(page)))
            {
                count++;
                var text = Normalize(snippet.Groups[1].Value);
                Assert.True(sources.Any(source => source.Contains(text, StringComparison.Ordinal)), $"{page}: no compiled file holds{Environment.NewLine}{snippet.Groups[1].Value}");
            }
        }

        output.WriteLine($"{count} snippets");
        Assert.NotEqual(0, count);
    }

    // Indentation and empty lines differ between a page and a method.
    private static string Normalize(string code)
        => string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)) + "\n";

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();
}
