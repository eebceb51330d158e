using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Benchmarks;

/// <summary>What is analysed, at its full size.</summary>
public enum AnalysisInput
{
    /// <summary>An insert command of 10 KB: one document with four encrypted fields among plain ones.</summary>
    Insert10KB,

    /// <summary>A pipeline of 30 stages.</summary>
    Pipeline30Stages,

    /// <summary>An insert command of one document with 300 fields, each of which the schema encrypts.</summary>
    Schema300Fields,

    /// <summary>An insert command of one document of 16 MB.</summary>
    Document16MB,
}

/// <summary>Query analysis alone, without keys and encryption, of growing inputs: the time per size is to stay.</summary>
public class AnalysisBenchmarks
{
    private readonly CommandAnalyzer _analyzer = new(new UnencryptedNamespaces([]));
    private SchemaMap _schemas = null!;
    private byte[] _command = [];

    [ParamsAllValues]
    public AnalysisInput Input { get; set; }

    /// <summary>The size in quarters of the full one.</summary>
    [Params(1, 2, 4)]
    public int Quarters { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var (fields, command) = Input switch
        {
            AnalysisInput.Insert10KB => (4, Insert(4, 10_240 * Quarters / 4)),
            AnalysisInput.Pipeline30Stages => (4, Pipeline(30 * Quarters / 4)),
            AnalysisInput.Schema300Fields => (300 * Quarters / 4, Insert(300 * Quarters / 4, 0)),
            AnalysisInput.Document16MB => (4, Insert(4, (16 * 1024 * 1024 - 4096) / 4 * Quarters)),
            _ => throw new InvalidOperationException($"Nothing is known of {Input}."),
        };
        _command = command;
        _schemas = new SchemaMap([new(PatientWork.Namespace, Schema(fields, Guid.NewGuid()))]);
    }

    [Benchmark(Description = Contestant.Engine)]
    public object Analyze() => _analyzer.Analyze(PatientWork.Database, _command, _schemas);

    /// <summary>A schema that encrypts so many fields, alternately deterministically and at random.</summary>
    internal static EncryptionSchema Schema(int fields, Guid key)
    {
        var json = new StringBuilder("""{"bsonType": "object", "properties": {""");
        for (var i = 0; i < fields; i++)
        {
            json.Append(i == 0 ? "" : ", ").Append(CultureInfo.InvariantCulture, $$$"""
                "field{{{i}}}": {"encrypt": {"bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-{{{(i % 2 == 0 ? "Deterministic" : "Random")}}}", "keyId": [{"$uuid": "{{{key}}}"}]}}
                """);
        }

        return EncryptionSchema.Parse(json.Append("}}").ToString());
    }

    private static byte[] Insert(int fields, int length)
    {
        using var document = new BsonWriter();
        document.StartDocument();
        for (var i = 0; i < fields; i++) document.WriteString(Encoding.UTF8.GetBytes($"field{i}"), "a value to encrypt");
        for (var i = 0; document.WrittenSpan.Length < length; i++)
        {
            document.StartDocument($"visit{i}");
            document.WriteString("doctor"u8, "A name that is not encrypted");
            document.WriteInt64("at"u8, i, BsonType.DateTime);
            document.WriteDouble("weight"u8, 81.5);
            document.EndDocument();
        }

        document.EndDocument();
        return PatientWork.InsertOf([document.ToArray()]);
    }

    private static byte[] Pipeline(int stages)
    {
        var json = new StringBuilder("""{"aggregate": "patients", "cursor": {}, "pipeline": [""");
        for (var i = 0; i < stages; i++)
        {
            json.Append(i == 0 ? "" : ", ").Append((i % 3) switch
            {
                0 => """{"$match": {"field0": "a value to encrypt", "age": {"$gt": 40}}}""",
                1 => """{"$addFields": {"older": {"$add": ["$age", 1]}}}""",
                _ => """{"$sort": {"age": 1}}""",
            });
        }

        return ExtendedJson.ToBson(json.Append("]}").ToString());
    }
}
