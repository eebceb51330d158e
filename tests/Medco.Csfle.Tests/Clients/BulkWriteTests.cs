using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>Many writes at once: through a collection they are encrypted, through the client they are refused.</summary>
public sealed class BulkWriteTests : IDisposable
{
    private static readonly FilterDefinitionBuilder<Chart> Filter = Builders<Chart>.Filter;
    private static readonly UpdateDefinitionBuilder<Chart> Update = Builders<Chart>.Update;

    private readonly Patients _patients = Chart.InPatients();

    private IMongoCollection<Chart> Charts => _patients.Other<Chart>(Chart.Collection);

    public void Dispose() => _patients.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_kind_of_model_writes_ciphertext(bool isOrdered)
    {
        var result = await Charts.BulkWriteAsync(
        [
            new InsertOneModel<Chart>(new Chart { Id = 4, Ssn = "secret-4", Diagnosis = "secret-new" }),
            new UpdateOneModel<Chart>(Filter.Eq(chart => chart.Ssn, "secret-2"), Update.Set(chart => chart.Diagnosis, "secret-new")),
            new UpdateManyModel<Chart>(Filter.Eq(chart => chart.Contact.Email, "secret-a"), Update.Set(chart => chart.Contact.Email, "secret-c")),
            new ReplaceOneModel<Chart>(Filter.Eq(chart => chart.Id, 3), new Chart { Id = 3, Ssn = "secret-5", Diagnosis = "secret-new" }),
            new UpdateOneModel<Chart>(Filter.Eq(chart => chart.Id, 6) & Filter.Eq(chart => chart.Ssn, "secret-6"), Update.Set(chart => chart.Diagnosis, "secret-new")) { IsUpsert = true },
            new ReplaceOneModel<Chart>(Filter.Eq(chart => chart.Id, 7), new Chart { Id = 7, Ssn = "secret-7" }) { IsUpsert = true },
            new DeleteOneModel<Chart>(Filter.Eq(chart => chart.Ssn, "secret-2")),
            new DeleteManyModel<Chart>(Filter.In(chart => chart.Ssn, ["secret-4", "secret-7"])),
        ], new BulkWriteOptions { IsOrdered = isOrdered });

        Assert.Equal((1, 4, 4, 3), (result.InsertedCount, result.MatchedCount, result.ModifiedCount, result.DeletedCount));
        Assert.Equal([4, 5], result.Upserts.Select(upsert => upsert.Index));
        Assert.Equal(["secret-1", "secret-5", "secret-6"], (await Charts.Find(Filter.Empty).ToListAsync()).Select(chart => chart.Ssn).Order());
        var stored = await _patients.OtherInClear(Chart.Collection).Find(new BsonDocument()).ToListAsync();
        Assert.All(stored, document => Assert.Equal((BsonBinarySubType)6, document["Ssn"].AsBsonBinaryData.SubType));
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Fact]
    public async Task A_write_that_is_refused_ends_an_ordered_bulk_where_it_stands()
    {
        var exception = await Assert.ThrowsAnyAsync<QueryAnalysisException>(() => Charts.BulkWriteAsync(
        [
            new InsertOneModel<Chart>(new Chart { Id = 4, Ssn = "secret-4" }),
            new UpdateOneModel<Chart>(Filter.Eq(chart => chart.Diagnosis, "secret-flu"), Update.Set(chart => chart.Age, 1)),
            new InsertOneModel<Chart>(new Chart { Id = 5, Ssn = "secret-5" }),
        ]));

        Assert.Equal("Diagnosis", exception.Path);
        Assert.Equal(4, await Charts.CountDocumentsAsync(Filter.Empty));
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Fact]
    public async Task The_bulk_write_of_a_client_is_not_sent()
    {
        // The driver refuses it of every client with automatic encryption; whoever writes the command himself, we do.
        var charts = Charts.CollectionNamespace;
        _patients.ClearCommands();
        await Assert.ThrowsAsync<NotSupportedException>(() => _patients.Encrypted.BulkWriteAsync([new BulkWriteInsertOneModel<Chart>(charts, new Chart { Id = 4, Ssn = "secret-4" })]));
        Assert.Throws<NotSupportedException>(() => _patients.Encrypted.BulkWrite([new BulkWriteInsertOneModel<Room>(charts.DatabaseNamespace.DatabaseName + ".rooms", new Room { Id = 4 })]));

        Assert.Empty(_patients.Commands);
        Assert.Equal(3, await Charts.CountDocumentsAsync(Filter.Empty));

        var command = new BsonDocument
        {
            { "bulkWrite", 1 },
            { "ops", new BsonArray { new BsonDocument { { "insert", 0 }, { "document", new BsonDocument("Ssn", "secret-4") } } } },
            { "nsInfo", new BsonArray { new BsonDocument("ns", charts.FullName) } },
        };
        var refused = await _patients.Refused(() => _patients.Encrypted.GetDatabase("admin").RunCommandAsync<BsonDocument>(command));
        Assert.Equal((CsfleErrorCode.CommandNotSupported, charts.FullName), (refused.Code, refused.Collection));
    }
}
