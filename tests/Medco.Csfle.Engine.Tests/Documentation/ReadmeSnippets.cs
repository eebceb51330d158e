using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Documentation;

/// <summary>What the README shows, compiled and run.</summary>
public sealed class ReadmeSnippets
{
    [EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
    public class Patient
    {
        public string Name { get; set; } = "";
        [Deterministic] public int Ssn { get; set; }
        [Random] public string BloodType { get; set; } = "";
    }

    [Fact]
    public void The_engine_without_a_driver()
    {
        var folder = Directory.CreateTempSubdirectory("readme-").FullName;
        var masterKeyFile = Path.Combine(folder, "master-key.bin");
        var keyVaultFile = Path.Combine(folder, "key-vault.json");
        try
        {
            LocalMasterKey.CreateFile(masterKeyFile);
            using var vault = new KeyVaultService(
                new FileKeyVaultStore(keyVaultFile),
                [new LocalKeyManagementService(LocalMasterKey.FromFile(masterKeyFile))]);
            var keyId = vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["medco-patients"] });

            var model = EncryptedModel.FromClass<Patient>(ElementNaming.CamelCase);
            var schema = model.ToSchema(new Dictionary<string, Guid> { ["medco-patients"] = keyId });
            var engine = new CsfleEngine(vault, [new(model.Namespace!, schema)]);

            var insert = ExtendedJson.ToBson("""{"insert": "patients", "documents": [{"name": "Jon Doe", "ssn": 241014209}]}""");
            var toSend = engine.EncryptCommand("medicalRecords", insert);   // ssn is ciphertext
            var readBack = engine.DecryptReply(toSend);                     // and comes back as it was

            Assert.NotEqual(insert, toSend.ToArray());
            Assert.Equal(insert, readBack.ToArray());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
