namespace Medco.Csfle.Engine.Tests;

/// <summary>An empty folder of its own for one test, gone with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("csfle-test-");

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public string[] Names() => [.. _folder.GetFileSystemInfos().Select(info => info.Name).Order(StringComparer.Ordinal)];

    public void Dispose() => _folder.Delete(recursive: true);
}
