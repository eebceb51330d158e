using BenchmarkDotNet.Running;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Benchmarks.Driver;

/// <summary>Everything that is measured with a driver. A class of its own, so that a cold start loads nothing of it.</summary>
internal static class DriverFigures
{
    private const int Rounds = 10;
    private const int Operations = 50;
    private const int ColdStarts = 11;

    /// <summary>Measures it into a file.</summary>
    public static void Measure(string file)
    {
        var figures = new Figures { Versions = [Version(typeof(MongoClient)), Version(typeof(ClientEncryption))] };
        Interleaved.Measure(figures, TimeSpan.FromSeconds(20), TimeSpan.FromMilliseconds(2), (new DriverEncryptionBenchmarks(), null));
        using (var endToEnd = new EndToEnd()) endToEnd.Measure(figures, Rounds, Operations);

        ColdStart.Measure(figures, Program(), ColdStarts);
        foreach (var figure in figures.All) Console.WriteLine($"{figure.Work}, {figure.Who}: {figure.Median / 1000:N1} us");
        figures.Save(file);
    }

    /// <summary>Lets BenchmarkDotNet choose by its arguments.</summary>
    public static void Switch(string[] args) => BenchmarkSwitcher.FromAssembly(typeof(DriverFigures).Assembly).Run(args, BenchmarkRun.Config);

    /// <summary>The command line that starts this program: its host, or that of .NET with its assembly.</summary>
    public static string[] Program()
    {
        var assembly = typeof(DriverFigures).Assembly.Location;
        var host = Path.ChangeExtension(assembly, OperatingSystem.IsWindows() ? ".exe" : null);
        return File.Exists(host) ? [host] : ["dotnet", assembly];
    }

    private static string Version(Type type) => $"{type.Assembly.GetName().Name} {type.Assembly.GetName().Version?.ToString(3)}";
}
