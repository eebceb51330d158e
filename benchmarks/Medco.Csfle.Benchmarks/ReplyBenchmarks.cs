using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Medco.Csfle.Peers;

namespace Medco.Csfle.Benchmarks;

/// <summary>Replies of many patients. The floor decrypts one patient as often.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class ReplyBenchmarks
{
    private PatientWork _work = null!;
    private Floor _floor = null!;
    private LibMongoCrypt? _peer;
    private byte[] _hundred = [];
    private byte[] _tenThousand = [];

    [GlobalSetup]
    public void Setup()
    {
        _work = new PatientWork();
        _floor = _work.PatientFloor();
        _peer = _work.LibMongoCryptFor(_work.Insert);
        _hundred = _work.Reply(100);
        _tenThousand = _work.Reply(10_000);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _floor.Dispose();
        _work.Dispose();
    }

    [Benchmark(Baseline = true, Description = Contestant.Floor), BenchmarkCategory(Work.ReplyOf100)]
    public void HundredFloor() => Floors(100);

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.ReplyOf100)]
    public ReadOnlyMemory<byte> Hundred() => _work.Engine.DecryptReply(_hundred);

    [Benchmark(Description = Contestant.LibMongoCrypt), BenchmarkCategory(Work.ReplyOf100)]
    public byte[] HundredLibMongoCrypt() => _peer!.DecryptReply(_hundred);

    [Benchmark(Baseline = true, Description = Contestant.Floor), BenchmarkCategory(Work.ReplyOf10000)]
    public void TenThousandFloor() => Floors(10_000);

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.ReplyOf10000)]
    public ReadOnlyMemory<byte> TenThousand() => _work.Engine.DecryptReply(_tenThousand);

    [Benchmark(Description = Contestant.LibMongoCrypt), BenchmarkCategory(Work.ReplyOf10000)]
    public byte[] TenThousandLibMongoCrypt() => _peer!.DecryptReply(_tenThousand);

    private void Floors(int patients)
    {
        for (var i = 0; i < patients; i++) _floor.Decrypt();
    }
}
