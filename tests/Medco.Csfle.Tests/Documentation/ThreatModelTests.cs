using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Cryptography;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/threat-model.md says an onlooker sees and a writer can do, seen and done.</summary>
public sealed class ThreatModelTests : IDisposable
{
    private readonly Patients _patients = new();

    [Fact]
    public async Task A_ciphertext_that_is_moved_to_another_document_or_field_reads_back_as_if_it_belonged_there()
    {
        await _patients.Doctor.InsertManyAsync([JonDoe.Create(), New("Ann", 1, 2, "0-")]);
        var jon = await Stored("Jon Doe");

        await _patients.Receptionist.UpdateOneAsync(
            new BsonDocument("name", "Ann"), new BsonDocument("$set", new BsonDocument { { "bloodType", jon["bloodType"] }, { "insurance.policyNumber", jon["ssn"] } }));

        var ann = await _patients.Doctor.Find(patient => patient.Name == "Ann").SingleAsync();
        Assert.Equal(("AB+", 241014209), (ann.BloodType, ann.Insurance.PolicyNumber));
    }

    [Fact]
    public async Task Equal_deterministic_values_are_equal_ciphertexts_in_all_fields_of_one_key_and_random_ones_are_not()
    {
        await _patients.Doctor.InsertManyAsync([New("Ann", 7, 7, "0-"), New("Bob", 7, 8, "0-")]);
        var (ann, bob) = (await Stored("Ann"), await Stored("Bob"));

        Assert.Equal(ann["ssn"], bob["ssn"]);
        Assert.Equal(ann["ssn"], ann["insurance"]["policyNumber"]);
        Assert.NotEqual(ann["insurance"]["policyNumber"], bob["insurance"]["policyNumber"]);
        Assert.NotEqual(ann["bloodType"], bob["bloodType"]);
    }

    [Fact]
    public async Task Under_another_key_equal_values_are_different_ciphertexts()
    {
        await _patients.Factory.InitializeAsync();
        await _patients.Factory.Keys.CreateDataKeyAsync("another");

        var one = await _patients.Factory.Encryption.EncryptAsync(7, CsfleAlgorithm.Deterministic, "medco-patients");
        var other = await _patients.Factory.Encryption.EncryptAsync(7, CsfleAlgorithm.Deterministic, "another");

        Assert.NotEqual(one.Bytes[17..], other.Bytes[17..]);
    }

    [Fact]
    public async Task Algorithm_key_type_and_length_can_be_seen()
    {
        await _patients.Doctor.InsertOneAsync(New("Ann", 7, 8, "0-"));
        var id = await _patients.Factory.Keys.FindDataKeyAsync("medco-patients");

        var ssn = (await Stored("Ann"))["ssn"].AsBsonBinaryData.Bytes;

        Assert.Equal((1, id, 0x10), (ssn[0], new Guid(ssn.AsSpan(1, 16), bigEndian: true), ssn[17]));
        Assert.Equal(1 + 16 + 1 + 16 + 16 + 32, ssn.Length);
    }

    [Fact]
    public async Task A_changed_ciphertext_is_refused()
    {
        await _patients.Doctor.InsertOneAsync(JonDoe.Create());
        var bytes = (await Stored("Jon Doe"))["bloodType"].AsBsonBinaryData.Bytes;
        bytes[^1] ^= 1;
        await _patients.Receptionist.UpdateOneAsync(
            new BsonDocument("name", "Jon Doe"), new BsonDocument("$set", new BsonDocument("bloodType", new BsonBinaryData(bytes, BsonBinarySubType.Encrypted))));

        var exception = await Assert.ThrowsAsync<DecryptionException>(() => _patients.Doctor.Find(patient => patient.Name == "Jon Doe").ToListAsync());

        Assert.Equal(CsfleErrorCode.DecryptionFailed, exception.Code);
    }

    [Fact]
    public async Task A_key_that_is_deleted_makes_every_reply_with_a_ciphertext_of_it_an_error()
    {
        using var patients = new Patients((csfle, _) => csfle.CacheDataKeysFor(TimeSpan.FromTicks(1)));
        await patients.Doctor.InsertOneAsync(JonDoe.Create());
        var id = await patients.Factory.Keys.FindDataKeyAsync("medco-patients");

        await patients.Factory.Keys.Service.DeleteKeyAsync(id!.Value);

        var exception = await Assert.ThrowsAnyAsync<CsfleException>(() => patients.Doctor.Find(FilterDefinition<Patient>.Empty).ToListAsync());
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, exception.Code);
    }

    [Fact]
    public async Task Who_encrypts_can_also_store_a_ciphertext_in_a_plain_field()
    {
        await _patients.Factory.InitializeAsync();
        var value = await _patients.Factory.Encryption.EncryptAsync("hidden", CsfleAlgorithm.Random, "medco-patients");
        await _patients.Receptionist.InsertOneAsync(new BsonDocument("name", value));

        Assert.Equal("hidden", Assert.Single(await _patients.Doctor.Find(FilterDefinition<Patient>.Empty).ToListAsync()).Name);
    }

    public void Dispose() => _patients.Dispose();

    private static Patient New(string name, int ssn, int policyNumber, string bloodType)
        => new() { Name = name, Ssn = ssn, BloodType = bloodType, Insurance = new Insurance { PolicyNumber = policyNumber } };

    private Task<BsonDocument> Stored(string name) => _patients.Receptionist.Find(new BsonDocument("name", name)).SingleAsync();
}
