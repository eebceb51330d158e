using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>What every store of data keys must do, tested synchronously and asynchronously over each of them.</summary>
public abstract class KeyVaultStoreContract
{
    /// <summary>A store without keys.</summary>
    protected abstract IKeyVaultStore NewStore();

    /// <summary>Another instance over the same keys; the same one where there can be no other.</summary>
    protected abstract IKeyVaultStore Reopen(IKeyVaultStore store);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_empty_store_has_nothing(bool async)
    {
        var store = NewStore();
        Assert.Empty(await Find(store, [Guid.NewGuid()], ["x"], async));
        Assert.Empty(async ? await store.ListAsync() : store.List());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Finds_by_ids_and_names_each_key_once(bool async)
    {
        var store = NewStore();
        var one = TestKeys.New("a", "b");
        var two = TestKeys.New("c");
        var three = TestKeys.New();
        foreach (var key in (DataKeyDocument[])[one, two, three]) await Insert(store, key, async);

        store = Reopen(store);
        Assert.Equal([one.Id], Ids(await Find(store, [], ["a", "b"], async)));
        Assert.Equal([one.Id], Ids(await Find(store, [one.Id], ["b"], async)));
        Assert.Equal(Ids([one, two, three]), Ids(await Find(store, [three.Id, one.Id, Guid.NewGuid()], ["c", "d"], async)));
        Assert.Empty(await Find(store, [], [], async));
        Assert.Empty(await Find(store, [Guid.NewGuid()], ["A", "", "a "], async));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Gives_back_the_very_document(bool async)
    {
        var store = NewStore();
        var key = TestKeys.New("ä \"quoted\" \\ \u0001 😀", "$oid", "line\nbreak");
        await Insert(store, key, async);
        var found = Assert.Single(await Find(Reopen(store), [key.Id], [], async));
        Assert.Equal(key.ToBson(), found.ToBson());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Refuses_an_id_or_a_name_that_is_taken_and_adds_nothing(bool async)
    {
        var store = NewStore();
        var key = TestKeys.New("a", "b");
        await Insert(store, key, async);
        var sameName = await Assert.ThrowsAsync<DataKeyException>(() => Insert(Reopen(store), TestKeys.New("x", "b"), async));
        Assert.Equal(CsfleErrorCode.DuplicateDataKey, sameName.Code);
        Assert.Equal("b", sameName.KeyAltName);
        var sameId = await Assert.ThrowsAsync<DataKeyException>(() => Insert(Reopen(store), TestKeys.New(key.Id, "y"), async));
        Assert.Equal(CsfleErrorCode.DuplicateDataKey, sameId.Code);
        Assert.Equal(key.Id, sameId.KeyId);
        Assert.Equal([key.Id], Ids(store.List()));
        Assert.Equal(["a", "b"], store.List().Single().KeyAltNames);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lists_as_many_keys_as_asked_for(bool async)
    {
        var store = NewStore();
        for (var i = 0; i < 3; i++) await Insert(store, TestKeys.New($"name{i}"), async);
        foreach (var (limit, expected) in ((int, int)[])[(0, 0), (2, 2), (3, 3), (100, 3), (int.MaxValue, 3)])
        {
            Assert.Equal(expected, (async ? await store.ListAsync(limit) : store.List(limit)).Count);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => store.List(-1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_insert_is_lost_when_many_insert_at_once(bool async)
    {
        var store = NewStore();
        var keys = Enumerable.Range(0, 40).Select(i => TestKeys.New($"name{i}")).ToArray();
        await Task.WhenAll(keys.Select(key => Task.Run(() => Insert(Reopen(store), key, async))));
        Assert.Equal(Ids(keys), Ids(Reopen(store).List()));
    }

    [Fact]
    public async Task Of_many_who_insert_the_same_name_one_wins()
    {
        var store = NewStore();
        var results = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            try
            {
                await Insert(Reopen(store), TestKeys.New("the one"), i % 2 == 0);
                return true;
            }
            catch (DataKeyException e) when (e.Code == CsfleErrorCode.DuplicateDataKey)
            {
                return false;
            }
        })));
        Assert.Single(results, won => won);
        Assert.Single(store.List());
    }

    [Fact]
    public async Task Honours_cancellation()
    {
        var store = NewStore();
        var cancelled = new CancellationToken(true);
        Assert.ThrowsAny<OperationCanceledException>(() => store.Find([], ["a"], cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => store.List(1, cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => store.Insert(TestKeys.New(), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.FindAsync([], ["a"], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.ListAsync(1, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.InsertAsync(TestKeys.New(), cancelled));
        Assert.Empty(store.List());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_is_added_once_and_the_key_as_it_was_comes_back(bool async)
    {
        var store = NewStore();
        var key = TestKeys.New();
        await Insert(store, key, async);
        Assert.Equal(key.ToBson(), (await AddName(store, key.Id, "a", async))!.ToBson());
        Assert.Equal(["a"], (await AddName(Reopen(store), key.Id, "$b", async))!.KeyAltNames);
        Assert.Equal(["a", "$b"], (await AddName(store, key.Id, "a", async))!.KeyAltNames);
        Assert.Equal(["a", "$b"], Reopen(store).List().Single().KeyAltNames);
        Assert.Null(await AddName(store, Guid.NewGuid(), "c", async));
        Assert.Single(store.List());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_that_another_key_has_is_not_added(bool async)
    {
        var store = NewStore();
        var (one, two) = (TestKeys.New("a"), TestKeys.New("b"));
        await Insert(store, one, async);
        await Insert(store, two, async);
        var error = await Assert.ThrowsAsync<DataKeyException>(() => AddName(Reopen(store), two.Id, "a", async));
        Assert.Equal(CsfleErrorCode.DuplicateDataKey, error.Code);
        Assert.Equal("a", error.KeyAltName);
        Assert.Equal(["b"], store.Find([two.Id], []).Single().KeyAltNames);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_is_removed_and_with_the_last_one_the_field(bool async)
    {
        var store = NewStore();
        var key = TestKeys.New("a", "$b", "c");
        await Insert(store, key, async);
        Assert.Equal(["a", "$b", "c"], (await RemoveName(store, key.Id, "$b", async))!.KeyAltNames);
        Assert.Equal(["a", "c"], (await RemoveName(store, key.Id, "$c", async))!.KeyAltNames);
        Assert.Equal(["a", "c"], (await RemoveName(Reopen(store), key.Id, "a", async))!.KeyAltNames);
        Assert.Equal(["c"], (await RemoveName(store, key.Id, "c", async))!.KeyAltNames);
        Assert.Equal(key.WithNames([]).ToBson(), Reopen(store).List().Single().ToBson());
        Assert.Null(await RemoveName(store, Guid.NewGuid(), "a", async));

        // A name can be given to another key now.
        await Insert(store, TestKeys.New("a"), async);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_without_names_stays_readable_when_a_name_is_taken_from_it(bool async)
    {
        var store = NewStore();
        var key = TestKeys.New();
        await Insert(store, key, async);
        Assert.Equal(key.ToBson(), (await RemoveName(store, key.Id, "a", async))!.ToBson());
        Assert.Equal(key.ToBson(), Reopen(store).List().Single().ToBson());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deleted_key_is_gone_and_no_other(bool async)
    {
        var store = NewStore();
        var (one, two) = (TestKeys.New("a"), TestKeys.New("b"));
        await Insert(store, one, async);
        await Insert(store, two, async);
        Assert.True(async ? await store.DeleteAsync(one.Id) : store.Delete(one.Id));
        Assert.False(async ? await Reopen(store).DeleteAsync(one.Id) : Reopen(store).Delete(one.Id));
        Assert.Equal([two.Id], Ids(Reopen(store).List()));
        await Insert(store, TestKeys.New("a"), async);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rewrap_changes_wrapping_master_key_and_update_date_alone(bool async)
    {
        var store = NewStore();
        var (one, two, three) = (TestKeys.New("a", "b"), TestKeys.New(), TestKeys.New("c"));
        foreach (var key in (DataKeyDocument[])[one, two, three]) await Insert(store, key, async);
        var masterKey = ExtendedJson.ToBson("""{"provider": "local:new"}""");
        RewrappedKey[] changes = [new(one.Id, new byte[] { 1, 2, 3 }, masterKey), new(Guid.NewGuid(), new byte[] { 4 }, masterKey), new(three.Id, new byte[] { 5 }, masterKey)];
        var now = DateTimeOffset.UtcNow;

        var result = async ? await store.RewrapAsync(changes, now) : store.Rewrap(changes, now);

        Assert.Equal(new RewrapResult(2, 2), result);
        var after = Reopen(store).List().ToDictionary(key => key.Id);
        Assert.Equal(two.ToBson(), after[two.Id].ToBson());
        foreach (var (before, material) in ((DataKeyDocument, byte[])[])[(one, [1, 2, 3]), (three, [5])])
        {
            var changed = after[before.Id];
            Assert.Equal(material, changed.KeyMaterial.ToArray());
            Assert.Equal("local:new", changed.Provider);
            Assert.InRange(changed.UpdateDate, now.AddMinutes(-1).ToUnixTimeMilliseconds(), now.AddMinutes(1).ToUnixTimeMilliseconds());
            var undone = changed.With(new RewrappedKey(before.Id, before.KeyMaterial, before.MasterKey), DateTimeOffset.FromUnixTimeMilliseconds(before.UpdateDate));
            Assert.Equal(before.ToBson(), undone.ToBson());
        }

        Assert.Equal(RewrapResult.None, async ? await store.RewrapAsync([], now) : store.Rewrap([], now));
    }

    [Theory]
    [InlineData("{}", "a b c -")]
    [InlineData("{'keyAltNames': 'a'}", "a")]
    [InlineData("{'keyAltNames': ['b', 'b2']}", "b")]
    [InlineData("{'keyAltNames': 'B'}", "")]
    [InlineData("{'keyAltNames': {'$ne': 'a'}}", "b c -")]
    [InlineData("{'keyAltNames': {'$in': ['a', 'b2', 'x']}}", "a b")]
    [InlineData("{'keyAltNames': {'$nin': ['a', 'b2']}}", "c -")]
    [InlineData("{'keyAltNames': {'$exists': false}}", "-")]
    [InlineData("{'keyAltNames': null}", "-")]
    [InlineData("{'keyAltNames': {'$exists': true, '$ne': 'c'}}", "a b")]
    [InlineData("{'_id': {'$uuid': '00000000-0000-0000-0000-00000000000a'}}", "a")]
    [InlineData("{'_id': {'$in': [{'$uuid': '00000000-0000-0000-0000-00000000000b'}, 7]}}", "b")]
    [InlineData("{'masterKey.provider': 'local'}", "c -")]
    [InlineData("{'masterKey.provider': 'local', 'keyAltNames': 'c'}", "c")]
    [InlineData("{'masterKey': {'provider': 'local'}}", "c -")]
    [InlineData("{'masterKey.provider.x': 'local'}", "")]
    [InlineData("{'$or': [{'keyAltNames': 'a'}, {'masterKey.provider': 'local'}]}", "a c -")]
    [InlineData("{'$nor': [{'keyAltNames': 'a'}, {'masterKey.provider': 'local'}]}", "b")]
    [InlineData("{'$and': [{'masterKey.provider': {'$eq': 'aws'}}, {'keyAltNames': {'$ne': 'a'}}]}", "b")]
    [InlineData("{'updateDate': {'$lt': {'$date': '2024-01-01T00:00:00Z'}}}", "a b c -")]
    [InlineData("{'updateDate': {'$gte': {'$date': '2024-01-01T00:00:00Z'}}}", "")]
    public async Task A_filter_chooses_the_keys_that_MongoDB_would(string filter, string expected)
    {
        var store = NewStore();
        var local = ExtendedJson.ToBson("""{"provider": "local"}""");
        (string Letter, string[] Names, byte[] MasterKey)[] keys = [("a", ["a"], TestKeys.Aws), ("b", ["b", "b2"], TestKeys.Aws), ("c", ["c"], local), ("-", [], local)];
        var ids = new Dictionary<Guid, string>();
        for (var i = 0; i < keys.Length; i++)
        {
            var id = Guid.Parse($"00000000-0000-0000-0000-00000000000{"abcd"[i]}");
            ids.Add(id, keys[i].Letter);
            store.Insert(DataKeyDocument.Create(id, keys[i].Names, new byte[96], DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), keys[i].MasterKey));
        }

        var bson = ExtendedJson.ToBson(filter.Replace('\'', '"'));
        Assert.Equal(expected, string.Join(' ', store.FindMatching(bson).OrderBy(key => key.Id).Select(key => ids[key.Id])));
        Assert.Equal(expected, string.Join(' ', (await store.FindMatchingAsync(bson)).OrderBy(key => key.Id).Select(key => ids[key.Id])));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task That_names_are_unique_can_be_made_sure_of_again_and_again(bool async)
    {
        var store = NewStore();
        for (var i = 0; i < 2; i++)
        {
            if (async) await store.EnsureIndexAsync();
            else store.EnsureIndex();
        }

        await Insert(store, TestKeys.New("a"), async);
        await Assert.ThrowsAsync<DataKeyException>(() => Insert(Reopen(store), TestKeys.New("a"), async));
    }

    [Fact]
    public async Task No_change_of_names_is_lost_when_many_change_them_at_once()
    {
        var store = NewStore();
        var key = TestKeys.New();
        store.Insert(key);
        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() => AddName(Reopen(store), key.Id, $"name{i}", i % 2 == 0))));
        Assert.Equal(24, Reopen(store).List().Single().KeyAltNames.Count);
    }

    [Fact]
    public async Task Honours_cancellation_of_changes()
    {
        var store = NewStore();
        var key = TestKeys.New("a");
        store.Insert(key);
        var cancelled = new CancellationToken(true);
        RewrappedKey[] changes = [new(key.Id, new byte[1], TestKeys.Aws)];
        Assert.ThrowsAny<OperationCanceledException>(() => store.FindMatching(KeyFilter.ById(key.Id), cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => store.AddName(key.Id, "b", cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => store.RemoveName(key.Id, "a", cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => store.Delete(key.Id, cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => store.Rewrap(changes, DateTimeOffset.UtcNow, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.FindMatchingAsync(KeyFilter.ById(key.Id), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.AddNameAsync(key.Id, "b", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.RemoveNameAsync(key.Id, "a", cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.DeleteAsync(key.Id, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.RewrapAsync(changes, DateTimeOffset.UtcNow, cancelled));
        Assert.Equal(key.ToBson(), store.List().Single().ToBson());
    }

    private static async Task<DataKeyDocument?> AddName(IKeyVaultStore store, Guid id, string name, bool async)
        => async ? await store.AddNameAsync(id, name) : store.AddName(id, name);

    private static async Task<DataKeyDocument?> RemoveName(IKeyVaultStore store, Guid id, string name, bool async)
        => async ? await store.RemoveNameAsync(id, name) : store.RemoveName(id, name);

    private static async Task Insert(IKeyVaultStore store, DataKeyDocument key, bool async)
    {
        if (async)
        {
            await store.InsertAsync(key);
        }
        else
        {
            store.Insert(key);
        }
    }

    private static async Task<IReadOnlyList<DataKeyDocument>> Find(IKeyVaultStore store, Guid[] ids, string[] names, bool async)
        => async ? await store.FindAsync(ids, names) : store.Find(ids, names);

    private static Guid[] Ids(IEnumerable<DataKeyDocument> keys) => [.. keys.Select(key => key.Id).Order()];
}
