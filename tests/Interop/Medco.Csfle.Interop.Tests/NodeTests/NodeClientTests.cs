using System.Globalization;
using System.Text;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Wire;
using Xunit.Abstractions;

namespace Medco.Csfle.Interop.Tests.NodeTests;

/// <summary>The engine and the official Node.js driver on one server: each reads what the other wrote.</summary>
public sealed class NodeClientTests : IDisposable
{
    private const string Namespace = "medicalRecords.patients";

    private const string Schema = """
        {"bsonType": "object", "encryptMetadata": {"keyId": [{"$uuid": "KEY"}]}, "properties": {
          "ssn": {"encrypt": {"bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}},
          "bloodType": {"encrypt": {"bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}},
          "medicalRecords": {"encrypt": {"bsonType": "array", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}},
          "insurance": {"bsonType": "object", "properties": {
            "policyNumber": {"encrypt": {"bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}}}
        """;

    private static readonly string[] Patients =
    [
        """{"_id": 1, "name": "Jon Doe", "ssn": 241014209, "bloodType": "AB+", "medicalRecords": [{"weight": 180, "bloodPressure": "120/80"}], "insurance": {"policyNumber": 123142, "provider": "MaestCare"}}""",
        """{"_id": 2, "name": "Jane Doe", "ssn": 241014210, "bloodType": "0-", "medicalRecords": [], "insurance": {"policyNumber": 123143, "provider": "MaestCare"}}""",
    ];

    private readonly ITestOutputHelper _output;
    private readonly SharedKeyVault _shared = new();
    private readonly Guid _keyId;
    private readonly EncryptionSchema _schema;
    private readonly CsfleEngine _engine;

