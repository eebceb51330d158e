// "Store Sensitive Data With Python & MongoDB Client-Side Field Level Encryption", in C#: create_key.py and csfle_main.py.
using Medco.Csfle;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Kms;
using MongoDB.Bson;
using MongoDB.Driver;
using Samples;

const string Random = "AEAD_AES_256_CBC_HMAC_SHA_512-Random";
const string Deterministic = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic";
var checks = new Checks();
var folder = Directory.CreateTempSubdirectory("quick-start-").FullName;
var keyFile = Path.Combine(folder, "key_bytes.bin");
var schemaFile = Path.Combine(folder, "json_schema.json");
try
{
    using var server = SampleServer.Open("csfle_demo");
    using var plain = new MongoClient(server.ConnectionString);
    var demo = plain.GetDatabase("csfle_demo");

    Checks.Section("create_key: a master key, a data key, a schema in a file");
    var keyId = CreateKey(Random);
    var key = demo.GetCollection<BsonDocument>("__keystore").Find(new BsonDocument("keyAltNames", "example")).Single();
    Checks.Show("the key in the key store", key.ToJson());
    checks.That(key["_id"].AsGuid == keyId, "the key is in the key store, named example");
    checks.That(new FileInfo(keyFile).Length == 96, "the master key is in key_bytes.bin");
    Checks.Show("json_schema.json", File.ReadAllText(schemaFile));

    Checks.Section("csfle_main: the same document, with and without encryption");
    using (var csfle = OpenWithSchema())
    {
        checks.That(csfle.Keys.FindDataKey("example") == keyId, "the key's id can be looked up by its name");
        var people = People(csfle);
        people.DeleteMany(new BsonDocument());
        people.InsertOne(Person("Sophia Duleep Singh", "123-12-1234"));
        var decrypted = people.Find(new BsonDocument()).Single();
        Checks.Show("Decrypted find() results", decrypted.ToJson());
        checks.That(decrypted["ssn"] == "123-12-1234", "a client with encryption reads the ssn");

        var encrypted = demo.GetCollection<BsonDocument>("people").Find(new BsonDocument()).Single();
        Checks.Show("Encrypted find() results", encrypted.ToJson());
        checks.That(IsCiphertext(encrypted["ssn"]), "a client without sees ciphertext");

        Checks.Section("A random field cannot be queried");
        var refused = Checks.Fails<QueryAnalysisException>(() => people.Find(new BsonDocument("ssn", "123-12-1234")).FirstOrDefault());
        Checks.Show("Find by ssn", refused!.Message);
        checks.That(refused.Message.Contains("Cannot query on fields encrypted with the randomized encryption algorithm", StringComparison.Ordinal), "the error says so");
    }

    Checks.Section("Deterministic encryption fixes that");
    CreateKey(Deterministic);
    using (var csfle = OpenWithSchema())
    {
        var people = People(csfle);
        people.InsertOne(Person("Sophia Duleep Singh", "123-12-1234"));
        var found = people.Find(new BsonDocument("ssn", "123-12-1234")).Single();
        Checks.Show("Find by ssn", found.ToJson());
        checks.That(found["full_name"] == "Sophia Duleep Singh", "Sophia is found by her ssn");
    }

    Checks.Section("A client without a schema stores plaintext");
    using (var csfle = Open(_ => { }))
    {
        var refused = Checks.Fails<CsfleException>(() => People(csfle).InsertOne(Person("Dora Thewlis", "234-23-2345")));
        Checks.Show("without consent", refused!.Message);
        checks.That(demo.GetCollection<BsonDocument>("people").CountDocuments(new BsonDocument()) == 1, "not without explicit consent: nothing is written");
    }

    using (var csfle = Open(builder => builder.AllowUnencrypted("csfle_demo.people")))
    {
        People(csfle).InsertOne(Person("Dora Thewlis", "234-23-2345"));
        var all = demo.GetCollection<BsonDocument>("people").Find(new BsonDocument()).ToList();
        Checks.Show("Encrypted find() results", string.Join('\n', all.Select(document => document.ToJson())));
        checks.That(IsCiphertext(all.Single(person => person["full_name"] == "Sophia Duleep Singh")["ssn"]), "Sophia's ssn is ciphertext");
        checks.That(all.Single(person => person["full_name"] == "Dora Thewlis")["ssn"] == "234-23-2345", "Dora's, with consent, is not");
    }

    Checks.Section("A validator on the server stops that");
    CreateKey(Deterministic);
    demo.CreateCollection("people", new CreateCollectionOptions<BsonDocument>
    {
        Validator = new BsonDocument("$jsonSchema", BsonDocument.Parse(File.ReadAllText(schemaFile))),
    });
    File.Delete(schemaFile);
    var rejected = Checks.Fails<MongoWriteException>(() => demo.GetCollection<BsonDocument>("people").InsertOne(Person("Dora Thewlis", "234-23-2345")));
    checks.That(rejected!.WriteError.Code == 121, "a client without encryption cannot store a plaintext ssn (error 121)");

    Checks.Section("No schema on the client at all");
    using (var csfle = Open(builder => builder.UseServerSchema()))
    {
        var people = People(csfle);
        people.InsertOne(Person("Sophia Duleep Singh", "123-12-1234"));
        checks.That(people.Find(new BsonDocument("ssn", "123-12-1234")).Single()["full_name"] == "Sophia Duleep Singh", "the schema comes from the server: Sophia is found by her ssn");
        checks.That(IsCiphertext(demo.GetCollection<BsonDocument>("people").Find(new BsonDocument()).Single()["ssn"]), "and stored as ciphertext");
    }

    checks.Finish();
    return 0;

    // create_key.py: everything from the beginning, the demo database included.
    Guid CreateKey(string algorithm)
    {
        plain.DropDatabase("csfle_demo");
        LocalMasterKey.CreateFile(keyFile, overwrite: true);
        using var csfle = Open(_ => { });
        var id = csfle.Keys.CreateDataKey("example");
        var schema = new BsonDocument
        {
            { "bsonType", "object" },
            { "properties", new BsonDocument("ssn", new BsonDocument("encrypt", new BsonDocument
                {
                    { "bsonType", "string" },
                    { "algorithm", algorithm },
                    { "keyId", new BsonArray { new BsonBinaryData(id, GuidRepresentation.Standard) } },
                })) },
        };
        File.WriteAllText(schemaFile, schema.ToJson(new MongoDB.Bson.IO.JsonWriterSettings { Indent = true, OutputMode = MongoDB.Bson.IO.JsonOutputMode.CanonicalExtendedJson }));
        return id;
    }

    CsfleClientFactory OpenWithSchema() => Open(builder => builder.AddCollection("csfle_demo.people", File.ReadAllText(schemaFile)));

    CsfleClientFactory Open(Action<CsfleBuilder> configure) => CsfleClientFactory.Create(builder =>
    {
        builder.ConnectTo(server.ConnectionString).UseKeyVault("csfle_demo.__keystore").UseLocalMasterKey(keyFile);
        configure(builder);
    });
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

static IMongoCollection<BsonDocument> People(CsfleClientFactory csfle)
    => csfle.CreateEncryptedClient().GetDatabase("csfle_demo").GetCollection<BsonDocument>("people");

static BsonDocument Person(string name, string ssn) => new() { { "full_name", name }, { "ssn", ssn } };

static bool IsCiphertext(BsonValue value) => value is BsonBinaryData { SubType: BsonBinarySubType.Encrypted };
