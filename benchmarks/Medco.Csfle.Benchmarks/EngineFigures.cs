using System.Runtime.InteropServices;
using BenchmarkDotNet.Running;
using Medco.Csfle.Peers;

namespace Medco.Csfle.Benchmarks;

/// <summary>Everything that is measured without a driver.</summary>
internal static class EngineFigures
{
    private const int Rounds = 5;

    private static readonly TimeSpan RoundLength = TimeSpan.FromMilliseconds(250);

    /// <summary>Measures it.</summary>
    public static Figures Measure()
    {
        var figures = new Figures { Versions = [.. Machine(), LibMongoCrypt.MissingReason is null ? $"libmongocrypt {LibMongoCrypt.Version}" : "without libmongocrypt"] };
        if (LibMongoCrypt.MissingReason is { } reason)
        {
            figures.LeftOut.Add($"libmongocrypt: {reason}");
            Console.WriteLine($"*** The rows of libmongocrypt are left out. {reason}");
        }

        BenchmarkRun.Run<PatientBenchmarks>(figures);
        BenchmarkRun.Run<ReplyBenchmarks>(figures);
        BenchmarkRun.Run<NothingEncryptedBenchmarks>(figures);
        BenchmarkRun.Run<AnalysisBenchmarks>(figures, Analysed);
        Allocations.Measure(figures);
        Throughput.Measure(figures, Rounds, RoundLength);
        return figures;
    }

    /// <summary>What the figures of an analysis are called.</summary>
    public static string Analysis(AnalysisInput input, int quarters) => $"analysis of {input}, {quarters}/4";

    private static string Analysed(BenchmarkCase @case)
        => Analysis((AnalysisInput)@case.Parameters[nameof(AnalysisBenchmarks.Input)], (int)@case.Parameters[nameof(AnalysisBenchmarks.Quarters)]);

    private static IEnumerable<string> Machine()
    {
        const string ProcessorFile = "/proc/cpuinfo";
        var processor = File.Exists(ProcessorFile)
            ? File.ReadLines(ProcessorFile).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        yield return $"{processor ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} logical processors";
        yield return RuntimeInformation.OSDescription;
        yield return RuntimeInformation.FrameworkDescription;
    }
}
