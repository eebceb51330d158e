using System.Diagnostics;

namespace Medco.Csfle.Mutation;

/// <summary>Runs a command of the .NET SDK to its end and keeps what it prints.</summary>
internal static class Tool
{
    /// <returns>Exit code and output, errors behind the rest; no exit code when it was ended since it took too long.</returns>
    public static async Task<(int? ExitCode, string Output)> RunAsync(string folder, TimeSpan patience, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_CLI_UI_LANGUAGE"] = "en", ["DOTNET_NOLOGO"] = "1" },
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(patience);
        int? exitCode;
        try
        {
            await process.WaitForExitAsync(limit.Token);
            exitCode = process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            exitCode = null;
        }

        return (exitCode, await output + await errors);
    }
}
