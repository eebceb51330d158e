using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/attributes.md shows, compiled and run.</summary>
public sealed class AttributesPageSnippets : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();

    [Fact]
    public async Task Attributes_and_code_say_the_same()
    {
        using var attributes = await Started(csfle => csfle.AddCollection<Patient>());
        using var code = await Started(Unmarked.Register);

        Assert.Equal(attributes.Schemas["medicalRecords.patients"].ToJson(), code.Schemas["medicalRecords.patients"].ToJson());
    }

    [Fact]
    public async Task Derived_classes_are_named_and_others_are_refused()
    {
        var visits = _server.Namespace("visits");
        using var factory = await Started(csfle =>
        {
            csfle.AddCollection<Visit>(visits, visit => visit
                .Derived<HouseCall>(houseCall => houseCall.Random(h => h.Address)));
        });
        using var client = factory.CreateEncryptedClient();
        var collection = Collection<Visit>(client, visits);
        await collection.InsertManyAsync([new Visit { Reason = "a" }, new HouseCall { Reason = "b", Address = "c" }]);

        var exception = await Assert.ThrowsAsync<QueryAnalysisException>(() => collection.InsertOneAsync(new Surgery { Reason = "d" }));

        Assert.Equal(CsfleErrorCode.UnknownClass, exception.Code);
        Assert.Equal("c", (await collection.OfType<HouseCall>().Find(FilterDefinition<HouseCall>.Empty).SingleAsync()).Address);
    }

    [Fact]
    public async Task An_object_written_as_its_own_class_has_no_discriminator_and_is_not_checked()
    {
        var visits = _server.Namespace("visits");
        using var factory = await Started(csfle => csfle.AddCollection<Visit>(visits));
        using var client = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();

        await Collection<Surgery>(client, visits).InsertOneAsync(new Surgery { Reason = "a", Theatre = "in clear" });

        Assert.Equal("in clear", (await Collection<BsonDocument>(plain, visits).Find(new BsonDocument()).SingleAsync())["Theatre"].AsString);
    }

    [Fact]
    public async Task A_key_per_document()
    {
        var diaries = _server.Namespace("diaries");
        using var factory = await Started(csfle => csfle.AddCollection<Diary>(diaries));
        using var client = factory.CreateEncryptedClient();
        var collection = Collection<Diary>(client, diaries);

        var keyId = await factory.Keys.GetOrCreateDataKeyAsync("diary-4711");
        await collection.InsertOneAsync(new Diary { OwnerKey = "diary-4711", Text = "Dear diary" });

        using var plain = factory.CreateUnencryptedClient();
        var stored = await Collection<BsonDocument>(plain, diaries).Find(new BsonDocument()).SingleAsync();
        Assert.Equal(keyId, new Guid(stored["Text"].AsBsonBinaryData.Bytes.AsSpan(1, 16), bigEndian: true));
        Assert.Equal("Dear diary", (await collection.Find(diary => diary.OwnerKey == "diary-4711").SingleAsync()).Text);
        var refused = await Assert.ThrowsAsync<QueryAnalysisException>(() => collection.UpdateOneAsync(diary => diary.OwnerKey == "diary-4711", Builders<Diary>.Update.Set(diary => diary.Text, "no")));
        Assert.Equal("Text", refused.Path);
    }

    public void Dispose()
    {
        _masterKey.Dispose();
        _server.Dispose();
    }

    private static IMongoCollection<T> Collection<T>(IMongoClient client, string ns)
    {
        var name = CollectionNamespace.FromFullName(ns);
        return client.GetDatabase(name.DatabaseNamespace.DatabaseName).GetCollection<T>(name.CollectionName);
    }

    private async Task<CsfleClientFactory> Started(Action<CsfleBuilder> configure)
    {
        var factory = CsfleClientFactory.Create(csfle =>
        {
            csfle.ConnectTo(_server.ConnectionString).UseKeyVault(_store).UseLocalMasterKey(_masterKey).CreateMissingDataKeys();
            configure(csfle);
        });
        await factory.InitializeAsync();
        return factory;
    }

    [EncryptedCollection("medicalRecords.patients", Nulls = NullPolicy.Omit), DataKey("medco-patients")]
    public class Patient
    {
        public ObjectId Id { get; set; }
        public string Name { get; set; } = "";
        [Deterministic] public int Ssn { get; set; }
        [Random] public string? BloodType { get; set; }
        [Random, DataKey("medco-notes")] public string? Note { get; set; }
        [Random] public List<MedicalRecord>? MedicalRecords { get; set; }    // the whole list, one ciphertext
        public Insurance? Insurance { get; set; }
    }

    public class Insurance
    {
        [Deterministic] public int PolicyNumber { get; set; }                // encrypted inside the document
        public string Provider { get; set; } = "";                           // in clear
    }

    public class MedicalRecord
    {
        public int Weight { get; set; }
    }

    public static class Unmarked
    {
        public static void Register(CsfleBuilder csfle)
        {
            csfle.AddCollection<Patient>("medicalRecords.patients", patient => patient
                .DataKey("medco-patients")
                .Nulls(NullPolicy.Omit)
                .Deterministic(p => p.Ssn)
                .Random(p => p.BloodType)
                .Random(p => p.Note, dataKey: "medco-notes")
                .Random(p => p.MedicalRecords)
                .Embedded(p => p.Insurance!, insurance => insurance.Deterministic(i => i.PolicyNumber))
                .UniqueIndex(p => p.Ssn));
        }

        public class Patient
        {
            public ObjectId Id { get; set; }

            public string Name { get; set; } = "";

            public int Ssn { get; set; }

            public string? BloodType { get; set; }

            public string? Note { get; set; }

            public List<MedicalRecord>? MedicalRecords { get; set; }

            public Insurance? Insurance { get; set; }
        }

        public class Insurance
        {
            public int PolicyNumber { get; set; }

            public string Provider { get; set; } = "";
        }
    }

    [DataKey("medco-patients")]
    public class Visit
    {
        public ObjectId Id { get; set; }

        [Random]
        public string Reason { get; set; } = "";
    }

    public class HouseCall : Visit
    {
        public string Address { get; set; } = "";
    }

    public class Surgery : Visit
    {
        public string Theatre { get; set; } = "";
    }

    public class Diary
    {
        public ObjectId Id { get; set; }
        public string OwnerKey { get; set; } = "";                           // in clear: the name of a data key
        [Random(KeyField = "/OwnerKey")] public string Text { get; set; } = "";
    }
}
