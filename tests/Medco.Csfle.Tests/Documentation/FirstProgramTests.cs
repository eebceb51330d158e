using System.Diagnostics;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>The README's first program, as a newcomer runs it: in a process of its own and an empty folder.</summary>
public sealed class FirstProgramTests
{
    [Fact]
    public async Task It_inserts_encrypted_reads_back_and_shows_ciphertext()
    {
        using var server = InProcessMongoServer.Start();
        var folder = Directory.CreateTempSubdirectory("first-program-");
        try
        {
            var first = await Run(server.ConnectionString, folder.FullName);
            var second = await Run(server.ConnectionString, folder.FullName);

            Assert.StartsWith("Jon Doe", first, StringComparison.Ordinal);
            Assert.StartsWith("Jon Doe", second, StringComparison.Ordinal);
            Assert.DoesNotContain("241014209", first, StringComparison.Ordinal);
            Assert.DoesNotContain("AB+", first, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> Run(string connectionString, string folder)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Medco.Csfle.FirstProgram.dll"), connectionString])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, await errors);
        return await output;
    }
}
