using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary><see cref="Builders{T}"/> and the methods of a collection that take them.</summary>
public sealed class BuildersTests : IDisposable
{
    private static readonly FilterDefinitionBuilder<Chart> Filter = Builders<Chart>.Filter;
    private static readonly UpdateDefinitionBuilder<Chart> Update = Builders<Chart>.Update;
    private static readonly FilterDefinition<Chart> Second = Filter.Eq(chart => chart.Ssn, "secret-2");

    private static readonly Dictionary<string, (FilterDefinition<Chart> Filter, int[] Ids)> Filters = new()
    {
        ["Eq"] = (Filter.Eq(chart => chart.Ssn, "secret-1"), [1, 3]),
        ["Eq by name"] = (Filter.Eq("Contact.Email", "secret-a"), [1, 3]),
        ["Ne"] = (Filter.Ne(chart => chart.Ssn, "secret-1"), [2]),
        ["In"] = (Filter.In(chart => chart.Ssn, ["secret-2", "secret-9"]), [2]),
        ["Nin"] = (Filter.Nin(chart => chart.Ssn, ["secret-2", "secret-9"]), [1, 3]),
        ["Not"] = (Filter.Not(Second), [1, 3]),
        ["And"] = (Filter.And(Filter.Eq(chart => chart.Ssn, "secret-1"), Filter.Gt(chart => chart.Age, 40)), [3]),
        ["Or"] = (Filter.Or(Second, Filter.Eq(chart => chart.Id, 3)), [2, 3]),
        ["Nor"] = (!Filter.Or(Second, Filter.Eq(chart => chart.Id, 3)), [1]),
        ["Exists"] = (Filter.Exists(chart => chart.Diagnosis), [1, 2, 3]),
        ["plain"] = (Filter.Regex(chart => chart.Ward, "^A") & Filter.Size(chart => chart.Tags, 1) & Filter.ElemMatch(chart => chart.Visits, visit => visit.Day == 3), [2]),
    };

    private static readonly Dictionary<string, FilterDefinition<Chart>> RefusedFilters = new()
    {
        ["random"] = Filter.Eq(chart => chart.Diagnosis, "secret-flu"),
        ["null"] = Filter.Eq(chart => chart.Ssn, null),
        ["Gt"] = Filter.Gt(chart => chart.Ssn, "secret-1"),
        ["Regex"] = Filter.Regex(chart => chart.Ssn, "^secret"),
        ["Type"] = Filter.Type(chart => chart.Ssn, BsonType.String),
        ["whole document"] = Filter.Eq(chart => chart.Contact, new Contact { Email = "secret-a" }),
        ["Text"] = Filter.Text("secret"),
        ["JsonSchema"] = Filter.JsonSchema(new BsonDocument("properties", new BsonDocument("Ssn", new BsonDocument("enum", new BsonArray { "secret-1" })))),
        ["Where"] = Filter.Where(chart => chart.Ssn!.Length > 3),
        ["other case"] = Filter.Eq("ssn", "secret-1"),
    };

    private static readonly Dictionary<string, UpdateDefinition<Chart>> Updates = new()
    {
        ["Set, random"] = Update.Set(chart => chart.Diagnosis, "secret-new"),
        ["Set, embedded"] = Update.Set(chart => chart.Contact.Email, "secret-new"),
        ["Set, whole document"] = Update.Set(chart => chart.Contact, new Contact { Email = "secret-new", City = "Chur" }),
        ["Combine"] = Update.Combine(Update.Set(chart => chart.Ssn, "secret-new"), Update.Inc(chart => chart.Age, 1), Update.Push(chart => chart.Tags, "seen")),
        ["Unset"] = Update.Set(chart => chart.Contact.Email, "secret-new").Unset(chart => chart.Diagnosis),
    };

    private static readonly Dictionary<string, UpdateDefinition<Chart>> RefusedUpdates = new()
    {
        ["SetOnInsert"] = Update.SetOnInsert(chart => chart.Ssn, "secret-new"),
        ["Min"] = Update.Min(chart => chart.Ssn, "secret-0"),
        ["Rename to plain"] = Update.Rename(chart => chart.Ssn, "Number"),
        ["CurrentDate"] = Update.CurrentDate("Diagnosis"),
        ["Push"] = BsonDocument.Parse("{ $push: { Diagnosis: 'secret-new' } }"),
        ["Pipeline"] = Update.Pipeline(new EmptyPipelineDefinition<Chart>().AppendStage<Chart, Chart, Chart>(new BsonDocument("$set", new BsonDocument("Ssn", "secret-new")))),
        ["into an encrypted value"] = Update.Set("Diagnosis.Code", "secret-new"),
    };

    private readonly Patients _patients = Chart.InPatients();

    public static TheoryData<string> FilterNames => [.. Filters.Keys];

    public static TheoryData<string> RefusedFilterNames => [.. RefusedFilters.Keys];