    public NodeClientTests(ITestOutputHelper output)
    {
        _output = output;
        _keyId = _shared.Vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["medco-patients"] });
        _schema = EncryptionSchema.Parse(Schema.Replace("KEY", _keyId.ToString(), StringComparison.Ordinal));
        _engine = new CsfleEngine(_shared.Vault, [new(Namespace, _schema)]);
    }

    public void Dispose() => _shared.Dispose();

    [NodeFact]
    public void A_plain_client_sees_ciphertext_where_the_engine_wrote()
    {
        Insert(Patients);

        var seen = Run("readPlain");

        Assert.Equal(Stored(), Documents(seen, "documents"));
        AssertEncrypted(seen);
    }

    [NodeFact]
    public void A_client_that_decrypts_reads_what_the_engine_wrote()
    {
        Insert(Patients);

        var read = Run("readDecrypted");

        Assert.Equal(Patients.Select(patient => ExtendedJson.ToBson(patient)), Documents(read, "documents"));
    }

    [NodeFact]
    public void Values_that_either_side_encrypts_explicitly_the_other_decrypts()
    {
        string[] deterministic = ["241014209", "{\"$numberLong\": \"5000000000\"}", "\"AB+\"", "{\"$date\": \"2020-02-02T00:00:00Z\"}", "{\"$oid\": \"5d6ecdce70401f03b27448fc\"}", "{\"$binary\": {\"base64\": \"AQID\", \"subType\": \"00\"}}", "{\"$timestamp\": {\"t\": 5, \"i\": 6}}"];
        string[] random = [.. deterministic, "1.5", "true", "{\"$numberDecimal\": \"1.25\"}", "[1, \"two\", {\"three\": 3}]", "{\"a\": {\"b\": [1, 2]}}"];
        var values = deterministic.Select(value => (Value: value, Algorithm: CsfleAlgorithm.Deterministic)).Concat(random.Select(value => (Value: value, Algorithm: CsfleAlgorithm.Random))).ToArray();
        var ours = values.Select(value => _engine.Encrypt(ExtendedJson.ToBson($$"""{"v": {{value.Value}}}"""), value.Algorithm, _keyId)).ToArray();
        var encrypt = values.Select((value, index) => $$"""
            {"value": {{value.Value}}, "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-{{value.Algorithm}}",
             {{(index % 2 == 0 ? $$$"""
            "keyId": {"$uuid": "{{{_keyId}}}"}
            """ : "\"keyAltName\": \"medco-patients\"")}}}
            """);

        var answer = Run("explicit", $$"""
            "encrypt": [{{string.Join(", ", encrypt)}}], "decrypt": [{{string.Join(", ", ours.Select(ValueOf))}}]
            """);

        var theirs = Values(answer, "encrypted");
        var decrypted = Values(answer, "decrypted");
        Assert.Equal(values.Length, theirs.Count);
        for (var i = 0; i < values.Length; i++)
        {
            var plain = ExtendedJson.ToBson($$"""{"v": {{values[i].Value}}}""");
            Assert.Equal(plain, _engine.Decrypt(theirs[i]));
            Assert.Equal(plain, decrypted[i]);
            if (values[i].Algorithm == CsfleAlgorithm.Deterministic) Assert.Equal(ours[i], theirs[i]);
        }
    }

    [NodeFact]
    public void A_client_that_encrypts_through_the_query_analysis_endpoint_writes_what_the_engine_reads()
    {
        using var endpoint = QueryAnalysisEndpoint.Start();

        var answer = Run("automatic", $$"""
            "mongocryptdUri": "{{endpoint.ConnectionString}}", "schemaMap": {"{{Namespace}}": {{_schema.ToJson()}}},
            "documents": [{{string.Join(", ", Patients)}}, {"_id": 3, "name": "to delete", "ssn": 3, "insurance": {"policyNumber": 3} }],
            "ssn": 241014209, "policyNumber": 123143, "bloodType": "A-", "newPolicyNumber": 999, "newName": "Jon F. Doe", "ssnToDelete": 3
            """);

        _output.WriteLine(ExtendedJson.ToJson(answer));
        var changed = ExtendedJson.ToBson(Patients[0].Replace("Jon Doe", "Jon F. Doe", StringComparison.Ordinal).Replace("AB+", "A-", StringComparison.Ordinal).Replace("123142", "999", StringComparison.Ordinal));
        Assert.Equal([ExtendedJson.ToBson(Patients[0])], Documents(answer, "found"));
        Assert.Equal([ExtendedJson.ToBson(Patients[1])], Documents(answer, "foundByPolicy"));
        Assert.Equal(["1", "1", "1", "1"], new[] { "modified", "bulkModified", "bulkDeleted", "count" }.Select(name => ValueOf(answer, name)));
        Assert.Equal("[241014209]", ValueOf(answer, "distinct"));
        Assert.Equal("""[{"name":"Jon F. Doe","ssn":241014209}]""", ValueOf(answer, "aggregated"));
        Assert.Equal(changed, Alone(answer, "changed"));

        // What it stored is ciphertext, the deterministic values the very bytes that the engine writes, and the engine reads all of it.
        AssertEncrypted(Run("readPlain"));
        Assert.Equal([changed, ExtendedJson.ToBson(Patients[1])], Find("{}"));
        Assert.Equal([changed], Find("""{"ssn": 241014209, "insurance.policyNumber": 999}"""));
        Assert.All(new[] { "refused", "refusedSort" }, name => Assert.Contains("CSFLE3003", ValueOf(answer, name), StringComparison.Ordinal));
    }

    [NodeFact]
    public void Keys_are_managed_from_both_sides()
    {
        var toDelete = _shared.Vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["to delete"] });
        _shared.Vault.AddKeyAltName(_keyId, "to remove");
        var before = _engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), CsfleAlgorithm.Deterministic, _keyId);
        var wrapped = _shared.Vault.FindById(_keyId)!.KeyMaterial.ToArray();

        var answer = Run("keys", $$$"""
            "keyId": {"$uuid": "{{{_keyId}}}"}, "deletedKeyId": {"$uuid": "{{{toDelete}}}"},
            "newNames": ["from node"], "addedName": "added by node", "removedName": "to remove"
            """);

        _output.WriteLine(ExtendedJson.ToJson(answer));
        Assert.Equal(["1", "1"], new[] { "rewrapped", "deleted" }.Select(name => ValueOf(answer, name)));
        Assert.Equal("""["added by node","from node","medco-patients"]""", ValueOf(answer, "names"));
        Assert.Contains("duplicate key", ValueOf(answer, "duplicate"), StringComparison.Ordinal);

        using var vault = _shared.NewVault();
        var key = vault.FindById(_keyId)!;
        Assert.Equal(["added by node", "medco-patients"], key.KeyAltNames.Order());
        Assert.NotEqual(wrapped, key.KeyMaterial.ToArray());
        Assert.Null(vault.FindById(toDelete));
        var engine = new CsfleEngine(vault, new CsfleEngineOptions());
        Assert.Equal(before, engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), CsfleAlgorithm.Deterministic, "added by node"));
        Assert.NotEmpty(engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), CsfleAlgorithm.Random, "from node"));
    }

    private byte[] Run(string scenario, string settings = "")
        => NodeFactAttribute.Driver.RunScenario(scenario, ExtendedJson.ToBson($$"""
            {"uri": "{{_shared.Server.ConnectionString}}", "keyVaultNamespace": "{{SharedKeyVault.Namespace}}",
             "masterKey": "{{_shared.MasterKeyInBase64}}", "namespace": "{{Namespace}}"{{(settings.Length > 0 ? ", " + settings : "")}} }
            """));

    private void Insert(IEnumerable<string> documents)
    {
        var insert = ExtendedJson.ToBson($$"""{"insert": "patients", "documents": [{{string.Join(", ", documents)}}]}""");
        var reply = _shared.Server.RunCommand("medicalRecords", _engine.EncryptCommand("medicalRecords", insert));
        Assert.Contains("\"n\":2", ExtendedJson.ToJson(reply), StringComparison.Ordinal);
    }

    private List<byte[]> Find(string filter)
    {
        var find = _engine.EncryptCommand("medicalRecords", ExtendedJson.ToBson($$"""{"find": "patients", "filter": {{filter}}, "sort": {"_id": 1} }"""));
        return Batch(_engine.DecryptReply(_shared.Server.RunCommand("medicalRecords", find)).ToArray());
    }

    private List<byte[]> Stored() => Batch(_shared.Server.RunCommand("medicalRecords", ExtendedJson.ToBson("""{"find": "patients", "sort": {"_id": 1}}""")));

    private static List<byte[]> Batch(byte[] reply) => Documents(Alone(reply, "cursor"), "firstBatch");

    // Every field that the schema names, and no other, is binary data of subtype 6.
    private static void AssertEncrypted(byte[] answer)
    {
        Assert.All(Documents(answer, "documents"), document =>
        {
            Assert.All(new[] { "ssn", "bloodType", "medicalRecords" }, name => Assert.Contains("\"subType\":\"06\"", ValueOf(document, name), StringComparison.Ordinal));
            Assert.Contains("\"subType\":\"06\"", ValueOf(Alone(document, "insurance"), "policyNumber"), StringComparison.Ordinal);
            Assert.Equal("\"MaestCare\"", ValueOf(Alone(document, "insurance"), "provider"));
            Assert.Contains("Doe", ValueOf(document, "name"), StringComparison.Ordinal);
        });
    }

    private static List<byte[]> Documents(byte[] document, string name)
    {
        var items = Element(document, name).ReadDocument();
        var documents = new List<byte[]>();
        while (items.Read()) documents.Add(items.Value.ToArray());
        return documents;
    }

    // Each as a document { v: value }.
    private static List<byte[]> Values(byte[] document, string name)
    {
        var items = Element(document, name).ReadDocument();
        var values = new List<byte[]>();
        while (items.Read())
        {
            using var writer = new BsonWriter();
            writer.StartDocument();
            writer.WriteRaw(items.Type, "v"u8, items.Value);
            writer.EndDocument();
            values.Add(writer.ToArray());
        }

        return values;
    }

    private static byte[] Alone(byte[] document, string name) => Element(document, name).Value.ToArray();

    private static string ValueOf(byte[] document, string name)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        var element = Element(document, name);
        writer.WriteRaw(element.Type, "v"u8, element.Value);
        writer.EndDocument();
        return ValueOf(writer.ToArray());
    }

    // The JSON of { v: value } without the document around the value.
    private static string ValueOf(byte[] document)
    {
        var json = ExtendedJson.ToJson(document);
        return json[(json.IndexOf(':', StringComparison.Ordinal) + 1)..^1];
    }

    private static BsonReader Element(byte[] document, string name)
    {
        var reader = new BsonReader(document);
        Assert.True(reader.ReadTo(Encoding.UTF8.GetBytes(name)), string.Create(CultureInfo.InvariantCulture, $"'{name}' is not in {ExtendedJson.ToJson(document)}"));
        return reader;
    }
}
