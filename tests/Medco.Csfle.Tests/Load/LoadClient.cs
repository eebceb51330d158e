using MongoDB.Driver;

namespace Medco.Csfle.Tests.Load;

/// <summary>
/// One client: does one thing after another with documents of its own, remembers what they have to be, and compares all it
/// reads. It keeps at most so many, so that a long run holds no more than a short one.
/// </summary>
internal sealed class LoadClient(int number, int seed, IMongoCollection<LoadedPerson> people)
{
    /// <summary>Stands in every value that is encrypted, and nowhere else.</summary>
    public const string Secret = "plaintext-of-a-client-under-load";

    private const int MaxDocuments = 20;

    private static readonly FilterDefinitionBuilder<LoadedPerson> Filter = Builders<LoadedPerson>.Filter;
    private static readonly UpdateDefinitionBuilder<LoadedPerson> Update = Builders<LoadedPerson>.Update;

    private readonly Random _random = new(HashCode.Combine(seed, number));
    private readonly Dictionary<long, LoadedPerson> _expected = [];
    private readonly long[] _counts = new long[Names.Count];
    private long _created;

    /// <summary>The collection that all clients share.</summary>
    public static string Namespace => "load.people";

    /// <summary>What clients do.</summary>
    public static IReadOnlyList<string> Names { get; } = ["insert", "find", "update", "replace", "delete", "aggregate", "findAndModify", "bulkWrite"];

    /// <summary>How many operations were done.</summary>
    public long Operations => _counts.Sum();

    /// <summary>How many documents were read and compared.</summary>
    public long Reads { get; private set; }

    /// <summary>How many documents there are of this client.</summary>
    public int Expected => _expected.Count;

    /// <summary>The collection through a client.</summary>
    public static IMongoCollection<T> In<T>(IMongoClient client)
    {
        var name = CollectionNamespace.FromFullName(Namespace);
        return client.GetDatabase(name.DatabaseNamespace.DatabaseName).GetCollection<T>(name.CollectionName);
    }

    /// <summary>How often one of <see cref="Names"/> was done.</summary>
    public long Count(int operation) => _counts[operation];

    /// <summary>Goes on until it is told, but not before so many operations.</summary>
    public async Task RunAsync(int least, Func<bool> until)
    {
        while (Operations < least || !until())
        {
            var operation = _random.Next(Names.Count);
            if (_expected.Count == 0) operation = 0;
            if (operation == 0 && _expected.Count >= MaxDocuments) operation = 4;
            await DoAsync(operation);
            _counts[operation]++;
        }
    }

    /// <summary>Reads all documents of this client and compares them.</summary>
    public async Task CheckAllAsync()
    {
        var found = await people.Find(Filter.Eq(person => person.Owner, number)).ToListAsync();
        Assert.Equal(_expected.Count, found.Count);
        foreach (var person in found) Check(_expected[person.Id], person);
    }

    private async Task DoAsync(int operation)
    {
        switch (operation)
        {
            case 0:
                var added = New();
                await people.InsertOneAsync(added);
                _expected.Add(added.Id, added);
                break;
            case 1:
                var sought = Any();
                Check(sought, await people.Find(Filter.Eq(person => person.Ssn, sought.Ssn)).SingleAsync());
                break;
            case 2:
                await UpdateAsync(Any());
                break;
            case 3:
                var replacement = Changed(Any());
                Assert.Equal(1, (await people.ReplaceOneAsync(Filter.Eq(person => person.Id, replacement.Id), replacement)).ModifiedCount);
                _expected[replacement.Id] = replacement;
                break;
            case 4:
                var removed = Any();
                Assert.Equal(1, (await people.DeleteOneAsync(Filter.Eq(person => person.Ssn, removed.Ssn))).DeletedCount);
                _expected.Remove(removed.Id);
                break;
            case 5:
                var matched = Any();
                var others = Any();
                var found = await people.Aggregate()
                    .Match(Filter.In(person => person.Ssn, new[] { matched.Ssn, others.Ssn, "nobody" }))
                    .SortBy(person => person.Id)
                    .ToListAsync();
                Assert.Equal(new[] { matched.Id, others.Id }.Distinct().Order(), found.Select(person => person.Id));
                foreach (var person in found) Check(_expected[person.Id], person);
                break;
            case 6:
                await FindAndModifyAsync(Any());
                break;
            default:
                await BulkAsync();
                break;
        }
    }

    private async Task UpdateAsync(LoadedPerson old)
    {
        var changed = Changed(old);
        var result = await people.UpdateOneAsync(Filter.Eq(person => person.Ssn, old.Ssn), Set(changed));
        Assert.Equal((1, 1), (result.MatchedCount, result.ModifiedCount));
        _expected[changed.Id] = changed;
    }

    private async Task FindAndModifyAsync(LoadedPerson old)
    {
        var changed = Changed(old);
        Check(changed, await people.FindOneAndUpdateAsync(Filter.Eq(person => person.Ssn, old.Ssn), Set(changed),
            new FindOneAndUpdateOptions<LoadedPerson> { ReturnDocument = ReturnDocument.After }));
        _expected[changed.Id] = changed;
    }

    // One of each kind: as many documents afterwards as before.
    private async Task BulkAsync()
    {
        var removed = Any();
        var added = New();
        var changed = Changed(added);
        var result = await people.BulkWriteAsync(
        [
            new DeleteOneModel<LoadedPerson>(Filter.Eq(person => person.Ssn, removed.Ssn)),
            new InsertOneModel<LoadedPerson>(added),
            new UpdateOneModel<LoadedPerson>(Filter.Eq(person => person.Ssn, added.Ssn), Set(changed)),
        ]);
        Assert.Equal((1, 1, 1), (result.DeletedCount, result.InsertedCount, result.ModifiedCount));
        _expected.Remove(removed.Id);
        _expected.Add(changed.Id, changed);
    }

    private LoadedPerson Any() => _expected.Values.ElementAt(_random.Next(_expected.Count));

    private LoadedPerson New()
    {
        var id = ((long)number << 40) + ++_created;
        return new LoadedPerson
        {
            Id = id,
            Owner = number,
            Ssn = $"{Secret}-{id}",
            Notes = [$"{Secret}-{_random.Next()}"],
            Home = new LoadedHome { Street = $"{Secret}-{_random.Next()}", City = "in clear" },
        };
    }

    private LoadedPerson Changed(LoadedPerson old)
    {
        var version = old.Version + 1;
        return new LoadedPerson
        {
            Id = old.Id,
            Owner = old.Owner,
            Version = version,
            Ssn = $"{Secret}-{old.Id}-{version}",
            Notes = [.. Enumerable.Range(0, _random.Next(5)).Select(_ => $"{Secret}-{_random.Next()}")],
            Home = new LoadedHome { Street = $"{Secret}-{_random.Next()}", City = old.Home.City },
        };
    }

    private static UpdateDefinition<LoadedPerson> Set(LoadedPerson changed) => Update
        .Set(person => person.Version, changed.Version)
        .Set(person => person.Ssn, changed.Ssn)
        .Set(person => person.Notes, changed.Notes)
        .Set(person => person.Home.Street, changed.Home.Street);

    private void Check(LoadedPerson expected, LoadedPerson actual)
    {
        Reads++;
        Assert.Equal(
            (expected.Id, expected.Owner, expected.Version, expected.Ssn, expected.Home.Street, expected.Home.City),
            (actual.Id, actual.Owner, actual.Version, actual.Ssn, actual.Home.Street, actual.Home.City));
        Assert.Equal(expected.Notes, actual.Notes);
    }
}
