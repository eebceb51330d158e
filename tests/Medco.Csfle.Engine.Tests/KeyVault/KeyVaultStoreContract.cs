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
