using System.Diagnostics;

namespace Medco.Csfle.Packages;

/// <summary>
/// A program of tests/Packages, built as somebody else's would be: against the packed packages, from a package folder of its
/// own, with nothing of this repository's build.
/// </summary>
internal sealed class PackedConsumer : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("csfle-consumer-");
    private readonly string _name;

    private PackedConsumer(string name) => _name = name;

    /// <summary>Restores and builds the program for all its frameworks.</summary>
    /// <param name="name">The program.</param>
    /// <param name="package">The package it is about.</param>
    /// <param name="properties">Further MSBuild properties, as arguments.</param>
    public static async Task<PackedConsumer> Build(string name, string package, params string[] properties)
    {
        var packages = Path.GetFullPath(Environment.GetEnvironmentVariable("CSFLE_PACKAGES")!);
        var packed = Directory.EnumerateFiles(packages, $"{package}.*.nupkg").Single(file => char.IsDigit(Path.GetFileName(file)[package.Length + 1]));
        var version = Path.GetFileNameWithoutExtension(packed)[(package.Length + 1)..];
        var consumer = new PackedConsumer(name);
        await Dotnet(consumer._folder.FullName,
        [
            "build", Path.Combine(Repository(), "tests", "Packages", name), "-c", "Release", "--nologo", "-v", "quiet",
            "--artifacts-path", Path.Combine(consumer._folder.FullName, "out"),
            $"-p:CsfleVersion={version}", $"-p:RestoreAdditionalProjectSources={packages}",
            $"-p:RestorePackagesPath={Path.Combine(consumer._folder.FullName, "packages")}", .. properties,
        ]);

        // A package of the same version from elsewhere would prove nothing.
        var restored = Path.Combine(consumer._folder.FullName, "packages", package.ToLowerInvariant(), version, $"{package.ToLowerInvariant()}.{version}.nupkg");
        Assert.Equal(File.ReadAllBytes(packed), File.ReadAllBytes(restored));
        return consumer;
    }

    /// <summary>Runs the program in an empty folder.</summary>
    /// <param name="framework">The target framework; where its runtime is not installed, a later one runs it.</param>
    /// <param name="arguments">The program's arguments.</param>
    /// <returns>What it wrote.</returns>
    public Task<string> Run(string framework, params string[] arguments)
        => Dotnet(_folder.CreateSubdirectory($"run-{framework}").FullName,
            [Path.Combine(_folder.FullName, "out", "bin", _name, $"release_{framework}", $"{_name}.dll"), .. arguments]);

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task<string> Dotnet(string folder, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_ROLL_FORWARD"] = "Major";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}{Environment.NewLine}{await output}{await errors}");
        return await output;
    }

    private static string Repository()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "global.json"))) return directory.FullName;
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
