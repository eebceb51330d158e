using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Medco.Csfle.Engine.Tests.Architecture;

/// <summary>One project file: what it references by its own words. Paths are relative to the repository, with <c>/</c>.</summary>
internal sealed record ProjectFile(string Path, IReadOnlyList<string> Projects, IReadOnlyList<string> Packages)
{
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    public override string ToString() => Path;
}

/// <summary>The repository these tests were built from: its projects, its solution and the filters of that.</summary>
internal static class Repository
{
    public static string Root => RepositoryFiles.Root;

    public static IReadOnlyDictionary<string, ProjectFile> Projects { get; } = ReadProjects();

    /// <summary>The projects in Medco.Csfle.sln.</summary>
    public static IReadOnlyList<string> Solution { get; } =
        [.. Regex.Matches(File.ReadAllText(Path.Combine(Root, "Medco.Csfle.sln")), "\"([^\"]+\\.csproj)\"").Select(match => Normalize(match.Groups[1].Value))];

    /// <summary>The projects in Medco.Csfle.NoDriver.slnf.</summary>
    public static IReadOnlyList<string> DriverFreeFilter { get; } = ReadFilter("Medco.Csfle.NoDriver.slnf");

    /// <summary>The projects in Medco.Csfle.NoLibMongoCrypt.slnf.</summary>
    public static IReadOnlyList<string> LibMongoCryptFreeFilter { get; } = ReadFilter("Medco.Csfle.NoLibMongoCrypt.slnf");

    /// <summary>A project and everything it references, directly and indirectly.</summary>
    public static IEnumerable<ProjectFile> ClosureOf(ProjectFile project)
    {
        var seen = new HashSet<string> { project.Path };
        var open = new Queue<ProjectFile>([project]);
        while (open.TryDequeue(out var next))
        {
            yield return next;
            foreach (var reference in next.Projects.Where(seen.Add)) open.Enqueue(Projects[reference]);
        }
    }

    /// <summary>Whether the project, or one it references, needs a package of the MongoDB driver or one that comes with it.</summary>
    public static bool NeedsDriver(ProjectFile project) => ClosureOf(project).SelectMany(each => each.Packages).Any(IsDriverPackage);

    /// <summary>Whether the project, or one it references, needs libmongocrypt, which is not on every source that has the driver.</summary>
    public static bool NeedsLibMongoCrypt(ProjectFile project) => ClosureOf(project).Any(each => each.Packages.Contains("MongoDB.Driver.Encryption"));

    public static bool IsDriverPackage(string package)
        => package.StartsWith("MongoDB.", StringComparison.OrdinalIgnoreCase)
            || package is "DnsClient" or "SharpCompress" or "Snappier" or "ZstdSharp.Port";

    private static Dictionary<string, ProjectFile> ReadProjects()
        => new[] { "src", "tests", "samples", "benchmarks" }
            .Select(folder => Path.Combine(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories))
            // Consumers of the packages: built by a test, against packages, and in no solution.
            .Where(file => !Normalize(Path.GetRelativePath(Root, file)).StartsWith("tests/Packages/", StringComparison.Ordinal))
            .Select(ReadProject)
            .ToDictionary(project => project.Path);

    private static ProjectFile ReadProject(string file)
    {
        var xml = XDocument.Load(file);
        var folder = Path.GetDirectoryName(file)!;
        return new ProjectFile(
            Normalize(Path.GetRelativePath(Root, file)),
            [.. Includes("ProjectReference").Select(path => Normalize(Path.GetRelativePath(Root, Path.Combine(folder, Normalize(path)))))],
            [.. Includes("PackageReference"), .. Includes("FrameworkReference"), .. Includes("Reference")]);

        IEnumerable<string> Includes(string item) => xml.Descendants(item).Select(element => (string)element.Attribute("Include")!);
    }

    private static string[] ReadFilter(string name)
    {
        using var filter = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, name)));
        return [.. filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray().Select(path => Normalize(path.GetString()!))];
    }

    private static string Normalize(string path) => path.Replace('\\', '/');
}
