using Medco.Csfle;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;

const string masterKeyFile = "master-key.bin";
const string keyVaultFile = "key-vault.json";

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

Console.WriteLine(ExtendedJson.ToJson(toSend.Span));
Console.WriteLine(ExtendedJson.ToJson(readBack.Span));

[EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
internal sealed class Patient
{
    public string Name { get; set; } = "";
    [Deterministic] public int Ssn { get; set; }
    [Random] public string BloodType { get; set; } = "";
}
