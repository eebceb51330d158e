// MongoDB's Client-Side Field Level Encryption guide, section by section, through MongoDB.Driver.
using System.Text.Json;
using Medco.Csfle;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Kms;
using MedcoMd.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Driver;
using Samples;

var checks = new Checks();
var folder = Directory.CreateTempSubdirectory("medco-md-").FullName;
try
{
    using var server = SampleServer.Open("medicalRecords", "encryption");

    // The classes are written in C#'s spelling and stored in the guide's.
    ConventionRegistry.Register(
        "camel case", new ConventionPack { new CamelCaseElementNameConvention(), new IgnoreExtraElementsConvention(true) }, type => type.Namespace == "MedcoMd.Model");

    Checks.Section("A. Create a master key");
    var masterKeyPath = Path.Combine(folder, "master-key.bin");
    LocalMasterKey.CreateFile(masterKeyPath);
    checks.That(new FileInfo(masterKeyPath).Length == 96, "the file holds 96 random bytes");

    Checks.Section("B. Create a data encryption key");
    var builder = Host.CreateApplicationBuilder();
    builder.Logging.ClearProviders();
    builder.Services.AddCsfle(csfle => csfle
        .ConnectTo(server.ConnectionString)
        .UseKeyVault("encryption.__keyVault")
        .UseLocalMasterKey(masterKeyPath)
        .AddCollection<Patient>()
        .CreateMissingDataKeys());
    using var host = builder.Build();
    await host.StartAsync();
    var factory = host.Services.GetRequiredService<ICsfleClientFactory>();
    var plain = factory.CreateUnencryptedClient();
    var keyVault = plain.GetDatabase("encryption").GetCollection<BsonDocument>("__keyVault");
    var key = await keyVault.Find(Builders<BsonDocument>.Filter.Eq("keyAltNames", "medco-patients")).SingleAsync();
    Checks.Show("the key as the key vault keeps it", Indented(key));
    checks.That(key["keyMaterial"].AsBsonBinaryData.Bytes.Length == 160, "it is wrapped by the master key: 160 bytes for a key of 96");
    var indexes = await (await keyVault.Indexes.ListAsync()).ToListAsync();
    checks.That(
        indexes.Any(index => index["key"] == new BsonDocument("keyAltNames", 1) && index.GetValue("unique", false).ToBoolean()
            && index["partialFilterExpression"] == BsonDocument.Parse("{keyAltNames: {$exists: true}}")),
        "a unique index keeps its name unique");

    Checks.Section("C. Specify encrypted fields");
    var schema = factory.Schemas["medicalRecords.patients"];
    Checks.Show("the schema, from the attributes on Patient", schema.ToJson(indented: true));
    checks.That(schema.ToJson() == GuideSchema.For(key["_id"].AsGuid), "it is the guide's, field by field");

    Checks.Section("D. Create the clients");
    var doctor = factory.CreateEncryptedClient().GetDatabase("medicalRecords").GetCollection<Patient>("patients");
    var receptionist = plain.GetDatabase("medicalRecords").GetCollection<BsonDocument>("patients");
    await plain.GetDatabase("medicalRecords").CreateCollectionAsync("patients", new CreateCollectionOptions<BsonDocument>
    {
        Validator = new BsonDocument("$jsonSchema", BsonDocument.Parse(schema.ToJson())),
    });
    checks.That(!doctor.Database.Client.Settings.ToString().Contains(Convert.ToBase64String(File.ReadAllBytes(masterKeyPath)), StringComparison.Ordinal), "the client's settings do not show the master key");

    Checks.Section("E. Insert a document with encrypted fields");
    await doctor.InsertOneAsync(JonDoe.Create());
    var stored = await receptionist.Find(new BsonDocument("name", "Jon Doe")).SingleAsync();
    Checks.Show("what is stored", Indented(stored));
    checks.That(
        new[] { stored["ssn"], stored["bloodType"], stored["medicalRecords"], stored["insurance"]["policyNumber"] }.All(IsCiphertext),
        "SSN, blood type, medical records and policy number are ciphertext");

    Checks.Section("E. Query on a deterministically encrypted field");
    var jon = await doctor.Find(patient => patient.Ssn == 241014209).SingleAsync();
    checks.That(Json(jon) == Json(JonDoe.Create()), "the doctor finds the patient by SSN and reads every field");
    checks.That(await doctor.CountDocumentsAsync(patient => patient.Insurance.PolicyNumber == 123142) == 1, "and counts by policy number");
    checks.That(
        await receptionist.Find(new BsonDocument("ssn", 241014209)).FirstOrDefaultAsync() is null,
        "a client without encryption finds nothing by SSN");

    Checks.Section("E. Query on a randomly encrypted field");
    var refused = await Checks.Fails<QueryAnalysisException>(() => doctor.Find(patient => patient.BloodType == "AB+").ToListAsync());
    Checks.Show("refused", refused!.Message);
    checks.That(refused.Message.Contains("Cannot query on fields encrypted with the randomized encryption algorithm", StringComparison.Ordinal), "a random field cannot be queried");
    checks.That((await doctor.Find(patient => patient.Last4ssn == 4209).SingleAsync()).BloodType == "AB+", "the last four digits in clear lead to the document, which is decrypted");

    Checks.Section("Use case 1: doctors read records and add vital signs");
    var visit = new MedicalRecord { Weight = 178, BloodPressure = "118/79" };
    checks.That(await AddVitalSigns(jon, visit), "the list is read, extended and written back as a whole");
    checks.That(!await AddVitalSigns(jon, visit), "who read an older version does not overwrite a newer one");
    jon = await doctor.Find(patient => patient.Ssn == 241014209).SingleAsync();
    checks.That(jon.MedicalRecords.Count == 2 && jon.MedicalRecords[1].BloodPressure == "118/79" && jon.Version == 1, "the new vital signs are there");
    var pushed = await Checks.Fails<QueryAnalysisException>(() => doctor.UpdateOneAsync(patient => patient.Ssn == 241014209, Builders<Patient>.Update.Push(patient => patient.MedicalRecords, visit)));
    Checks.Show("refused", pushed!.Message);
    checks.That(pushed.Operator == "$push", "they cannot be pushed: the server does not see a list");

    Checks.Section("Use case 2: receptionists verify identity");
    var verified = await receptionist.Find(new BsonDocument { { "name", "Jon Doe" }, { "last4ssn", 4209 } }).SingleAsync();
    checks.That(verified["_id"] == stored["_id"], "by name and the last four digits of the SSN");

    Checks.Section("Use case 3: receptionists see the provider, not the policy number");
    checks.That(verified["insurance"]["provider"] == "MaestCare", "the provider can be read");
    checks.That(IsCiphertext(verified["insurance"]["policyNumber"]), "the policy number cannot");

    Checks.Section("Use case 4: receptionists cannot access medical records");
    checks.That(IsCiphertext(verified["medicalRecords"]) && IsCiphertext(verified["bloodType"]), "they are ciphertext");

    Checks.Section("Clients without encryption cannot write plaintext");
    var rejected = await Checks.Fails<MongoWriteException>(() => receptionist.InsertOneAsync(JonDoe.Create().ToBsonDocument()));
    checks.That(rejected!.WriteError.Code == 121, "the validator refuses a document in clear (error 121)");
    var elsewhere = await Checks.Fails<QueryAnalysisException>(() => factory.CreateEncryptedClient().GetDatabase("medicalRecords").GetCollection<Patient>("patient").InsertOneAsync(JonDoe.Create()));
    Checks.Show("a patient on the way into a mistyped collection", elsewhere!.Message);
    checks.That(elsewhere.Collection == "medicalRecords.patient", "an encrypting client writes only where it was told to");

    Checks.Section("1,000 patients");
    var patients = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "patients.jsonl"))
        .Select(line => JsonSerializer.Deserialize<Patient>(line, JsonSerializerOptions.Web)!)
        .ToList();
    await doctor.InsertManyAsync(patients);
    checks.That(await doctor.CountDocumentsAsync(patient => true) == 1001, "are inserted, encrypted");
    foreach (var patient in patients.Where((_, index) => index % 100 == 42))
    {
        var found = await doctor.Find(candidate => candidate.Ssn == patient.Ssn).SingleAsync();
        checks.That(Json(found) == Json(patient), $"{patient.Name} is found by SSN and read in full");
    }

    var everything = await receptionist.Find(new BsonDocument()).ToListAsync();
    checks.That(
        everything.All(document => IsCiphertext(document["ssn"]) && IsCiphertext(document["bloodType"])
            && IsCiphertext(document["medicalRecords"]) && IsCiphertext(document["insurance"]["policyNumber"])),
        "a database administrator sees no plaintext in any of them");

    checks.Finish();
    return 0;

    async Task<bool> AddVitalSigns(Patient read, MedicalRecord record)
    {
        var result = await doctor.UpdateOneAsync(
            patient => patient.Ssn == read.Ssn && patient.Version == read.Version,
            Builders<Patient>.Update.Set(patient => patient.MedicalRecords, [.. read.MedicalRecords, record]).Inc(patient => patient.Version, 1));
        return result.ModifiedCount == 1;
    }
}
catch (Exception exception)
{
    Console.Error.WriteLine($"{Environment.NewLine}The sample failed: {exception}");
    return 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static string Json(Patient patient) => JsonSerializer.Serialize(patient);

static string Indented(BsonDocument document) => document.ToJson(new MongoDB.Bson.IO.JsonWriterSettings { Indent = true });

static bool IsCiphertext(BsonValue value) => value is BsonBinaryData { SubType: BsonBinarySubType.Encrypted };
