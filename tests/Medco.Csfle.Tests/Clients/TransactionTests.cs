using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>Transactions and retryable writes through the encrypted client.</summary>
public sealed class TransactionTests : IDisposable
{
    private readonly Patients _patients = Chart.InPatients(asReplicaSet: true);

    private IMongoCollection<Chart> Charts => _patients.Other<Chart>(Chart.Collection);

    private IMongoCollection<BsonDocument> AtRest => _patients.OtherInClear(Chart.Collection);

    public void Dispose() => _patients.Dispose();

    [ReplicaSetFact]
    public async Task What_was_committed_is_ciphertext_at_rest()
    {
        using var session = await _patients.Encrypted.StartSessionAsync();
        session.StartTransaction();
        await Write(session);
        Assert.Equal(3, await AtRest.CountDocumentsAsync(new BsonDocument()));
        Assert.Equal("secret-new", (await Charts.Find(session, chart => chart.Ssn == "secret-4").SingleAsync()).Diagnosis);
        await session.CommitTransactionAsync();

        var stored = await AtRest.Find(new BsonDocument()).ToListAsync();
        Assert.Equal([1, 2, 4], stored.Select(document => document["_id"].AsInt32).Order());
        Assert.All(stored, document => Assert.Equal((BsonBinarySubType)6, document["Ssn"].AsBsonBinaryData.SubType));
        Assert.Equal("secret-new", (await Charts.Find(chart => chart.Id == 2).SingleAsync()).Diagnosis);
        _patients.AssertNeverSent(Chart.Secret);
    }

    [ReplicaSetFact]
    public async Task What_was_aborted_left_no_trace()
    {
        var before = await AtRest.Find(new BsonDocument()).ToListAsync();
        using (var session = await _patients.Encrypted.StartSessionAsync())
        {
            session.StartTransaction();
            await Write(session);
            await session.AbortTransactionAsync();
        }

        Assert.Equal(before, await AtRest.Find(new BsonDocument()).ToListAsync());
        _patients.AssertNeverSent(Chart.Secret);
    }

    [ReplicaSetFact]
    public async Task A_session_that_is_disposed_of_takes_its_transaction_with_it()
    {
        using (var session = await _patients.Encrypted.StartSessionAsync())
        {
            session.StartTransaction();
            await Write(session);
        }

        Assert.Equal(3, await Charts.CountDocumentsAsync(FilterDefinition<Chart>.Empty));
    }

    [ReplicaSetFact]
    public async Task With_transaction_commits_what_the_callback_wrote()
    {
        using var session = await _patients.Encrypted.StartSessionAsync();

        var written = await session.WithTransactionAsync(async (inside, cancellationToken) =>
        {
            await Write(inside);
            return await Charts.CountDocumentsAsync(inside, chart => chart.Ssn == "secret-4", cancellationToken: cancellationToken);
        });

        Assert.Equal(1, written);
        Assert.Equal(1, await Charts.CountDocumentsAsync(chart => chart.Ssn == "secret-4"));
    }

    [ReplicaSetFact]
    public async Task With_transaction_starts_over_after_a_conflict()
    {
        using var session = await _patients.Encrypted.StartSessionAsync();
        var rounds = 0;

        await session.WithTransactionAsync(async (inside, cancellationToken) =>
        {
            var chart = await Charts.Find(inside, chart => chart.Ssn == "secret-2").SingleAsync(cancellationToken);
            if (rounds++ == 0) await Charts.UpdateOneAsync(other => other.Id == 2, Builders<Chart>.Update.Inc(other => other.Age, 1), cancellationToken: cancellationToken);
            return await Charts.UpdateOneAsync(inside, other => other.Ssn == "secret-2", Builders<Chart>.Update.Set(other => other.Diagnosis, $"secret-{chart.Age}"), cancellationToken: cancellationToken);
        });

        Assert.Equal(2, rounds);
        Assert.Equal("secret-41", (await Charts.Find(chart => chart.Id == 2).SingleAsync()).Diagnosis);
        _patients.AssertNeverSent(Chart.Secret);
    }

    [ReplicaSetFact]
    public async Task What_is_refused_inside_of_a_transaction_is_not_sent_and_leaves_it_as_it_was()
    {
        using var session = await _patients.Encrypted.StartSessionAsync();
        session.StartTransaction();
        await _patients.Refused(() => Charts.Find(session, chart => chart.Diagnosis == "secret-flu").ToListAsync());
        await Write(session);
        await _patients.Refused(() => Charts.UpdateOneAsync(session, chart => chart.Id == 4, Builders<Chart>.Update.SetOnInsert(chart => chart.Ssn, "secret-5")));
        await session.CommitTransactionAsync();

        Assert.Equal("secret-4", (await Charts.Find(chart => chart.Id == 4).SingleAsync()).Ssn);
    }

    [ReplicaSetFact]
    public async Task A_bulk_and_an_aggregation_run_in_a_transaction()
    {
        using var session = await _patients.Encrypted.StartSessionAsync();
        session.StartTransaction(new TransactionOptions(ReadConcern.Snapshot, writeConcern: WriteConcern.WMajority));
        await Charts.BulkWriteAsync(session, [new InsertOneModel<Chart>(new Chart { Id = 5, Ssn = "secret-1" }), new DeleteOneModel<Chart>(Builders<Chart>.Filter.Eq(chart => chart.Ssn, "secret-2"))]);
        var groups = await Charts.Aggregate(session).Group(chart => chart.Ssn, group => new { group.Key, Count = group.Count() }).ToListAsync();
        var numbers = await (await Charts.DistinctAsync(session, chart => chart.Ssn, FilterDefinition<Chart>.Empty)).ToListAsync();
        await session.CommitTransactionAsync();

        Assert.Equal(("secret-1", 3), (Assert.Single(groups).Key, groups[0].Count));
        Assert.Equal("secret-1", Assert.Single(numbers));
        _patients.AssertNeverSent(Chart.Secret);
    }

    private async Task Write(IClientSessionHandle session)
    {
        await Charts.InsertOneAsync(session, new Chart { Id = 4, Ssn = "secret-4", Diagnosis = "secret-new" });
        await Charts.UpdateOneAsync(session, chart => chart.Ssn == "secret-2", Builders<Chart>.Update.Set(chart => chart.Diagnosis, "secret-new"));
        await Charts.DeleteOneAsync(session, chart => chart.Id == 3);
    }
}
