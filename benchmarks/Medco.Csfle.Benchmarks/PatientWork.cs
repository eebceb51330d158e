using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Peers;
using MedcoMd.Model;

namespace Medco.Csfle.Benchmarks;

/// <summary>One patient with four encrypted fields: an engine, libmongocrypt where it is installed, the same key for both, and what they work on.</summary>
internal sealed class PatientWork : IDisposable
{
    public const string Database = "medicalRecords";
    public const string Collection = "patients";
    public const string Namespace = $"{Database}.{Collection}";

    private readonly KeyVaultService _vault;
    private readonly List<LibMongoCrypt> _peers = [];
    private readonly byte[][] _encrypted;

    public PatientWork()
    {
        MasterKey = RandomNumberGenerator.GetBytes(96);
        var store = new InMemoryKeyVaultStore();
        _vault = new KeyVaultService(store, [new LocalKeyManagementService(LocalMasterKey.FromBytes(MasterKey))]);
        var model = EncryptedModel.FromClass<Patient>(ElementNaming.CamelCase);
        var keys = model.KeyAltNames.ToDictionary(name => name, name => _vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = [name] }));
        KeyId = keys.Values.Single();
        KeyDocuments = [.. store.List().Select(key => key.ToBson())];
        var schema = model.ToSchema(keys);
        Schema = schema.ToBson();
        Engine = new CsfleEngine(_vault, [new(Namespace, schema)]);

        var json = JsonSerializer.Serialize(JonDoe.Create(), JsonSerializerOptions.Web);
        var patient = ExtendedJson.ToBson(json);
        Insert = ExtendedJson.ToBson($$"""{"insert": "patients", "documents": [{{json}}], "ordered": true}""");
        Find = ExtendedJson.ToBson("""{"find": "patients", "filter": {"ssn": 241014209}, "limit": 1}""");
        _encrypted = [.. Enumerable.Range(0, 100).Select(_ => DocumentOf(Engine.EncryptCommand(Database, Insert)))];
        PlainReply = ReplyWith(Enumerable.Repeat(patient, 100));
        var clear = ExtendedJson.ToBson("""{"name": "Jon Doe", "last4ssn": 4209, "insurance": {"provider": "MaestCare"}, "version": 0, "address": "12 Long Street, Springfield", "seen": [1, 2, 3, 4]}""");
        PlainInsert = InsertOf(Enumerable.Repeat(clear, 100));

        byte[] number = [1, 2, 3, 4];
        Values = [(Value(patient, "ssn"), true), (Value(patient, "bloodType"), false), (Value(patient, "medicalRecords"), false), (number, true)];
    }

    public byte[] MasterKey { get; }

    public Guid KeyId { get; }

    /// <summary>What the key vault holds.</summary>
    public IReadOnlyList<byte[]> KeyDocuments { get; }

    /// <summary>The encryption schema of <see cref="Namespace"/>.</summary>
    public byte[] Schema { get; }

    public CsfleEngine Engine { get; }

    /// <summary>The insert command, in clear.</summary>
    public byte[] Insert { get; }

    /// <summary>The query by SSN, in clear.</summary>
    public byte[] Find { get; }

    /// <summary>A reply of 100 patients without ciphertext.</summary>
    public byte[] PlainReply { get; }

    /// <summary>An insert of 100 documents that have none of the encrypted fields.</summary>
    public byte[] PlainInsert { get; }

    /// <summary>The bytes that are encrypted in a patient.</summary>
    public (byte[] Value, bool Deterministic)[] Values { get; }

    public Floor PatientFloor() => new(Values);

    public Floor SsnFloor() => new(Values[0]);

    /// <summary>A reply of so many encrypted patients, 100 of them different.</summary>
    public byte[] Reply(int patients) => ReplyWith(Enumerable.Range(0, patients).Select(index => _encrypted[index % _encrypted.Length]));

    /// <summary>
    /// A libmongocrypt for one command, or null where it is not installed. What query analysis answers is worked out once, before
    /// anything is measured: it is measured without analysis, in its favour.
    /// </summary>
    public LibMongoCrypt? LibMongoCryptFor(byte[] command)
    {
        if (LibMongoCrypt.MissingReason is not null) return null;
        byte[]? marked = null;
        using var schemas = new BsonWriter();
        schemas.StartDocument();
        schemas.WriteDocument(Encoding.UTF8.GetBytes(Namespace), Schema);
        schemas.EndDocument();
        var peer = new LibMongoCrypt(MasterKey, _ => KeyDocuments, schemas.ToArray(), request => marked ??= Mark(request));
        _peers.Add(peer);
        peer.EncryptCommand(Database, command);
        return peer;
    }

    /// <summary>What query analysis answers.</summary>
    public static byte[] Mark(byte[] request) => MarkingReply.For(Database, request);

    public void Dispose()
    {
        foreach (var peer in _peers) peer.Dispose();
        _vault.Dispose();
    }

    /// <summary>An insert command of these documents.</summary>
    public static byte[] InsertOf(IEnumerable<byte[]> documents)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("insert"u8, Collection);
        WriteArray(writer, "documents"u8, documents);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] ReplyWith(IEnumerable<byte[]> documents)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.StartDocument("cursor"u8);
        WriteArray(writer, "firstBatch"u8, documents);
        writer.WriteInt64("id"u8, 0);
        writer.WriteString("ns"u8, Namespace);
        writer.EndDocument();
        writer.WriteDouble("ok"u8, 1);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static void WriteArray(BsonWriter writer, ReadOnlySpan<byte> name, IEnumerable<byte[]> documents)
    {
        writer.StartArray(name);
        var index = 0;
        foreach (var document in documents) writer.WriteDocument(Encoding.UTF8.GetBytes((index++).ToString(CultureInfo.InvariantCulture)), document);
        writer.EndDocument();
    }

    private static byte[] DocumentOf(ReadOnlyMemory<byte> insert)
    {
        var command = new BsonReader(insert.Span);
        command.ReadTo("documents"u8);
        var documents = command.ReadDocument();
        documents.Read();
        return documents.Value.ToArray();
    }

    private static byte[] Value(byte[] document, string name)
    {
        var reader = new BsonReader(document);
        reader.ReadTo(Encoding.UTF8.GetBytes(name));
        return reader.Value.ToArray();
    }
}
