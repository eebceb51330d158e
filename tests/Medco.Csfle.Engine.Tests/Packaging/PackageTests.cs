using System.IO.Compression;
using System.Xml.Linq;
using Medco.Csfle.Packages;

namespace Medco.Csfle.Engine.Tests.Packaging;

/// <summary>What the packages say of themselves and bring with them.</summary>
public sealed class PackageTests
{
    private static IReadOnlyList<string> Files { get; } =
        Environment.GetEnvironmentVariable("CSFLE_PACKAGES") is { Length: > 0 } folder ? [.. Directory.EnumerateFiles(folder, "*.nupkg").Order(StringComparer.Ordinal)] : [];

    [PackedFact]
    public void Annotations_and_engine_are_packed()
    {
        var ids = Files.Select(file => (string)Metadata(file).Element(Name(file, "id"))!).ToList();
        Assert.Contains("Medco.Csfle.Annotations", ids);
        Assert.Contains("Medco.Csfle.Engine", ids);
    }

    [PackedFact]
    public void Every_package_has_readme_icon_changes_licence_and_symbols()
        => Assert.All(Files, file =>
        {
            using var package = ZipFile.OpenRead(file);
            var metadata = Metadata(file);
            foreach (var entry in new[] { (string)metadata.Element(Name(file, "readme"))!, (string)metadata.Element(Name(file, "icon"))!, "CHANGELOG.md" })
            {
                Assert.True(package.GetEntry(entry)?.Length > 0, $"{file} has no {entry}");
            }

            Assert.Equal("Apache-2.0", (string)metadata.Element(Name(file, "license"))!);
            Assert.True(File.Exists(Path.ChangeExtension(file, ".snupkg")), $"{file} has no symbols");
            Assert.All(package.Entries.Where(entry => entry.Name.EndsWith(".dll", StringComparison.Ordinal)), entry =>
                Assert.NotNull(package.GetEntry(Path.ChangeExtension(entry.FullName, ".xml"))));
        });

    [PackedFact]
    public void The_driver_is_taken_from_the_first_version_without_its_plaintext_flaws_below_the_next_major_one()
        => Assert.All(
            Files.SelectMany(Dependencies).Where(dependency => dependency.Id.StartsWith("MongoDB.", StringComparison.Ordinal)),
            dependency => Assert.Equal("[3.13.0, 4.0.0)", dependency.Version));

    [PackedFact]
    public void Packages_of_one_release_belong_together()
        => Assert.All(Files, file =>
        {
            var version = (string)Metadata(file).Element(Name(file, "version"))!;
            Assert.All(
                Dependencies(file).Where(dependency => dependency.Id.StartsWith("Medco.", StringComparison.Ordinal)),
                dependency => Assert.Equal(dependency.Id == "Medco.Csfle.Annotations" ? version : $"[{version}]", dependency.Version));
        });

    [PackedFact]
    public void The_engine_brings_the_page_of_every_error()
    {
        using var package = ZipFile.OpenRead(Files.Single(file => Path.GetFileName(file).StartsWith("Medco.Csfle.Engine.", StringComparison.Ordinal)));
        Assert.All(
            Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "docs/errors"), "*.md"),
            page => Assert.NotNull(package.GetEntry($"docs/errors/{Path.GetFileName(page)}")));
    }

    private static IEnumerable<(string Id, string Version)> Dependencies(string file)
        => Metadata(file).Descendants(Name(file, "dependency")).Select(each => ((string)each.Attribute("id")!, (string)each.Attribute("version")!));

    private static XName Name(string file, string local) => Metadata(file).Name.Namespace + local;

    private static XElement Metadata(string file)
    {
        using var package = ZipFile.OpenRead(file);
        using var nuspec = package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(nuspec).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
    }
}
