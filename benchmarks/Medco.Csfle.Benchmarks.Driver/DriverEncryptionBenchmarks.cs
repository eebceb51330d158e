using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Medco.Csfle.TestServer;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Benchmarks.Driver;

/// <summary>One patient, by the engine and by MongoDB.Driver.Encryption.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class DriverEncryptionBenchmarks
{
    private readonly List<BsonBinaryData> _ciphertexts = [];
    private (BsonValue Value, EncryptOptions Options)[] _values = [];
    private PatientWork _work = null!;
    private Floor _floor = null!;
    private OfficialCrypt _official = null!;
    private InProcessMongoServer _server = null!;
    private MongoClient _client = null!;
    private ClientEncryption _explicit = null!;
    private byte[] _reply = [];

    [GlobalSetup]
    public void Setup()
    {
        _work = new PatientWork();
        _floor = _work.PatientFloor();
        _official = new OfficialCrypt(_work);
        _server = InProcessMongoServer.Start();
        _client = new MongoClient(_server.ConnectionString);
        var vault = CollectionNamespace.FromFullName("encryption.__keyVault");
        _client.GetDatabase(vault.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(vault.CollectionName)
            .InsertMany(_work.KeyDocuments.Select(key => BsonSerializer.Deserialize<BsonDocument>(key)));
        _explicit = new ClientEncryption(new ClientEncryptionOptions(_client, vault, new Dictionary<string, IReadOnlyDictionary<string, object>>
        {
            ["local"] = new Dictionary<string, object> { ["key"] = _work.MasterKey },
        }));

        var patient = BsonSerializer.Deserialize<BsonDocument>(_work.Insert)["documents"][0].AsBsonDocument;
        _values =
        [
            (patient["ssn"], With(EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Deterministic)),
            (patient["bloodType"], With(EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random)),
            (patient["medicalRecords"], With(EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random)),
            (patient["insurance"]["policyNumber"], With(EncryptionAlgorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Deterministic)),
        ];
        _reply = _work.Reply(1);
        foreach (var (value, options) in _values) _ciphertexts.Add(_explicit.Encrypt(value, options));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _explicit.Dispose();
        _client.Dispose();
        _server.Dispose();
        _official.Dispose();
        _floor.Dispose();
        _work.Dispose();
    }

    [Benchmark(Baseline = true, Description = Contestant.Floor), BenchmarkCategory(Work.Insert)]
    public void InsertFloor() => _floor.Encrypt();

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.Insert)]
    public ReadOnlyMemory<byte> Insert() => _work.Engine.EncryptCommand(PatientWork.Database, _work.Insert);

    [Benchmark(Description = Contestant.DriverEncryption), BenchmarkCategory(Work.Insert)]
    public byte[] InsertAutomatically() => _official.EncryptCommand(PatientWork.Database, _work.Insert);

    [Benchmark(Description = Contestant.DriverExplicit), BenchmarkCategory(Work.Insert)]
    public int InsertExplicitly()
    {
        var length = 0;
        foreach (var (value, options) in _values) length += _explicit.Encrypt(value, options).Bytes.Length;
        return length;
    }

    [Benchmark(Baseline = true, Description = Contestant.Floor), BenchmarkCategory(Work.Reply)]
    public void ReplyFloor() => _floor.Decrypt();

    [Benchmark(Description = Contestant.Engine), BenchmarkCategory(Work.Reply)]
    public ReadOnlyMemory<byte> Reply() => _work.Engine.DecryptReply(_reply);

    [Benchmark(Description = Contestant.DriverEncryption), BenchmarkCategory(Work.Reply)]
    public byte[] ReplyAutomatically() => _official.DecryptReply(_reply);

    [Benchmark(Description = Contestant.DriverExplicit), BenchmarkCategory(Work.Reply)]
    public int ReplyExplicitly()
    {
        var decrypted = 0;
        foreach (var ciphertext in _ciphertexts) decrypted += _explicit.Decrypt(ciphertext).IsBsonNull ? 0 : 1;
        return decrypted;
    }

    private EncryptOptions With(EncryptionAlgorithm algorithm) => new(algorithm, keyId: _work.KeyId);
}
