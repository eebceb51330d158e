using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Medco.Csfle.Peers;

namespace Medco.Csfle.Benchmarks;

/// <summary>One patient with four encrypted fields: the insert command, the query by SSN and the reply.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class PatientBenchmarks
{
    private PatientWork _work = null!;
    private Floor _patientFloor = null!;
    private Floor _ssnFloor = null!;
    private LibMongoCrypt? _inserts;
    private LibMongoCrypt? _finds;
    private byte[] _reply = [];

    [GlobalSetup]
    public void Setup()
    {
        _work = new PatientWork();
        _patientFloor = _work.PatientFloor();
        _ssnFloor = _work.SsnFloor();
        _inserts = _work.LibMongoCryptFor(_work.Insert);
        _finds = _work.LibMongoCryptFor(_work.Find);
        _reply = _work.Reply(1);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _patientFloor.Dispose();
        _ssnFloor.Dispose();
        _work.Dispose();
    }

    [Benchmark(Baseline = true, Description = Contestant.Floor), BenchmarkCategory(Work.Insert)]
    public void InsertFloor() => _patientFloor.Encrypt();

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.Insert)]
    public ReadOnlyMemory<byte> Insert() => _work.Engine.EncryptCommand(PatientWork.Database, _work.Insert);

    [Benchmark(Description = Contestant.LibMongoCrypt), BenchmarkCategory(Work.Insert)]
    public byte[] InsertLibMongoCrypt() => _inserts!.EncryptCommand(PatientWork.Database, _work.Insert);

    [Benchmark(Baseline = true, Description = Contestant.Floor), BenchmarkCategory(Work.Find)]
    public void FindFloor() => _ssnFloor.Encrypt();

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.Find)]
    public ReadOnlyMemory<byte> Find() => _work.Engine.EncryptCommand(PatientWork.Database, _work.Find);

    [Benchmark(Description = Contestant.LibMongoCrypt), BenchmarkCategory(Work.Find)]
    public byte[] FindLibMongoCrypt() => _finds!.EncryptCommand(PatientWork.Database, _work.Find);

    [Benchmark(Baseline = true, Description = Contestant.Floor), BenchmarkCategory(Work.Reply)]
    public void ReplyFloor() => _patientFloor.Decrypt();

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.Reply)]
    public ReadOnlyMemory<byte> Reply() => _work.Engine.DecryptReply(_reply);

    [Benchmark(Description = Contestant.LibMongoCrypt), BenchmarkCategory(Work.Reply)]
    public byte[] ReplyLibMongoCrypt() => _inserts!.DecryptReply(_reply);
}
