using Medco.Csfle;
using Medco.Csfle.Engine.Kms;
using MongoDB.Bson;
using MongoDB.Driver;

if (!File.Exists("master-key.bin")) LocalMasterKey.CreateFile("master-key.bin");

using var csfle = CsfleClientFactory.Create(builder => builder
    .ConnectTo(args.Length > 0 ? args[0] : "mongodb://localhost:27017")
    .UseKeyVault("encryption.__keyVault")
    .UseLocalMasterKey("master-key.bin")
    .AddCollection<Patient>()
    .CreateMissingDataKeys());

var patients = csfle.CreateEncryptedClient().GetDatabase("medicalRecords").GetCollection<Patient>("patients");
patients.InsertOne(new Patient { Name = "Jon Doe", Ssn = 241014209, BloodType = "AB+" });
Console.WriteLine(patients.Find(patient => patient.Ssn == 241014209).First().Name);   // Jon Doe

var stored = csfle.CreateUnencryptedClient().GetDatabase("medicalRecords").GetCollection<BsonDocument>("patients");
Console.WriteLine(stored.Find(new BsonDocument()).First());                           // Ssn and BloodType are ciphertext

[EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
public class Patient
{
    public ObjectId Id { get; set; }
    public string Name { get; set; } = "";
    [Deterministic] public int Ssn { get; set; }
    [Random] public string BloodType { get; set; } = "";
}