    public static TheoryData<string> UpdateNames => [.. Updates.Keys];

    public static TheoryData<string> RefusedUpdateNames => [.. RefusedUpdates.Keys];

    private IMongoCollection<Chart> Charts => _patients.Other<Chart>(Chart.Collection);

    public void Dispose() => _patients.Dispose();

    [Theory]
    [MemberData(nameof(FilterNames))]
    public async Task A_filter_by_equality_finds_what_it_should_and_counts_and_distinguishes_it(string name)
    {
        var (filter, ids) = Filters[name];

        var found = await Charts.Find(filter).SortBy(chart => chart.Id).ToListAsync();

        Assert.Equal(ids, found.Select(chart => chart.Id));
        Assert.Equal(ids.Length, await Charts.CountDocumentsAsync(filter));
        Assert.Equal(found.Select(chart => chart.Ssn).Distinct().Order(), (await (await Charts.DistinctAsync(chart => chart.Ssn, filter)).ToListAsync()).Order());
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Theory]
    [MemberData(nameof(RefusedFilterNames))]
    public async Task A_filter_that_asks_more_is_refused_wherever_it_stands(string name)
    {
        var filter = RefusedFilters[name];
        await _patients.Refused(() => Charts.Find(filter).ToListAsync());
        await _patients.Refused(() => Charts.CountDocumentsAsync(filter));
        await _patients.Refused(() => Charts.DistinctAsync(chart => chart.Ward, filter));
        await _patients.Refused(() => Charts.DeleteManyAsync(filter));
        await _patients.Refused(() => Charts.UpdateManyAsync(filter, Update.Set(chart => chart.Age, 1)));
        await _patients.Refused(() => Charts.ReplaceOneAsync(filter, new Chart()));
        await _patients.Refused(() => Charts.FindOneAndDeleteAsync(filter));
        await _patients.Refused(() => Charts.FindOneAndUpdateAsync(filter, Update.Set(chart => chart.Age, 1)));
        await _patients.Refused(() => Charts.FindOneAndReplaceAsync(filter, new Chart()));
        await _patients.Refused(() => Charts.Aggregate().Match(filter).ToListAsync());
        await _patients.Refused(() => Charts.BulkWriteAsync([new DeleteOneModel<Chart>(filter)]));
    }

    [Theory]
    [MemberData(nameof(UpdateNames))]
    public async Task An_update_writes_ciphertext(string name)
    {
        await Charts.UpdateOneAsync(Second, Updates[name]);

        var changed = await Charts.Find(chart => chart.Id == 2).SingleAsync();
        Assert.Contains("secret-new", new[] { changed.Ssn, changed.Diagnosis, changed.Contact.Email });
        var stored = await _patients.OtherInClear(Chart.Collection).Find(new BsonDocument("_id", 2)).SingleAsync();
        Assert.DoesNotContain(Chart.Secret, stored.ToString(), StringComparison.Ordinal);
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Theory]
    [MemberData(nameof(RefusedUpdateNames))]
    public async Task An_update_that_ciphertext_cannot_have_is_refused_wherever_it_stands(string name)
    {
        var update = RefusedUpdates[name];
        await _patients.Refused(() => Charts.UpdateOneAsync(Second, update));
        await _patients.Refused(() => Charts.UpdateManyAsync(Second, update));
        await _patients.Refused(() => Charts.FindOneAndUpdateAsync(Second, update));
        await _patients.Refused(() => Charts.BulkWriteAsync([new UpdateManyModel<Chart>(Second, update)]));
    }

    [Fact]
    public async Task Projections_include_and_exclude()
    {
        var projection = Builders<Chart>.Projection;
        var included = await Charts.Find(Second).Project<BsonDocument>(projection.Include(chart => chart.Ssn).Include(chart => chart.Contact.Email).Exclude(chart => chart.Id)).SingleAsync();
        var excluded = await Charts.Find(Second).Project<Chart>(projection.Exclude(chart => chart.Diagnosis)).SingleAsync();
        var named = await Charts.Find(Second).Project(chart => new { chart.Ssn, chart.Ward }).SingleAsync();

        Assert.Equal(BsonDocument.Parse("{ Ssn: 'secret-2', Contact: { Email: 'secret-b' } }"), included);
        Assert.Equal(("secret-2", null), (excluded.Ssn, excluded.Diagnosis));
        Assert.Equal(("secret-2", "A"), (named.Ssn, named.Ward));
        Assert.Equal("secret-b", await Charts.Find(Second).Project(chart => chart.Contact.Email).SingleAsync());
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Fact]
    public async Task Projections_that_compute_with_an_encrypted_field_or_rename_it_are_refused()
    {
        await _patients.Refused(() => Charts.Find(Second).Project(chart => new { Number = chart.Ssn }).ToListAsync());
        await _patients.Refused(() => Charts.Find(Second).Project(chart => chart.Ssn!.ToUpper()).ToListAsync());
        await _patients.Refused(() => Charts.Find(Second).Project<BsonDocument>(Builders<Chart>.Projection.Slice("Ssn", 1)).ToListAsync());
    }

