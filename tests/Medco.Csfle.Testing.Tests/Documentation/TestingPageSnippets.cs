using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Tests;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Testing.Tests.Documentation;

/// <summary>What docs/testing.md and the README of the package show, compiled and run.</summary>
public sealed class TestingPageSnippets : IDisposable
{
    private readonly MongoServer _server = new();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void A_model_without_a_server()
    {
        using var csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection<Patient>());
        var patient = new Patient { Name = "Jon Doe", Ssn = 241014209, BloodType = "AB+", Insurance = new Insurance { PolicyNumber = 123142 } };

        var stored = csfle.ShouldEncryptAsRegistered(patient);

        stored.ShouldBeEncrypted<Patient>(x => x.Ssn, x => x.BloodType, x => x.Insurance.PolicyNumber);
        stored.ShouldNotBeEncrypted<Patient>(x => x.Name);
    }

    [Fact]
    public void A_query_without_a_server()
    {
        using var csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection<Patient>());
        var find = csfle.EncryptCommand("medicalRecords", new BsonDocument
        {
            { "find", "patients" },
            { "filter", new BsonDocument("Ssn", 241014209) },
        });

        find.ShouldBeEncrypted("filter.Ssn.$eq");
    }

    [Fact]
    public async Task A_collection_on_a_server()
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("people"));
        using var csfle = await CsfleTestFactory.CreateAsync(csfle => csfle
            .ConnectTo(_server.ConnectionString)
            .AddCollection<Person>(ns.FullName));
        using var client = csfle.CreateEncryptedClient();
        var people = client.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<Person>(ns.CollectionName);
        var jon = Person.Jon();
        await people.InsertOneAsync(jon);

        await people.ShouldBeEncryptedAsync(jon, x => x.Ssn, x => x.Insurance.PolicyNumber);
        await people.ShouldBeEncryptedAsync(jon, x => x.Ssn, new EncryptionExpectation { Algorithm = CsfleAlgorithm.Deterministic });
        await people.ShouldBeEncryptedAsync(x => x.Ssn == 241014209, x => x.BloodType);
        await people.ShouldNotBeEncryptedAsync(jon, x => x.Name);
        await csfle.ShouldBeEncryptedAsRegisteredAsync(people, jon);
    }

    [Fact]
    public void A_snapshot()
    {
        using var csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection<Patient>());

        csfle.ShouldMatchSchemaSnapshot("patients.schema.json");
    }

    [Fact]
    public void A_kms_that_fails()
    {
        using var kms = new FakeKeyManagementService("local");
        using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [kms]);
        kms.Always(FakeKmsAnswer.Refusal);

        Assert.Throws<KmsException>(() => vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["medco-patients"] }));
    }
}
