using System.Text.RegularExpressions;

namespace Medco.Csfle.Mutation;

/// <summary>A copy of the engine's built tests, in which the engine can be exchanged.</summary>
internal sealed partial class Suite
{
    // A fault can make a loop endless.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private static readonly string[] All = ["Analysis", "Cryptography", "Corpus", "CsfleEngine", "Property", "ReplyPlace", "Fuzz", "CheckWrites"];

    private readonly string _folder;

    /// <param name="built">Where the tests were built to.</param>
    /// <param name="folder">Where the copy goes, below the repository: tests look for its files upwards.</param>
    public Suite(string built, string folder)
    {
        _folder = folder;
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        foreach (var file in Directory.EnumerateFiles(built, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(built, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        // One failure is enough.
        File.WriteAllText(Path.Combine(folder, "xunit.runner.json"), """{ "stopOnFail": true }""");
    }

    /// <summary>Runs the tests with a given engine: first those of some classes, and if these pass, all.</summary>
    /// <returns>The first test that failed, or null.</returns>
    /// <exception cref="InvalidOperationException">No test was run.</exception>
    public async Task<string?> FirstFailureAsync(string engine, IReadOnlyList<string> classes)
    {
        File.Copy(engine, Path.Combine(_folder, Path.GetFileName(engine)), overwrite: true);
        return (classes.Count > 0 ? await RunAsync(classes) : null) ?? await RunAsync(All);
    }

    private async Task<string?> RunAsync(IEnumerable<string> classes)
    {
        var filter = string.Join('|', classes.Select(name => $"FullyQualifiedName~{name}"));
        var (exitCode, output) = await Tool.RunAsync(_folder, Patience, ["test", "Medco.Csfle.Engine.Tests.dll", "--filter", filter]);
        if (exitCode is null) return "none: the tests did not come to an end";
        if (Failure().Match(output) is { Success: true } failure) return failure.Groups["test"].Value;
        if (exitCode != 0) return "none: the test run broke off";
        return output.Contains("Passed!", StringComparison.Ordinal) ? null : throw new InvalidOperationException($"No test was run with the filter {filter}.\n{output}");
    }

    [GeneratedRegex(@"^\s+Failed (?:Medco\.Csfle\.Engine\.Tests\.)?(?<test>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Failure();
}