    [Fact]
    public async Task A_sort_is_by_plain_fields()
    {
        var sort = Builders<Chart>.Sort;
        Assert.Equal([3, 2, 1], (await Charts.Find(Filter.Empty).Sort(sort.Descending(chart => chart.Ward).Descending(chart => chart.Age)).ToListAsync()).Select(chart => chart.Id));
        Assert.Equal(3, (await Charts.FindOneAndUpdateAsync(Filter.Eq(chart => chart.Ssn, "secret-1"), Update.Inc(chart => chart.Age, 1), new FindOneAndUpdateOptions<Chart> { Sort = sort.Descending(chart => chart.Age) })).Id);

        await _patients.Refused(() => Charts.Find(Filter.Empty).Sort(sort.Ascending(chart => chart.Ssn)).ToListAsync());
        await _patients.Refused(() => Charts.Find(Filter.Empty).Sort(sort.Ascending(chart => chart.Age).Ascending(chart => chart.Contact.Email)).ToListAsync());
        await _patients.Refused(() => Charts.FindOneAndDeleteAsync(Filter.Empty, new FindOneAndDeleteOptions<Chart> { Sort = sort.Descending(chart => chart.Diagnosis) }));
    }

    [Fact]
    public async Task Indexes_can_have_encrypted_keys_and_filter_by_plain_fields()
    {
        var keys = Builders<Chart>.IndexKeys;
        await Charts.Indexes.CreateOneAsync(new CreateIndexModel<Chart>(keys.Ascending(chart => chart.Ssn).Descending(chart => chart.Age), new CreateIndexOptions { Unique = true }));
        await Charts.Indexes.CreateOneAsync(new CreateIndexModel<Chart>(keys.Ascending(chart => chart.Contact.City), new CreateIndexOptions<Chart> { PartialFilterExpression = Filter.Gt(chart => chart.Age, 1) }));

        // Equal plaintexts have equal ciphertexts, and so the index knows them.
        var error = await Assert.ThrowsAsync<MongoWriteException>(() => Charts.InsertOneAsync(new Chart { Id = 9, Ssn = "secret-2", Age = 40 }));
        Assert.Equal(ServerErrorCategory.DuplicateKey, error.WriteError.Category);
        Assert.DoesNotContain(Chart.Secret, error.ToString(), StringComparison.Ordinal);
        await _patients.Refused(() => Charts.Indexes.CreateOneAsync(
            new CreateIndexModel<Chart>(keys.Ascending(chart => chart.Age), new CreateIndexOptions<Chart> { PartialFilterExpression = Filter.Eq(chart => chart.Ssn, "secret-1") })));
    }

    [Fact]
    public async Task Find_and_modify_returns_what_was_and_what_is()
    {
        var updated = await Charts.FindOneAndUpdateAsync(Second, Update.Set(chart => chart.Diagnosis, "secret-new"), new FindOneAndUpdateOptions<Chart> { ReturnDocument = ReturnDocument.After });
        var replaced = await Charts.FindOneAndReplaceAsync(Second, new Chart { Id = 2, Ssn = "secret-3" });
        var projected = await Charts.FindOneAndDeleteAsync(chart => chart.Ssn == "secret-3", new FindOneAndDeleteOptions<Chart, BsonDocument> { Projection = Builders<Chart>.Projection.Include(chart => chart.Ssn) });

        Assert.Equal("secret-new", updated.Diagnosis);
        Assert.Equal("secret-new", replaced.Diagnosis);
        Assert.Equal(BsonDocument.Parse("{ _id: 2, Ssn: 'secret-3' }"), projected);
        _patients.AssertNeverSent(Chart.Secret);
    }

    [Fact]
    public async Task Counting_and_distinct_beside_filters()
    {
        Assert.Equal(3, await Charts.EstimatedDocumentCountAsync());
        Assert.Equal(1, await Charts.CountDocumentsAsync(Filter.Eq(chart => chart.Ssn, "secret-1"), new CountOptions { Skip = 1, Limit = 5 }));
        Assert.Equal(["secret-a", "secret-b"], (await (await Charts.DistinctAsync(chart => chart.Contact.Email, Filter.Empty)).ToListAsync()).Order());
        Assert.Equal(["A", "B"], (await (await Charts.DistinctAsync(chart => chart.Ward, Filter.Eq(chart => chart.Ssn, "secret-1"))).ToListAsync()).Order());
        _patients.AssertNeverSent(Chart.Secret);

        await _patients.Refused(() => Charts.DistinctAsync(chart => chart.Diagnosis, Filter.Empty));
    }
}
