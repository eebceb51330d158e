using System.Diagnostics;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>This program, started as a process of its own.</summary>
internal static class ChildProcess
{
    public static string Program => typeof(ChildProcess).Assembly.Location;

    public static string Dotnet => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>What an application prints that starts up.</summary>
    public static async Task<string> RunApplication(string kind, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Dotnet, [Program, "application", kind, .. arguments]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }
}
