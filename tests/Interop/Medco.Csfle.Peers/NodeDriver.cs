using System.Diagnostics;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Peers;

/// <summary>The official Node.js driver with its client-encryption addon: runs the scripts of <c>tests/Interop/node</c>.</summary>
public sealed class NodeDriver
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(2);

    private readonly string _folder;

    /// <summary>For the scripts in a folder.</summary>
    public NodeDriver(string folder) => _folder = folder;

    /// <summary>Why it cannot be used on this machine; null where it can.</summary>
    public string? MissingReason()
    {
        if (!Directory.Exists(Path.Combine(_folder, "node_modules", "mongodb-client-encryption", "build", "Release")))
        {
            return "The Node.js driver is not installed: run ./build.sh peers.";
        }

        try
        {
            using var node = Start(["--version"]);
            node.StandardInput.Close();
            node.WaitForExit();
            return node.ExitCode == 0 ? null : "Node.js does not run.";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "Node.js is not installed: run ./build.sh peers.";
        }
    }

    /// <summary>Runs a script.</summary>
    /// <param name="arguments">The script and its arguments.</param>
    /// <param name="input">What it reads.</param>
    /// <returns>What it wrote to standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed, or did not end in time.</exception>
    public string Run(IEnumerable<string> arguments, string input)
    {
        using var node = Start(arguments);
        var output = node.StandardOutput.ReadToEndAsync();
        var errors = node.StandardError.ReadToEndAsync();
        node.StandardInput.Write(input);
        node.StandardInput.Close();
        if (!node.WaitForExit(TimeLimit))
        {
            node.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"node {string.Join(' ', arguments)} did not end within {TimeLimit.TotalSeconds} s: {errors.Result}");
        }

        return node.ExitCode == 0 ? output.Result : throw new InvalidOperationException($"node {string.Join(' ', arguments)} failed: {output.Result}{errors.Result}");
    }

    /// <summary>Runs a scenario of <c>interop.mjs</c>.</summary>
    /// <param name="scenario">Its name.</param>
    /// <param name="settings">Its settings, one BSON document.</param>
    /// <returns>Its answer, one BSON document.</returns>
    public byte[] RunScenario(string scenario, byte[] settings)
        => ExtendedJson.ToBson(Run(["interop.mjs", scenario], ExtendedJson.ToJson(settings, ExtendedJsonMode.Canonical)));

    private Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("node")
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException("node did not start.");
    }
}
