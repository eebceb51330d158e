using System.Reflection;
using PublicApiGenerator;

namespace Medco.Csfle.PublicApi;

/// <summary>The public surface of an assembly, compared with the text that was last approved: a change of it is seen in review.</summary>
internal static class ApprovedApi
{
    private static readonly ApiGeneratorOptions Options = new()
    {
        // What the compiler and the build write, and differs between machines.
        ExcludeAttributes =
        [
            "System.Reflection.AssemblyMetadataAttribute",
            "System.Runtime.CompilerServices.InternalsVisibleToAttribute",
            "System.Runtime.Versioning.TargetFrameworkAttribute",
        ],
    };

    public static void Check(Assembly assembly)
    {
        var file = Path.Combine(Folder(), $"{assembly.GetName().Name}.approved.txt");
        var actual = assembly.GeneratePublicApi(Options).ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("CSFLE_APPROVE_API") == "1")
        {
            File.WriteAllText(file, actual);
            return;
        }

        var approved = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        Assert.True(
            approved == actual,
            $"""
            The public API of {assembly.GetName().Name} is not the one that {file} holds.
            {FirstDifference(approved, actual)}
            If the change is meant, run the test with CSFLE_APPROVE_API=1, which writes the file, and commit the file with the change.
            """);
    }

    private static string FirstDifference(string approved, string actual)
    {
        var before = approved.Split('\n');
        var after = actual.Split('\n');
        var same = before.Zip(after).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"First difference, in line {same + 1}:{Environment.NewLine}- {before.ElementAtOrDefault(same)}{Environment.NewLine}+ {after.ElementAtOrDefault(same)}";
    }

    private static string Folder()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "global.json"))) return Path.Combine(directory.FullName, "tests", "PublicApi");
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
