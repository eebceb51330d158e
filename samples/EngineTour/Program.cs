// Client-Side Field Level Encryption without a driver: every step of the MedcoMD guide as bytes in and bytes out.
using System.Text.Json;
using EngineTour;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.TestServer;
using MedcoMd.Model;
using Samples;

const string Database = "medicalRecords";
var checks = new Checks();
var uri = Environment.GetEnvironmentVariable("MONGODB_URI");
var folder = Directory.CreateTempSubdirectory("engine-tour-").FullName;
try
{
    using var inProcess = InProcessMongoServer.Start();
    using var remote = string.IsNullOrEmpty(uri) ? null : RemoteCommandRunner.Connect(uri);
    IMongoCommandRunner server = remote is null ? inProcess : remote;
    Console.WriteLine(remote is null ? "On the in-process server; MONGODB_URI names another." : "On the server that MONGODB_URI names.");
    if (Documents(Run("""{"listCollections": 1, "filter": {"name": "patients"}, "nameOnly": true}""")).Count > 0)
    {
        throw new InvalidOperationException($"{Database}.patients exists on this server. The tour creates it and drops it at the end: drop it first, or use another server.");
    }

    Checks.Section("A. A customer master key, in a file");
    var masterKeyPath = Path.Combine(folder, "master-key.bin");
    LocalMasterKey.CreateFile(masterKeyPath);
    checks.That(new FileInfo(masterKeyPath).Length == LocalMasterKey.Length, "the file holds 96 random bytes");
    checks.That(
        OperatingSystem.IsWindows() || File.GetUnixFileMode(masterKeyPath) == (UnixFileMode.UserRead | UnixFileMode.UserWrite),
        "nobody but its owner may read it");
    checks.That(Checks.Fails<MasterKeyException>(() => LocalMasterKey.CreateFile(masterKeyPath)) is not null, "it is not overwritten by accident");

    Checks.Section("B. A data encryption key, wrapped by the master key, in a key vault");
    using var vault = new KeyVaultService(
        new FileKeyVaultStore(Path.Combine(folder, "key-vault.json")),
        [new LocalKeyManagementService(LocalMasterKey.FromFile(masterKeyPath))]);
    var model = EncryptedModel.FromClass<Patient>(ElementNaming.CamelCase);
    var keyIds = model.KeyAltNames.ToDictionary(name => name, name => vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = [name] }));
    var keyId = keyIds["medco-patients"];
    Checks.Show("the key as the vault keeps it", ExtendedJson.ToJson(vault.FindByName("medco-patients")!.ToBson(), indented: true));
    checks.That(vault.FindByName("medco-patients")!.Id == keyId, "the key is found by its alternate name");
    checks.That(vault.FindByName("medco-patients")!.KeyMaterial.Length == 160, "it is stored wrapped: 160 bytes for a key of 96");

    Checks.Section("C. The encryption schema, from the attributes on Patient");
    var schema = model.ToSchema(keyIds);
    Checks.Show("built", schema.ToJson(indented: true));
    checks.That(schema.ToJson() == GuideSchema.For(keyId), "it is the guide's schema, field by field");
    var engine = new CsfleEngine(vault, [new(model.Namespace!, schema)]);

    Checks.Section("D. A collection whose validator refuses plaintext");
    var created = Run($$"""{"create": "patients", "validator": {"$jsonSchema": {{schema.ToJson()}} } }""");
    checks.That(IsOk(created), "the collection is created with the schema as its validator");

    Checks.Section("E. An insert, as it is written and as it is sent");
    var jon = JonDoe.Create();
    var insert = ExtendedJson.ToBson($$"""{"insert": "patients", "documents": [{{Json(jon)}}]}""");
    var sent = engine.EncryptCommand(Database, insert);
    Checks.Show("written", ExtendedJson.ToJson(insert, indented: true));
    Checks.Show("sent", ExtendedJson.ToJson(sent.Span, indented: true));
    checks.That(!HoldsPlaintext(sent.Span, jon), "no value of an encrypted field is left in the command");
    checks.That(IsOk(server.RunCommand(Database, sent)), "the server stores it");

    Checks.Section("F. The doctor finds the patient by SSN");
    var doctor = First(Decrypt("""{"find": "patients", "filter": {"ssn": 241014209}, "singleBatch": true}"""));
    Checks.Show("doctor", doctor);
    checks.That(WithoutId(doctor) == WithoutId(Json(jon)), "and reads every field as it was written");

    Checks.Section("G. The receptionist's client knows no key");
    checks.That(Documents(Run("""{"find": "patients", "filter": {"ssn": 241014209}, "singleBatch": true}""")).Count == 0, "the SSN finds nothing");
    var receptionist = First(Run("""{"find": "patients", "filter": {"name": "Jon Doe", "last4ssn": 4209}, "singleBatch": true}"""));
    Checks.Show("receptionist", receptionist);
    checks.That(receptionist.Contains("MaestCare", StringComparison.Ordinal), "name, last four digits and insurance provider can be read");
    checks.That(!HoldsPlaintext(ExtendedJson.ToBson(receptionist), jon), "SSN, blood type, medical records and policy number cannot");

    Checks.Section("H. What cannot work is refused before it is sent");
    var query = Checks.Fails<QueryAnalysisException>(() => { engine.EncryptCommand(Database, ExtendedJson.ToBson("""{"find": "patients", "filter": {"bloodType": "AB+"}}""")); });
    Checks.Show("a query on a random field", query!.Message);
    checks.That(query.Message.Contains("randomized encryption algorithm", StringComparison.Ordinal), "a random field cannot be queried");
    var missing = Checks.Fails<QueryAnalysisException>(() => engine.EncryptCommand(Database, ExtendedJson.ToBson("""{"insert": "patients", "documents": [{"ssn": null}]}""")));
    Checks.Show("null in an encrypted field", missing!.Message);
    checks.That(missing.Path == "ssn", "null cannot be encrypted, and the error names the field");

    Checks.Section("I. A client without encryption cannot store plaintext either");
    var refused = Run($$"""{"insert": "patients", "documents": [{{Json(jon)}}]}""");
    Checks.Show("the server's answer", ExtendedJson.ToJson(refused));
    checks.That(ExtendedJson.ToJson(refused).Contains("\"code\":121", StringComparison.Ordinal), "the validator refuses the document (error 121)");

    Checks.Section("J. One value, encrypted explicitly");
    var one = engine.Encrypt(ExtendedJson.ToBson("""{"v": "a note"}"""), CsfleAlgorithm.Random, "medco-patients");
    Checks.Show("ciphertext", ExtendedJson.ToJson(one));
    checks.That(ExtendedJson.ToJson(engine.Decrypt(one)) == """{"v":"a note"}""", "it decrypts to what it was");
    one[^20] ^= 1;
    checks.That(Checks.Fails<DecryptionException>(() => engine.Decrypt(one)) is not null, "with one bit flipped it does not decrypt at all");

    Checks.Section("K. 1,000 patients");
    var patients = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "patients.jsonl"))
        .Select(line => JsonSerializer.Deserialize<Patient>(line, JsonSerializerOptions.Web)!)
        .ToList();
    foreach (var batch in patients.Chunk(100))
    {
        var command = ExtendedJson.ToBson($$"""{"insert": "patients", "documents": [{{string.Join(',', batch.Select(Json))}}]}""");
        var reply = server.RunCommand(Database, engine.EncryptCommand(Database, command));
        if (!ExtendedJson.ToJson(reply).Contains("\"n\":100", StringComparison.Ordinal)) throw new InvalidOperationException(ExtendedJson.ToJson(reply));
    }

    checks.That(patients.Count == 1000, "1,000 patients are inserted, encrypted");
    foreach (var patient in patients.Where((_, index) => index % 100 == 42))
    {
        var found = First(Decrypt($$"""{"find": "patients", "filter": {"ssn": {{patient.Ssn}} }, "singleBatch": true}"""));
        checks.That(WithoutId(found) == WithoutId(Json(patient)), $"{patient.Name} is found by SSN and read in full");
    }

    var policyNumbers = patients.Select(patient => patient.Insurance.PolicyNumber).ToHashSet();
    var bloodPressures = patients.SelectMany(patient => patient.MedicalRecords).Select(record => record.BloodPressure).ToHashSet();
    var stored = Documents(Run("""{"find": "patients", "batchSize": 2000, "singleBatch": true}"""));
    checks.That(stored.Count == 1001, "a database administrator finds all of them");
    checks.That(
        !stored.SelectMany(document => Values.In(ExtendedJson.ToBson(document))).Any(value => value is int number && policyNumbers.Contains(number)
            || value is string text && bloodPressures.Contains(text)),
        "and neither a policy number nor a blood pressure in any");

    checks.That(IsOk(Run("""{"drop": "patients"}""")), "the collection is dropped");
    checks.Finish();
    return 0;

    byte[] Run(string command) => server.RunCommand(Database, ExtendedJson.ToBson(command));

    byte[] Decrypt(string command)
        => engine.DecryptReply(server.RunCommand(Database, engine.EncryptCommand(Database, ExtendedJson.ToBson(command)))).ToArray();
}
catch (Exception exception)
{
    Console.Error.WriteLine($"{Environment.NewLine}The tour failed: {exception}");
    return 1;
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static string Json(Patient patient) => JsonSerializer.Serialize(patient, JsonSerializerOptions.Web);

static bool IsOk(byte[] reply) => JsonDocument.Parse(ExtendedJson.ToJson(reply)).RootElement.GetProperty("ok").GetDouble() == 1;

static List<string> Documents(byte[] reply)
    => [.. JsonDocument.Parse(ExtendedJson.ToJson(reply)).RootElement.GetProperty("cursor").GetProperty("firstBatch").EnumerateArray().Select(document => document.GetRawText())];

static string First(byte[] reply) => Documents(reply).Single();

// The _id was generated by the server, and is none of the patient's.
static string WithoutId(string json)
{
    var document = System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject();
    document.Remove("_id");
    return document.ToJsonString();
}

static bool HoldsPlaintext(ReadOnlySpan<byte> document, Patient patient)
    => Values.In(document.ToArray()).Any(value => value.Equals(patient.Ssn) || value.Equals(patient.BloodType)
        || value.Equals(patient.MedicalRecords[0].Weight) || value.Equals(patient.MedicalRecords[0].BloodPressure)
        || value.Equals(patient.Insurance.PolicyNumber));
