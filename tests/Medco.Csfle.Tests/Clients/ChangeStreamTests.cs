using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>
/// Change streams: an encrypting client watches plain collections only, a client without encryption watches all of them and
/// sees ciphertext.
/// </summary>
public sealed class ChangeStreamTests : IDisposable
{
    private static readonly ChangeStreamOptions LookUp = new() { FullDocument = ChangeStreamFullDocumentOption.UpdateLookup };

    private readonly Patients _patients = Chart.InPatients(asReplicaSet: true);

    private IMongoCollection<Chart> Charts => _patients.Other<Chart>(Chart.Collection);

    private IMongoCollection<Room> Rooms => _patients.Other<Room>("rooms");

    public void Dispose() => _patients.Dispose();

    [ReplicaSetFact]
    public async Task An_encrypted_collection_cannot_be_watched_through_the_encrypted_client()
    {
        var exception = await _patients.Refused(() => Charts.WatchAsync());
        await _patients.Refused(() => Task.Run(() => Charts.Watch()));
        await _patients.Refused(() => Charts.WatchAsync(new EmptyPipelineDefinition<ChangeStreamDocument<Chart>>().Match(change => change.FullDocument.Ssn == "secret-1")));

        Assert.Equal((CsfleErrorCode.UnsupportedOnEncryptedCollection, "$changeStream", Charts.CollectionNamespace.FullName), (exception.Code, exception.Operator, exception.Collection));
    }

    [ReplicaSetFact]
    public async Task Neither_can_a_database_or_all_of_a_cluster()
    {
        var exception = await _patients.Refused(() => Charts.Database.WatchAsync());
        await _patients.Refused(() => _patients.Encrypted.WatchAsync());

        Assert.Equal(CsfleErrorCode.CommandNotSupported, exception.Code);
    }

    [ReplicaSetFact]
    public async Task A_client_without_encryption_sees_ciphertext()
    {
        using var changes = Of(await _patients.OtherInClear(Chart.Collection).WatchAsync(LookUp));
        await Charts.UpdateOneAsync(chart => chart.Ssn == "secret-2", Builders<Chart>.Update.Set(chart => chart.Diagnosis, "secret-new").Set(chart => chart.Contact.Email, "secret-c"));
        await Charts.InsertOneAsync(new Chart { Id = 4, Ssn = "secret-4" });

        var (update, insert) = (await changes.Next(), await changes.Next());
        var updated = update.UpdateDescription.UpdatedFields;
        Assert.All(["Diagnosis", "Contact.Email"], path => Assert.Equal((BsonBinarySubType)6, updated[path].AsBsonBinaryData.SubType));
        Assert.Equal((BsonBinarySubType)6, update.FullDocument["Ssn"].AsBsonBinaryData.SubType);
        Assert.Equal((BsonBinarySubType)6, insert.FullDocument["Ssn"].AsBsonBinaryData.SubType);
        Assert.DoesNotContain(Chart.Secret, update.BackingDocument.ToString() + insert.BackingDocument, StringComparison.Ordinal);
    }

    [ReplicaSetFact]
    public async Task The_document_of_an_event_is_read_through_the_encrypted_client()
    {
        using var changes = Of(await _patients.OtherInClear(Chart.Collection).WatchAsync());
        await Charts.InsertOneAsync(new Chart { Id = 4, Ssn = "secret-4" });

        var id = (await changes.Next()).DocumentKey["_id"].AsInt32;

        Assert.Equal("secret-4", (await Charts.Find(chart => chart.Id == id).SingleAsync()).Ssn);
    }

    [ReplicaSetFact]
    public async Task A_plain_collection_is_watched_and_its_stream_resumed_through_the_encrypted_client()
    {
        ChangeStreamDocument<Room> first;
        using (var changes = Of(await Rooms.WatchAsync(new EmptyPipelineDefinition<ChangeStreamDocument<Room>>().Match(change => change.FullDocument.Ward == "A"), LookUp)))
        {
            await Rooms.InsertManyAsync([new Room { Id = 1, Ward = "A" }, new Room { Id = 2, Ward = "B" }, new Room { Id = 3, Ward = "A" }]);
            first = await changes.Next();
        }

        using var resumed = Of(await Rooms.WatchAsync(new ChangeStreamOptions { ResumeAfter = first.ResumeToken }));
        Assert.Equal(1, first.FullDocument.Id);
        Assert.Equal([2, 3], (await resumed.Next(2)).Select(change => change.FullDocument.Id));

        await Rooms.UpdateOneAsync(room => room.Id == 3, Builders<Room>.Update.Set(room => room.Ward, "C"));
        await Rooms.ReplaceOneAsync(room => room.Id == 3, new Room { Id = 3, Ward = "D" });
        await Rooms.DeleteOneAsync(room => room.Id == 3);
        await Rooms.Database.DropCollectionAsync("rooms");
        Assert.Equal(
            [ChangeStreamOperationType.Update, ChangeStreamOperationType.Replace, ChangeStreamOperationType.Delete, ChangeStreamOperationType.Drop, ChangeStreamOperationType.Invalidate],
            (await resumed.Next(5)).Select(change => change.OperationType));
    }

    [ReplicaSetFact]
    public async Task The_events_of_a_transaction_come_when_it_is_committed()
    {
        using var changes = Of(await _patients.OtherInClear(Chart.Collection).WatchAsync());
        using (var session = await _patients.Encrypted.StartSessionAsync())
        {
            session.StartTransaction();
            await Charts.InsertOneAsync(session, new Chart { Id = 4, Ssn = "secret-4" });
            await session.AbortTransactionAsync();
            session.StartTransaction();
            await Charts.InsertOneAsync(session, new Chart { Id = 5, Ssn = "secret-5" });
            await session.CommitTransactionAsync();
        }

        var told = await changes.Next();
        Assert.Equal(5, told.DocumentKey["_id"].AsInt32);
        Assert.Equal((BsonBinarySubType)6, told.FullDocument["Ssn"].AsBsonBinaryData.SubType);
    }

    private static Events<T> Of<T>(IChangeStreamCursor<ChangeStreamDocument<T>> changes) => new(changes);

    /// <summary>Reads events one by one; a stream that tells nothing fails the test in the end.</summary>
    private sealed class Events<T>(IChangeStreamCursor<ChangeStreamDocument<T>> changes) : IDisposable
    {
        private readonly Queue<ChangeStreamDocument<T>> _pending = [];

        public async Task<ChangeStreamDocument<T>> Next()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (_pending.Count == 0)
            {
                Assert.True(await changes.MoveNextAsync(patience.Token));
                foreach (var change in changes.Current) _pending.Enqueue(change);
            }

            return _pending.Dequeue();
        }

        public async Task<IReadOnlyList<ChangeStreamDocument<T>>> Next(int count)
        {
            var next = new List<ChangeStreamDocument<T>>();
            while (next.Count < count) next.Add(await Next());
            return next;
        }

        public void Dispose() => changes.Dispose();
    }
}
