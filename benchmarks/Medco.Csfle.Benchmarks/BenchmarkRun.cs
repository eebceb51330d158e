using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Medco.Csfle.Peers;
using Perfolizer.Horology;

namespace Medco.Csfle.Benchmarks;

/// <summary>How BenchmarkDotNet runs: in this process, short iterations and many of them, for medians in a few minutes.</summary>
internal static class BenchmarkRun
{
    /// <summary>The configuration; benchmarks of what is not on this machine are left out.</summary>
    public static IConfig Config { get; } = ManualConfig.CreateEmpty()
        .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(3).WithIterationCount(15).WithIterationTime(TimeInterval.FromMilliseconds(100)).WithEvaluateOverhead(false))
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddColumn(StatisticColumn.Median)
        .AddLogger(ConsoleLogger.Default)
        .AddFilter(new SimpleFilter(@case => LibMongoCrypt.MissingReason is null || @case.Descriptor.WorkloadMethodDisplayInfo.Trim('\'') != Contestant.LibMongoCrypt))
        .WithArtifactsPath(Path.Combine("artifacts", "benchmarks"));

    /// <summary>Runs the benchmarks of a class.</summary>
    /// <param name="figures">Receives what they took. The work is their category, or without one what <paramref name="name"/> says.</param>
    /// <param name="name">Names the work of a benchmark without category.</param>
    /// <exception cref="InvalidOperationException">One of them failed.</exception>
    public static void Run<TBenchmarks>(Figures figures, Func<BenchmarkCase, string>? name = null)
    {
        var summary = BenchmarkRunner.Run<TBenchmarks>(Config);
        if (summary.HasCriticalValidationErrors || summary.Reports.Length == 0) throw new InvalidOperationException($"{typeof(TBenchmarks).Name} did not run.");
        foreach (var report in summary.Reports)
        {
            if (!report.Success || report.ResultStatistics is not { } statistics) throw new InvalidOperationException($"{report.BenchmarkCase.DisplayInfo} failed.");
            var work = name is null ? report.BenchmarkCase.Descriptor.Categories[0] : name(report.BenchmarkCase);
            figures.Add(work, report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''), statistics.Median, report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase));
        }
    }
}
