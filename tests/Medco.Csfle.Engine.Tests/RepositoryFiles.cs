namespace Medco.Csfle.Engine.Tests;

/// <summary>The files of the repository that tests compare with the code: documentation and project files.</summary>
internal static class RepositoryFiles
{
    /// <summary>The folder with the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>The text of a file.</summary>
    public static string Read(string relative) => File.ReadAllText(Path.Combine(Root, relative));

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "global.json"))) return directory.FullName;
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
