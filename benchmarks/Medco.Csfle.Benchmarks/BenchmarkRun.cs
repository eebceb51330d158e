using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Medco.Csfle.Peers;
using Perfolizer.Horology;

namespace Medco.Csfle.Benchmarks;

/// <summary>How BenchmarkDotNet runs, where it is asked to: in this process, with short iterations.</summary>
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
}
