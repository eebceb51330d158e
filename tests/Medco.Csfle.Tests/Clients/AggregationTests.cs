using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>The driver's fluent aggregation on a collection with encrypted fields.</summary>
public sealed class AggregationTests : IDisposable
{
    private static readonly FilterDefinition<Chart> First = Builders<Chart>.Filter.Eq(chart => chart.Ssn, "secret-1");

    private static readonly Dictionary<string, (Func<IAggregateFluent<Chart>, Task<string>> Run, string Expected)> Working = new()
    {
        ["Match, Sort, Project"] = (charts => Rows(charts.Match(First).SortBy(chart => chart.Age).Project(chart => new { chart.Id, chart.Diagnosis })), "{ Id = 1, Diagnosis = secret-flu } { Id = 3, Diagnosis = secret-flu }"),
        ["Group by deterministic"] = (charts => Rows(charts.Group(chart => chart.Ssn, group => new { group.Key, Ages = group.Sum(chart => chart.Age) }).SortBy(row => row.Ages)), "{ Key = secret-2, Ages = 40 } { Key = secret-1, Ages = 80 }"),
        ["Match what was grouped"] = (charts => Rows(charts.Group(chart => chart.Ssn, group => new { group.Key, Count = group.Count() }).Match(row => row.Key == "secret-1")), "{ Key = secret-1, Count = 2 }"),
        ["Unwind plain"] = (charts => Documents(charts.Match(First).Unwind(chart => chart.Visits).Project(BsonDocument.Parse("{ _id: 0, Day: '$Visits.Day', Ssn: 1 }"))), "{ 'Ssn' : 'secret-1', 'Day' : 1 } { 'Ssn' : 'secret-1', 'Day' : 2 }"),
        ["SortByCount"] = (async charts => string.Join(' ', (await charts.SortByCount(chart => chart.Ssn).ToListAsync()).Select(row => $"{row.Id}:{row.Count}")), "secret-1:2 secret-2:1"),
        ["Count"] = (async charts => (await charts.Match(First).Count().SingleAsync()).Count.ToString(System.Globalization.CultureInfo.InvariantCulture), "2"),
        ["Skip, Limit"] = (charts => Rows(charts.SortBy(chart => chart.Id).Skip(1).Limit(1).Project(chart => chart.Contact.Email)), "secret-b"),
        ["ReplaceRoot"] = (charts => Rows(charts.Match(First).SortBy(chart => chart.Id).Limit(1).ReplaceRoot(chart => chart.Contact).Project(contact => contact.Email)), "secret-a"),
        ["AddFields"] = (charts => Documents(charts.Match(First).SortBy(chart => chart.Id).Limit(1).AppendStage<BsonDocument>("{ $addFields: { Copy: '$Ssn' } }").Match(new BsonDocument("Copy", "secret-1")).Project(BsonDocument.Parse("{ _id: 0, Copy: 1 }"))), "{ 'Copy' : 'secret-1' }"),
        ["Lookup"] = (charts => Documents(charts.Match(chart => chart.Ssn == "secret-2").Lookup("rooms", "Ward", "Ward", "Rooms").Project(BsonDocument.Parse("{ _id: 0, Ssn: 1, 'Rooms._id': 1 }"))), "{ 'Ssn' : 'secret-2', 'Rooms' : [{ '_id' : 7 }] }"),
        ["Lookup in itself"] = (charts => Documents(charts.Match(chart => chart.Id == 2).Lookup(Chart.Collection, "Ward", "Ward", "Same").Project(BsonDocument.Parse("{ _id: 0, 'Same.Diagnosis': 1 }"))), "{ 'Same' : [{ 'Diagnosis' : 'secret-flu' }, { 'Diagnosis' : 'secret-cold' }] }"),
    };

