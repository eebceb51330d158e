using MedcoMd.Model;
using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Linq;

namespace Medco.Csfle.Tests.Clients;

/// <summary>What the driver's methods that read, count and delete do on an encrypted collection.</summary>
public sealed class WaysToReadTests : IAsyncLifetime
{
    private readonly Patients _patients = new();

    public Task InitializeAsync() => _patients.Doctor.InsertManyAsync([JonDoe.Create(), new Patient { Name = "Jane", Ssn = 1, Insurance = { PolicyNumber = 2 } }]);

    [Fact]
    public async Task Counting_by_a_deterministic_field() => Assert.Equal(1, await _patients.Doctor.CountDocumentsAsync(patient => patient.Ssn == 241014209));

    [Fact]
    public async Task Finding_by_one_of_several_values()
    {
        var filter = Builders<Patient>.Filter.In(patient => patient.Ssn, [1, 241014209, 7]);

        Assert.Equal(2, (await _patients.Doctor.Find(filter).ToListAsync()).Count);
    }

    [Fact]
    public async Task Finding_in_an_embedded_document()
        => Assert.Equal("Jane", (await _patients.Doctor.Find(patient => patient.Insurance.PolicyNumber == 2).SingleAsync()).Name);

    [Fact]
    public async Task Distinct_values_of_a_deterministic_field_come_back_decrypted()
    {
        var numbers = await (await _patients.Doctor.DistinctAsync(patient => patient.Ssn, FilterDefinition<Patient>.Empty)).ToListAsync();

        Assert.Equal([1, 241014209], numbers.Order());
    }

    [Fact]
    public async Task What_find_and_modify_returns_is_decrypted()
    {
        var before = await _patients.Doctor.FindOneAndUpdateAsync(patient => patient.Ssn == 241014209, Builders<Patient>.Update.Set(patient => patient.BloodType, "0-"));

        Assert.Equal("AB+", before.BloodType);
    }

    [Fact]
    public async Task Deleting_by_a_deterministic_field()
    {
        await _patients.Doctor.DeleteOneAsync(patient => patient.Ssn == 241014209);

        Assert.Equal("Jane", (await _patients.Doctor.Find(FilterDefinition<Patient>.Empty).SingleAsync()).Name);
    }

    [Fact]
    public async Task Reading_in_several_batches()
    {
        var found = await _patients.Doctor.Find(FilterDefinition<Patient>.Empty, new FindOptions { BatchSize = 1 }).ToListAsync();

        Assert.Equal([1, 241014209], found.Select(patient => patient.Ssn).Order());
    }

    [Fact]
    public async Task A_range_on_a_deterministic_field_is_refused()
        => await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Doctor.Find(patient => patient.Ssn > 5).ToListAsync());

    [Fact]
    public async Task A_push_to_an_encrypted_array_is_refused()
        => await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Doctor.UpdateOneAsync(
            patient => patient.Ssn == 1, Builders<Patient>.Update.Push(patient => patient.MedicalRecords, new MedicalRecord())));

    [Fact]
    public async Task A_pipeline_on_a_random_field_is_refused()
        => await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Doctor.AsQueryable().Where(patient => patient.BloodType == "AB+").ToListAsync());

    public Task DisposeAsync()
    {
        _patients.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Linq_and_aggregation_work_on_encrypted_fields_as_far_as_equality_goes()
    {
        var name = await _patients.Doctor.AsQueryable().Where(patient => patient.Ssn == 1).Select(patient => patient.Name).SingleAsync();
        var ssns = await _patients.Doctor.AsQueryable().OrderBy(patient => patient.Name).Select(patient => patient.Ssn).ToListAsync();
        var groups = await _patients.Doctor.Aggregate()
            .Match(patient => patient.Insurance.PolicyNumber == 123142)
            .Group(patient => patient.Ssn, group => new { Ssn = group.Key, Count = group.Count() })
            .ToListAsync();

        Assert.Equal("Jane", name);
        Assert.Equal([1, 241014209], ssns);
        var only = Assert.Single(groups);
        Assert.Equal((241014209, 1), (only.Ssn, only.Count));
    }
}
