using System.Diagnostics;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>A test that starts a shell script, or builds a library with a C compiler.</summary>
internal sealed class UnixFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> HasCompiler = new(() =>
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("cc", "--version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    });

    public UnixFactAttribute(bool needsCompiler = false)
    {
        if (OperatingSystem.IsWindows()) Skip = "It starts a shell script.";
        else if (needsCompiler && !HasCompiler.Value) Skip = "There is no C compiler: 'cc --version' fails.";
    }
}
