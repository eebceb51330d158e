using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// The official tests in MongoDB's unified test format: those of the vectors, or of the folder that the environment variable
/// <c>CSFLE_SPEC_TESTS</c> names. Nothing of them is part of the project.
/// </summary>
internal static class SpecSuite
{
    public const string FolderVariable = "CSFLE_SPEC_TESTS";

    private static readonly Lazy<IReadOnlyList<SpecTest>> Loaded = new(Load);

    /// <summary>Why none of the tests can run, or null.</summary>
    public static string? SkipReason
        => OfficialVectors.SkipReason ?? (Directory.Exists(Folder) ? null : $"the folder that {FolderVariable} names does not exist: {Folder}");

    /// <summary>Every test of every file, in the order of the files' names.</summary>
    public static IReadOnlyList<SpecTest> Tests => Loaded.Value;

    /// <summary>A test by its file's name without extension, and its own.</summary>
    public static SpecTest Find(string file, string description)
        => Tests.First(test => test.File == file && test.Description == description);

    private static string Folder
        => Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder ? folder : OfficialVectors.PathOf("csfle/unified");

    private static IReadOnlyList<SpecTest> Load()
    {
        var tests = new List<SpecTest>();
        foreach (var path in Directory.EnumerateFiles(Folder, "*.json").Order(StringComparer.Ordinal))
        {
            var content = Document.Parse(ExtendedJson.ToBson(File.ReadAllText(path)));
            var file = Path.GetFileNameWithoutExtension(path);
            foreach (var test in content.Find("tests")!.Items)
            {
                var description = test.Document.Find("description")!.Text;
                if (tests.Exists(other => other.File == file && other.Description == description))
                {
                    throw new InvalidDataException($"{path} has two tests named '{description}'.");
                }

                tests.Add(new SpecTest(file, description, content, test.Document));
            }
        }

        return tests;
    }
}

/// <summary>One test of a file.</summary>
/// <param name="File">The file's name without extension.</param>
/// <param name="Description">The test's name.</param>
/// <param name="Content">The whole file.</param>
/// <param name="Body">The test in it.</param>
internal sealed record SpecTest(string File, string Description, Document Content, Document Body)
{
    public IEnumerable<Document> Operations => Body.Items("operations");

    public IEnumerable<Document> InitialData => Content.Items("initialData");

    /// <summary>The entities to create, each as its kind and what it is.</summary>
    public IEnumerable<(string Kind, Document Body)> Entities
        => Content.Items("createEntities").Select(entity => (entity[0].Name, entity[0].Value.Document));

    public override string ToString() => $"{File}: {Description}";
}
