using System.Text;
using MedcoMd.Model;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>Whatever method of the driver writes, what is marked leaves the process as ciphertext.</summary>
public sealed class WaysToWriteTests : IDisposable
{
    private const string Sentinel = "sentinel-7f3a9c";

    private static readonly FilterDefinition<Patient> BySsn = Builders<Patient>.Filter.Eq(patient => patient.Ssn, 241014209);
    private static readonly UpdateDefinition<Patient> SetBloodType = Builders<Patient>.Update.Set(patient => patient.BloodType, Sentinel);

    private static readonly Dictionary<string, Func<IMongoCollection<Patient>, Task>> Ways = new()
    {
        ["InsertOneAsync"] = patients => patients.InsertOneAsync(Marked()),
        ["InsertOne"] = patients => Now(() => patients.InsertOne(Marked())),
        ["InsertManyAsync"] = patients => patients.InsertManyAsync([Marked(), Marked()]),
        ["BulkWriteAsync"] = patients => patients.BulkWriteAsync([
            new InsertOneModel<Patient>(JonDoe.Create()),
            new UpdateOneModel<Patient>(BySsn, SetBloodType),
            new ReplaceOneModel<Patient>(BySsn, Marked())]),
        ["UpdateOneAsync, upserting"] = patients => patients.UpdateOneAsync(BySsn, SetBloodType, new UpdateOptions { IsUpsert = true }),
        ["UpdateManyAsync"] = async patients =>
        {
            await patients.InsertOneAsync(JonDoe.Create());
            await patients.UpdateManyAsync(BySsn, SetBloodType);
        },
        ["ReplaceOneAsync, upserting"] = patients => patients.ReplaceOneAsync(BySsn, Marked(), new ReplaceOptions { IsUpsert = true }),
        ["FindOneAndUpdateAsync, upserting"] = patients => patients.FindOneAndUpdateAsync(BySsn, SetBloodType, new FindOneAndUpdateOptions<Patient> { IsUpsert = true }),
        ["FindOneAndReplace"] = patients => Now(() =>
        {
            patients.InsertOne(JonDoe.Create());
            patients.FindOneAndReplace(BySsn, Marked());
        }),
        ["RunCommandAsync"] = patients => patients.Database.RunCommandAsync<BsonDocument>(new BsonDocument
        {
            { "insert", patients.CollectionNamespace.CollectionName },
            { "documents", new BsonArray { Marked().ToBsonDocument() } },
        }),
        ["unacknowledged"] = async patients =>
        {
            await patients.WithWriteConcern(WriteConcern.Unacknowledged).InsertOneAsync(Marked());

            // Nobody says when it is written: it is when a read sees it.
            for (var attempt = 0; attempt < 100 && !await patients.Find(FilterDefinition<Patient>.Empty).AnyAsync(); attempt++) await Task.Delay(20);
        },
        ["more than one batch"] = patients => patients.InsertManyAsync(Enumerable.Range(0, 6).Select(_ =>
        {
            var patient = Marked();
            patient.Name = new string('x', 900_000);
            return patient;
        })),
    };

    private readonly Patients _patients = new();

    public static TheoryData<string> Names => [.. Ways.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Nothing_marked_is_stored_in_clear_by(string way)
    {
        await Ways[way](_patients.Doctor);

        var stored = await _patients.Collection<RawBsonDocument>(_patients.Plain).Find(FilterDefinition<RawBsonDocument>.Empty).ToListAsync();
        Assert.NotEmpty(stored);
        Assert.All(stored, document =>
        {
            Assert.Equal((BsonBinarySubType)6, document["bloodType"].AsBsonBinaryData.SubType);
            Assert.Equal(-1, document.ToBson().AsSpan().IndexOf(Encoding.UTF8.GetBytes(Sentinel)));
        });
        Assert.Contains(await _patients.Doctor.Find(FilterDefinition<Patient>.Empty).ToListAsync(), patient => patient.BloodType == Sentinel);
    }

    public void Dispose() => _patients.Dispose();

    private static Patient Marked()
    {
        var patient = JonDoe.Create();
        patient.BloodType = Sentinel;
        return patient;
    }

    private static Task Now(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}