    private static readonly Dictionary<string, (Func<IAggregateFluent<Chart>, Task> Run, string? Operator)> Refused = new()
    {
        ["Match by random"] = (charts => charts.Match(chart => chart.Diagnosis == "secret-flu").ToListAsync(), null),
        ["Group by random"] = (charts => charts.Group(chart => chart.Diagnosis, group => new { group.Key, Count = group.Count() }).ToListAsync(), null),
        ["Group, Max of encrypted"] = (charts => charts.Group(chart => chart.Ward, group => new { group.Key, Most = group.Max(chart => chart.Ssn) }).ToListAsync(), null),
        ["Sort by encrypted"] = (charts => charts.SortBy(chart => chart.Ssn).ToListAsync(), null),
        ["Unwind encrypted"] = (charts => charts.Unwind("Ssn").ToListAsync(), null),
        ["Facet"] = (charts => charts.Facet(AggregateFacet.Create("counted", new EmptyPipelineDefinition<Chart>().Match(First).Count())).ToListAsync(), "$facet"),
        ["Lookup by encrypted"] = (charts => charts.Lookup(Chart.Collection, "Ssn", "Ssn", "Same").ToListAsync(), null),
        ["Lookup of what nobody registered"] = (charts => charts.Lookup("elsewhere", "Ward", "Ward", "Other").ToListAsync(), null),
        ["Match what was joined"] = (charts => charts.Lookup(Chart.Collection, "Ward", "Ward", "Same").Match(new BsonDocument("Same.Ssn", "secret-1")).ToListAsync(), null),
        ["UnionWith"] = (charts => charts.AppendStage<BsonDocument>("{ $unionWith: 'charts' }").ToListAsync(), "$unionWith"),
        ["Out"] = (charts => charts.OutAsync("copy"), "$out"),
        ["Merge"] = (charts => charts.AppendStage<BsonDocument>("{ $merge: 'copy' }").ToListAsync(), "$merge"),
        ["Bucket by encrypted"] = (charts => charts.AppendStage<BsonDocument>("{ $bucket: { groupBy: '$Ssn', boundaries: ['secret-1', 'secret-9'] } }").ToListAsync(), null),
        ["Set"] = (charts => charts.AppendStage<BsonDocument>("{ $set: { Copy: '$Ssn' } }").ToListAsync(), "$set"),
        ["Search"] = (charts => charts.AppendStage<BsonDocument>("{ $search: { text: { query: 'secret-1', path: 'Ssn' } } }").ToListAsync(), "$search"),
        ["VectorSearch"] = (charts => charts.AppendStage<BsonDocument>("{ $vectorSearch: { filter: { Ssn: 'secret-1' } } }").ToListAsync(), "$vectorSearch"),
    };

    private readonly Patients _patients = Chart.InPatients();

    public AggregationTests()
    {
        _patients.Other<Room>("rooms").InsertOne(new Room { Id = 7, Ward = "A" });
        _patients.ClearCommands();
    }

    public static TheoryData<string> WorkingNames => [.. Working.Keys];

    public static TheoryData<string> RefusedNames => [.. Refused.Keys];

    private IMongoCollection<Chart> Charts => _patients.Other<Chart>(Chart.Collection);

    public void Dispose() => _patients.Dispose();

    [Theory]
    [MemberData(nameof(WorkingNames))]
    public async Task What_the_stages_allow_works_and_sends_no_plaintext(string name)
    {
        var (run, expected) = Working[name];

        Assert.Equal(expected, await run(Charts.Aggregate()));
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public async Task Anything_else_is_refused_before_it_is_sent(string name)
    {
        var (run, stage) = Refused[name];

        var exception = await _patients.Refused(() => run(Charts.Aggregate()));

        Assert.StartsWith("CSFLE3", exception.Code, StringComparison.Ordinal);
        if (stage is not null) Assert.Equal(stage, exception.Operator);
        Assert.DoesNotContain(Chart.Secret, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_collection_can_join_an_encrypted_one_and_reads_it()
    {
        var rooms = _patients.Other<Room>("rooms").Aggregate();

        var joined = await rooms.Lookup(Chart.Collection, "Ward", "Ward", "Charts").SingleAsync();

        Assert.Equal(["secret-1", "secret-2"], joined["Charts"].AsBsonArray.Select(chart => chart["Ssn"].AsString));
        _patients.AssertNeverSent(Chart.Secret);
        await _patients.Refused(() => rooms.Lookup(Chart.Collection, "Ward", "Ward", "Charts").Match(new BsonDocument("Charts.Ssn", "secret-1")).ToListAsync());
    }

    [Fact]
    public async Task A_facet_of_a_plain_collection_passes_until_it_names_an_encrypted_one()
    {
        var rooms = _patients.Other<Room>("rooms").Aggregate();

        var counted = await rooms.Facet(AggregateFacet.Create("counted", new EmptyPipelineDefinition<Room>().Count())).SingleAsync();

        Assert.Equal(1, counted.Facets[0].Output<AggregateCountResult>().Single().Count);
        var exception = await _patients.Refused(() => rooms.AppendStage<BsonDocument>("{ $facet: { joined: [{ $lookup: { from: 'charts', localField: 'Ward', foreignField: 'Ward', as: 'c' } }, { $match: { 'c.Ssn': 'secret-1' } }] } }").ToListAsync());
        Assert.Equal(CsfleErrorCode.UnsupportedOnEncryptedCollection, exception.Code);
    }

    private static async Task<string> Rows<T>(IAggregateFluent<T> rows) => string.Join(' ', await rows.ToListAsync());

    private static async Task<string> Documents(IAggregateFluent<BsonDocument> rows)
        => string.Join(' ', (await rows.ToListAsync()).Select(row => row.ToString().Replace('"', '\'')));
}
