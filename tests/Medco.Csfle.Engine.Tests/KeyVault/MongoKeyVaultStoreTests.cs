using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.KeyVault;

public sealed class MongoKeyVaultStoreTests : KeyVaultStoreContract, IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    protected override IKeyVaultStore NewStore()
    {
        var store = new MongoKeyVaultStore(_server, "encryption.__keyVault");
        store.EnsureIndex();
        return store;
    }

    protected override IKeyVaultStore Reopen(IKeyVaultStore store) => new MongoKeyVaultStore(_server, "encryption.__keyVault");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lists_and_finds_more_keys_than_one_page_holds(bool async)
    {
        var store = new MongoKeyVaultStore(_server, "encryption.__keyVault");
        var keys = Enumerable.Range(0, KeyPages.PageSize + 7).Select(i => TestKeys.New($"name{i}")).ToArray();
        foreach (var key in keys) store.Insert(key);
        _server.ClearCommands();

        var listed = async ? await store.ListAsync() : store.List();
        Assert.Equal(keys.Select(key => key.Id).Order(), listed.Select(key => key.Id).Order());
        Assert.Equal(2, _server.Commands.Count);

        var names = keys.SelectMany(key => key.KeyAltNames).ToArray();
        var found = async ? await store.FindAsync([keys[0].Id], names) : store.Find([keys[0].Id], names);
        Assert.Equal(keys.Select(key => key.Id).Order(), found.Select(key => key.Id).Order());
        Assert.Equal(KeyPages.PageSize + 3, (async ? await store.ListAsync(KeyPages.PageSize + 3) : store.List(KeyPages.PageSize + 3)).Count);
    }

    [Fact]
    public async Task The_index_can_be_ensured_again_and_keys_without_names_do_not_collide()
    {
        var store = NewStore();
        store.Insert(TestKeys.New());
        new MongoKeyVaultStore(_server, "encryption.__keyVault").EnsureIndex();
        await new MongoKeyVaultStore(_server, "encryption.__keyVault").EnsureIndexAsync();
        store.Insert(TestKeys.New());
        Assert.Equal(2, store.List().Count);
    }

    [Fact]
    public void A_name_that_two_keys_have_already_is_found_when_the_index_is_created()
    {
        var store = new MongoKeyVaultStore(_server, "encryption.__keyVault");
        store.Insert(TestKeys.New("a"));
        store.Insert(TestKeys.New("a"));
        var error = Assert.Throws<KeyVaultException>(() => store.EnsureIndex());
        Assert.Equal(11000, error.ServerCode);
        Assert.Contains("Two data keys share a name", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_vaults_of_one_server_do_not_share_keys()
    {
        var one = new MongoKeyVaultStore(_server, "encryption.one");
        one.Insert(TestKeys.New("a"));
        Assert.Empty(new MongoKeyVaultStore(_server, "encryption.two").List());
        Assert.Single(new MongoKeyVaultStore(_server, "encryption.one").List());
    }

    [Fact]
    public void A_document_that_is_no_data_key_is_an_error()
    {
        _server.RunCommand("encryption", ExtendedJson.ToBson("""{"insert": "__keyVault", "documents": [{"_id": 1, "keyAltNames": ["a"]}]}"""));
        var store = new MongoKeyVaultStore(_server, "encryption.__keyVault");
        Assert.Equal(CsfleErrorCode.MalformedDataKey, Assert.Throws<DataKeyException>(() => store.Find([], ["a"])).Code);
        Assert.Equal(CsfleErrorCode.MalformedDataKey, Assert.Throws<DataKeyException>(() => store.List()).Code);
    }
}
