using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;

namespace Medco.Csfle.Benchmarks;

/// <summary>Replies and commands on encrypted collections in which nothing is encrypted: the very bytes come back.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class NothingEncryptedBenchmarks
{
    private PatientWork _work = null!;

    [GlobalSetup]
    public void Setup()
    {
        _work = new PatientWork();
        MustBeSame(_work.PlainReply, Reply());
        MustBeSame(_work.PlainInsert, Insert());
    }

    [GlobalCleanup]
    public void Cleanup() => _work.Dispose();

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.PlainReply)]
    public ReadOnlyMemory<byte> Reply() => _work.Engine.DecryptReply(_work.PlainReply);

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.PlainInsert)]
    public ReadOnlyMemory<byte> Insert() => _work.Engine.EncryptCommand(PatientWork.Database, _work.PlainInsert);

    // Equal is not enough: memories are equal only where they are the same bytes of the same array.
    private static void MustBeSame(ReadOnlyMemory<byte> given, ReadOnlyMemory<byte> returned)
    {
        if (!given.Equals(returned)) throw new InvalidOperationException("Bytes without anything encrypted were copied.");
    }
}
