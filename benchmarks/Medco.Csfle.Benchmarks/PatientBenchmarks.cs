using System.Text.Json;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using MedcoMd.Model;

namespace Medco.Csfle.Benchmarks;

/// <summary>One patient with four encrypted fields: the insert command, the query by SSN and the reply, each against the floor.</summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class PatientBenchmarks
{
    private KeyVaultService _vault = null!;
    private CsfleEngine _engine = null!;
    private Floor _patientFloor = null!;
    private Floor _ssnFloor = null!;
    private byte[] _insert = [];
    private byte[] _find = [];
    private ReadOnlyMemory<byte> _reply;
    private byte[] _plainReply = [];

    [GlobalSetup]
    public void Setup()
    {
        _vault = new KeyVaultService(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);
        var model = EncryptedModel.FromClass<Patient>(ElementNaming.CamelCase);
        var keys = model.KeyAltNames.ToDictionary(name => name, name => _vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = [name] }));
        _engine = new CsfleEngine(_vault, [new(model.Namespace!, model.ToSchema(keys))]);

        var patient = JonDoe.Create();
        var json = JsonSerializer.Serialize(patient, JsonSerializerOptions.Web);
        _insert = ExtendedJson.ToBson($$"""{"insert": "patients", "documents": [{{json}}], "ordered": true}""");
        _find = ExtendedJson.ToBson("""{"find": "patients", "filter": {"ssn": 241014209}, "limit": 1}""");
        _reply = _engine.EncryptCommand("medicalRecords", _insert);
        _plainReply = _insert;

        byte[] number = [1, 2, 3, 4];
        _patientFloor = new Floor((number, true), (Value("bloodType"), false), (Value("medicalRecords"), false), (number, true));
        _ssnFloor = new Floor((number, true));

        byte[] Value(string name)
        {
            var reader = new BsonReader(ExtendedJson.ToBson(json));
            reader.ReadTo(System.Text.Encoding.UTF8.GetBytes(name));
            return reader.Value.ToArray();
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _patientFloor.Dispose();
        _ssnFloor.Dispose();
        _vault.Dispose();
    }

    [Benchmark(Baseline = true, Description = "floor")]
    [BenchmarkCategory("encrypt one patient")]
    public void EncryptPatientFloor() => _patientFloor.Encrypt();

    [Benchmark(Description = "engine: analysis and encryption")]
    [BenchmarkCategory("encrypt one patient")]
    public ReadOnlyMemory<byte> EncryptPatient() => _engine.EncryptCommand("medicalRecords", _insert);

    [Benchmark(Baseline = true, Description = "floor")]
    [BenchmarkCategory("decrypt one patient")]
    public void DecryptPatientFloor() => _patientFloor.Decrypt();

    [Benchmark(Description = "engine: reply decrypted")]
    [BenchmarkCategory("decrypt one patient")]
    public ReadOnlyMemory<byte> DecryptPatient() => _engine.DecryptReply(_reply);

    [Benchmark(Baseline = true, Description = "floor")]
    [BenchmarkCategory("find by SSN")]
    public void FindFloor() => _ssnFloor.Encrypt();

    [Benchmark(Description = "engine: analysis and encryption")]
    [BenchmarkCategory("find by SSN")]
    public ReadOnlyMemory<byte> Find() => _engine.EncryptCommand("medicalRecords", _find);

    [Benchmark(Description = "engine: reply without ciphertext")]
    [BenchmarkCategory("nothing to do")]
    public ReadOnlyMemory<byte> PlainReply() => _engine.DecryptReply(_plainReply);
}
