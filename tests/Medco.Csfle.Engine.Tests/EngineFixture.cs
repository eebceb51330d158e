using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests;

/// <summary>An engine with a key vault in memory and one collection, <c>db.coll</c>, in the shape of the guide's patients.</summary>
internal sealed class EngineFixture : IDisposable
{
    public EngineFixture(string? schema = null)
    {
        Vault = new KeyVaultService(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);
        KeyId = Vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["patients"] });
        Schema = EncryptionSchema.Parse((schema ?? PatientSchema).Replace("KEY", KeyId.ToString(), StringComparison.Ordinal));
        Engine = new CsfleEngine(Vault, [new("db.coll", Schema)]);
    }

    public const string PatientSchema = """
        {"bsonType": "object", "encryptMetadata": {"keyId": [{"$uuid": "KEY"}]}, "properties": {
          "ssn": {"encrypt": {"bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}},
          "bloodType": {"encrypt": {"bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}},
          "medicalRecords": {"encrypt": {"bsonType": "array", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}},
          "insurance": {"bsonType": "object", "properties": {
            "policyNumber": {"encrypt": {"bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}}}
        """;

    public const string Patient = """
        {"name": "Jon Doe", "ssn": 241014209, "bloodType": "AB+", "medicalRecords": [{"weight": 180, "bloodPressure": "120/80"}],
         "insurance": {"policyNumber": 123142, "provider": "MaestCare"}, "last4ssn": 4209}
        """;

    public KeyVaultService Vault { get; }

    public Guid KeyId { get; }

    public EncryptionSchema Schema { get; }

    public CsfleEngine Engine { get; }

    /// <summary>One value encrypted explicitly, as the JSON of its binary data.</summary>
    public string Ciphertext(string json, CsfleAlgorithm algorithm = CsfleAlgorithm.Random)
    {
        var wrapped = ExtendedJson.ToJson(Engine.Encrypt(ExtendedJson.ToBson($$"""{"v": {{json}}}"""), algorithm, KeyId));
        return wrapped[(wrapped.IndexOf(':', StringComparison.Ordinal) + 1)..^1];
    }

    /// <summary>An insert of one document into <c>coll</c>.</summary>
    public static byte[] Insert(byte[] document)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("insert"u8, "coll"u8);
        writer.StartArray("documents"u8);
        writer.WriteDocument("0"u8, document);
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    public void Dispose() => Vault.Dispose();
}
