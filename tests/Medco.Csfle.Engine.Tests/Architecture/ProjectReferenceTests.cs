using System.Reflection;
using System.Xml.Linq;

namespace Medco.Csfle.Engine.Tests.Architecture;

/// <summary>Which project may reference which: by the project files, and by what the compiler really bound to.</summary>
public class ProjectReferenceTests
{
    private const string Annotations = "src/Medco.Csfle.Annotations/Medco.Csfle.Annotations.csproj";
    private const string Engine = "src/Medco.Csfle.Engine/Medco.Csfle.Engine.csproj";

    [Fact]
    public void Annotations_reference_nothing()
    {
        var project = Repository.Projects[Annotations];

        Assert.Empty(project.Projects);
        Assert.Empty(project.Packages);
        Assert.Equal(["netstandard"], ReferencesOf(typeof(DeterministicAttribute).Assembly));
    }

    [Fact]
    public void Engine_references_the_annotations_and_the_logging_abstractions_alone()
    {
        var project = Repository.Projects[Engine];

        Assert.Equal([Annotations], project.Projects);
        Assert.Equal(["Microsoft.Extensions.Logging.Abstractions"], project.Packages);
    }

    [Fact]
    public void Engine_is_compiled_against_the_base_class_library_and_those_two_alone()
    {
        var baseClassLibrary = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var others = ReferencesOf(typeof(CsfleException).Assembly)
            .Where(name => !File.Exists(Path.Combine(baseClassLibrary, name + ".dll")))
            .Except(["Medco.Csfle.Annotations", "Microsoft.Extensions.Logging.Abstractions"]);

        Assert.Empty(others);
    }

    [Fact]
    public void Libraries_reference_libraries_alone()
        => Assert.All(
            Repository.Projects.Values.Where(project => project.Path.StartsWith("src/", StringComparison.Ordinal)),
            project => Assert.All(project.Projects, reference => Assert.StartsWith("src/", reference, StringComparison.Ordinal)));

    [Fact]
    public void The_model_of_an_application_needs_the_annotations_alone()
    {
        var model = Repository.Projects["samples/MedcoMd.Model/MedcoMd.Model.csproj"];

        Assert.Equal([Annotations], model.Projects);
        Assert.Empty(model.Packages);
    }

    [Theory]
    [InlineData(Engine)]
    [InlineData("samples/EngineTour/EngineTour.csproj")]
    [InlineData("tests/Medco.Csfle.TestServer/Medco.Csfle.TestServer.csproj")]
    public void No_driver_is_needed_by(string project)
        => Assert.DoesNotContain(Repository.ClosureOf(Repository.Projects[project]).SelectMany(each => each.Packages), Repository.IsDriverPackage);

    [Fact]
    public void Every_project_is_in_the_solution()
        => Assert.Equal(Repository.Projects.Keys.Order(StringComparer.Ordinal), Repository.Solution.Order(StringComparer.Ordinal));

    [Fact]
    public void The_driver_free_filter_holds_the_projects_that_need_no_driver_and_no_others()
        => Assert.Equal(
            Repository.Projects.Values.Where(project => !Repository.NeedsDriver(project)).Select(project => project.Path).Order(StringComparer.Ordinal),
            Repository.DriverFreeFilter.Order(StringComparer.Ordinal));

    [Fact]
    public void The_filter_without_libmongocrypt_holds_every_project_but_the_engine_that_needs_it_and_its_tests()
        => Assert.Equal(
            Repository.Projects.Values.Where(project => !Repository.NeedsLibMongoCrypt(project)).Select(project => project.Path).Order(StringComparer.Ordinal),
            Repository.LibMongoCryptFreeFilter.Order(StringComparer.Ordinal));

    [Fact]
    public void Nobody_else_needs_libmongocrypt()
        => Assert.Equal(
            [
                "benchmarks/Medco.Csfle.Benchmarks.Driver/Medco.Csfle.Benchmarks.Driver.csproj",
                "src/Medco.Csfle.LibMongoCrypt/Medco.Csfle.LibMongoCrypt.csproj",
                "tests/Medco.Csfle.Benchmarks.Driver.Tests/Medco.Csfle.Benchmarks.Driver.Tests.csproj",
                "tests/Medco.Csfle.LibMongoCrypt.Tests/Medco.Csfle.LibMongoCrypt.Tests.csproj",
            ],
            Repository.Projects.Values.Where(Repository.NeedsLibMongoCrypt).Select(project => project.Path).Order(StringComparer.Ordinal));

    /// <summary>What stands in a props file is referenced by every project and seen by none of the tests above.</summary>
    [Fact]
    public void References_stand_in_project_files_alone()
    {
        var props = Repository.Projects.Keys
            .Select(path => Path.Combine(Repository.Root, path.Split('/')[0]))
            .Append(Repository.Root)
            .Distinct()
            .SelectMany(folder => Directory.EnumerateFiles(folder, "Directory.*"))
            .Where(file => Path.GetExtension(file) is ".props" or ".targets")
            .ToList();

        Assert.NotEmpty(props);
        Assert.All(props, file => Assert.DoesNotContain(
            XDocument.Load(file).Descendants(),
            element => element.Name.LocalName is "PackageReference" or "GlobalPackageReference" or "ProjectReference" or "FrameworkReference" or "Reference"));
    }

    private static IEnumerable<string> ReferencesOf(Assembly assembly) => assembly.GetReferencedAssemblies().Select(name => name.Name!);
}
