using System.Text.Json;

namespace Medco.Csfle.Mutation;

/// <summary>
/// How the engine is compiled, as MSBuild says it: the compiler's own arguments. With them one file can be taken from
/// elsewhere, so that neither the sources nor the outputs of the tree are touched, and a mutant costs one run of the compiler.
/// </summary>
internal sealed class Compilation
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string _project;
    private readonly string _compiler;
    private readonly IReadOnlyList<string> _arguments;

    private Compilation(string project, string compiler, IReadOnlyList<string> arguments)
    {
        _project = project;
        _compiler = compiler;
        _arguments = arguments;
    }

    /// <summary>Asks MSBuild. The project has been built before, in Release.</summary>
    /// <param name="project">The folder of the engine's project.</param>
    public static async Task<Compilation> OfAsync(string project)
    {
        var (exitCode, output) = await Tool.RunAsync(project, Patience,
        [
            "msbuild", "-nologo", "-t:Compile", "-p:Configuration=Release", "-p:TargetFramework=net10.0", "-p:RunAnalyzers=false",
            "-p:TreatWarningsAsErrors=false", "-p:GenerateDocumentationFile=false", "-p:BuildProjectReferences=false",

            // Arguments without a compilation, as for an editor; a file that never exists makes it always due.
            "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true", "-p:NonExistentFile=nowhere/none",
            "-getItem:CscCommandLineArgs", "-getProperty:RoslynTargetsPath",
        ]);
        if (exitCode != 0) throw new InvalidOperationException($"MSBuild does not say how the engine is compiled.\n{output}");
        using var answer = JsonDocument.Parse(output);
        var arguments = answer.RootElement.GetProperty("Items").GetProperty("CscCommandLineArgs").EnumerateArray()
            .Select(item => item.GetProperty("Identity").GetString()!).ToList();
        var roslyn = answer.RootElement.GetProperty("Properties").GetProperty("RoslynTargetsPath").GetString()!;
        return new Compilation(project, Path.Combine(roslyn, "bincore", "csc.dll"), arguments);
    }

    /// <summary>Compiles into a folder of its own.</summary>
    /// <param name="folder">Receives the assembly.</param>
    /// <param name="file">The source that is taken from elsewhere, below the project, or null.</param>
    /// <param name="text">What it says.</param>
    /// <returns>Null, or the compiler's errors.</returns>
    public async Task<string?> CompileAsync(string folder, string? file, string? text)
    {
        Directory.CreateDirectory(folder);
        var arguments = _arguments.Where(argument => !IsOutput(argument)).ToList();
        if (file is not null)
        {
            var changed = Path.Combine(folder, Path.GetFileName(file));
            await File.WriteAllTextAsync(changed, text);
            var place = arguments.FindIndex(argument => argument.Replace('\\', '/') == file);
            if (place < 0) return $"{file} is no source of the engine";
            arguments[place] = changed;
        }

        arguments.Add($"-out:{Path.Combine(folder, "Medco.Csfle.Engine.dll")}");
        var response = Path.Combine(folder, "compile.rsp");
        await File.WriteAllLinesAsync(response, arguments.Select(Quoted));
        var (exitCode, output) = await Tool.RunAsync(_project, Patience, ["exec", _compiler, "-noconfig", "-shared", $"@{response}"]);
        return exitCode == 0 ? null : string.Join('\n', output.Split('\n').Where(line => line.Contains("error", StringComparison.Ordinal)));
    }

    private static bool IsOutput(string argument)
        => new[] { "out:", "refout:", "doc:", "pdb:", "noconfig" }.Any(name => argument.AsSpan(1).StartsWith(name, StringComparison.OrdinalIgnoreCase));

    // A path may hold spaces.
    private static string Quoted(string argument) => argument.Contains(' ', StringComparison.Ordinal) && !argument.Contains('"', StringComparison.Ordinal) ? $"\"{argument}\"" : argument;
}
