using System.Runtime.InteropServices;
using Medco.Csfle.Peers;

namespace Medco.Csfle.Benchmarks;

/// <summary>Everything that is measured without a driver.</summary>
internal static class EngineFigures
{
    private const int Rounds = 9;

    private static readonly TimeSpan RoundLength = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(2);
    private static readonly int[] Quarters = [1, 2, 4];

    /// <summary>Measures it.</summary>
    public static Figures Measure()
    {
        var figures = new Figures { Versions = [.. Machine(), LibMongoCrypt.MissingReason is null ? $"libmongocrypt {LibMongoCrypt.Version}" : "without libmongocrypt"] };
        if (LibMongoCrypt.MissingReason is { } reason)
        {
            figures.LeftOut.Add($"libmongocrypt: {reason}");
            Console.WriteLine($"*** The rows of libmongocrypt are left out. {reason}");
        }

        Interleaved.Measure(figures, Budget, Slice, (new PatientBenchmarks(), null));
        Interleaved.Measure(figures, Budget, Slice, (new ReplyBenchmarks(), null));
        Interleaved.Measure(figures, Budget, Slice, (new NothingEncryptedBenchmarks(), null));
        foreach (var input in Enum.GetValues<AnalysisInput>())
        {
            Interleaved.Measure(figures, Budget, Slice, [.. Quarters.Select(quarters => ((object)new AnalysisBenchmarks { Input = input, Quarters = quarters }, (string?)Analysis(input, quarters)))]);
        }

        Allocations.Measure(figures);
        Throughput.Measure(figures, Rounds, RoundLength);
        return figures;
    }

    /// <summary>What the figures of an analysis are called.</summary>
    public static string Analysis(AnalysisInput input, int quarters) => $"analysis of {input}, {quarters}/4";

    private static IEnumerable<string> Machine()
    {
        const string ProcessorFile = "/proc/cpuinfo";
        const string LoadFile = "/proc/loadavg";
        var processor = File.Exists(ProcessorFile)
            ? File.ReadLines(ProcessorFile).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        yield return $"{processor ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} logical processors";
        yield return RuntimeInformation.OSDescription;
        yield return RuntimeInformation.FrameworkDescription;

        // Ours is not in it yet: whoever reads the page sees how much else the machine had to do.
        if (File.Exists(LoadFile)) yield return $"load of the machine when the run began: {File.ReadAllText(LoadFile).Split(' ')[0]} (runnable threads, mean of the minute before)";
    }
}
