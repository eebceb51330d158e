using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Kms;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>Names, deletion and rewrap through the service, and what its memory makes of them.</summary>
public sealed class KeyManagementTests : IDisposable
{
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly FakeKeyManagementService _aws = new("aws");
    private readonly KeyVaultService _vault;

    public KeyManagementTests()
        => _vault = new KeyVaultService(_store, [new LocalKeyManagementService(_masterKey), new LocalKeyManagementService(_masterKey, "tenant1"), _aws]);

    public void Dispose()
    {
        _vault.Dispose();
        _masterKey.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_name_works_from_when_it_is_added_until_it_is_removed(bool async)
    {
        var id = _vault.CreateDataKey("local", new() { KeyAltNames = ["one"] });
        Assert.Equal(["one"], (async ? await _vault.AddKeyAltNameAsync(id, "two") : _vault.AddKeyAltName(id, "two"))!.KeyAltNames);
        Use(KeyReference.ByName("two"));
        Assert.Equal(["one", "two"], (async ? await _vault.RemoveKeyAltNameAsync(id, "two") : _vault.RemoveKeyAltName(id, "two"))!.KeyAltNames);
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, Assert.Throws<DataKeyException>(() => Use(KeyReference.ByName("two"))).Code);
        Use(KeyReference.ByName("one"));
        Assert.Null(async ? await _vault.AddKeyAltNameAsync(Guid.NewGuid(), "x") : _vault.AddKeyAltName(Guid.NewGuid(), "x"));
        Assert.Null(async ? await _vault.RemoveKeyAltNameAsync(Guid.NewGuid(), "x") : _vault.RemoveKeyAltName(Guid.NewGuid(), "x"));
    }

    [Fact]
    public async Task What_cannot_be_a_name_is_refused()
    {
        var id = _vault.CreateDataKey("local");
        foreach (var (name, expected) in ((string, string)[])[("", "empty"), ("\ud800", "not valid Unicode")])
        {
            Assert.Contains(expected, Assert.Throws<DataKeyException>(() => _vault.AddKeyAltName(id, name)).Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<DataKeyException>(async () => await _vault.AddKeyAltNameAsync(id, name));
            Assert.Throws<DataKeyException>(() => _vault.RemoveKeyAltName(id, name));
            await Assert.ThrowsAsync<DataKeyException>(async () => await _vault.RemoveKeyAltNameAsync(id, name));
            Assert.Throws<DataKeyException>(() => _vault.GetOrCreateDataKey("local", name));
            Assert.Null(_vault.FindByName(name));
            Assert.Null(await _vault.FindByNameAsync(name));
        }

        Assert.Single(_store.List());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deleted_key_leaves_memory_too(bool async)
    {
        var id = _vault.CreateDataKey("local");
        Use(KeyReference.ById(id));
        Assert.True(async ? await _vault.DeleteKeyAsync(id) : _vault.DeleteKey(id));
        Assert.Equal(0, _vault.CachedKeys);
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, Assert.Throws<DataKeyException>(() => Use(KeyReference.ById(id))).Code);
        Assert.False(async ? await _vault.DeleteKeyAsync(id) : _vault.DeleteKey(id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_are_listed_all_or_by_a_filter(bool async)
    {
        var one = _vault.CreateDataKey("local", new() { KeyAltNames = ["one"] });
        _vault.CreateDataKey("local:tenant1");
        Assert.Equal(2, (async ? await _vault.FindKeysAsync() : _vault.FindKeys()).Count);
        var filter = ExtendedJson.ToBson("""{"masterKey.provider": "local"}""");
        Assert.Equal(one, Assert.Single(async ? await _vault.FindKeysAsync(filter) : _vault.FindKeys(filter)).Id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rewrap_moves_the_chosen_keys_to_another_master_key_and_back(bool async)
    {
        var one = _vault.CreateDataKey("local", new() { KeyAltNames = ["one"] });
        var two = _vault.CreateDataKey("local", new() { KeyAltNames = ["two"] });
        var material = Bytes(one);
        var options = new RewrapOptions { Provider = "aws", MasterKey = ExtendedJson.ToBson("""{"region": "r", "key": "k"}""") };

        Assert.Equal(new RewrapResult(1, 1), await Rewrap("""{"keyAltNames": "one"}""", options, async));
        Assert.Equal(ExtendedJson.ToBson("""{"provider": "aws", "region": "r", "key": "k"}"""), _vault.FindById(one)!.MasterKey.ToArray());
        Assert.Equal("local", _vault.FindById(two)!.Provider);
        Assert.Equal(material, Bytes(one));

        Assert.Equal(new RewrapResult(2, 2), await Rewrap("{}", new() { Provider = "local:tenant1" }, async));
        Assert.Equal(material, Bytes(one));
        var before = _vault.FindById(one)!;
        Assert.Equal(new RewrapResult(2, 2), await Rewrap("{}", null, async));
        Assert.Equal("local:tenant1", _vault.FindById(one)!.Provider);
        Assert.NotEqual(before.KeyMaterial.ToArray(), _vault.FindById(one)!.KeyMaterial.ToArray());
        Assert.Equal(material, Bytes(one));
        Assert.Equal(RewrapResult.None, await Rewrap("""{"keyAltNames": "none"}""", null, async));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rewrap_in_which_one_key_fails_writes_none(bool async)
    {
        _vault.CreateDataKey("local");
        _store.Insert(DataKeyDocument.Create(Guid.NewGuid(), [], new byte[160], DateTimeOffset.UtcNow, ExtendedJson.ToBson("""{"provider": "local"}""")));
        var before = _store.List();
        await Assert.ThrowsAsync<DataKeyException>(() => Rewrap("{}", new() { Provider = "local:tenant1" }, async));
        Assert.Equal(before, _store.List());
        await Assert.ThrowsAsync<DataKeyException>(() => Rewrap("{}", new() { MasterKey = TestKeys.Aws }, async));
        await Assert.ThrowsAsync<DataKeyException>(() => Rewrap("{}", new() { Provider = "gcp" }, async));
    }

    private async Task<RewrapResult> Rewrap(string filter, RewrapOptions? options, bool async)
        => async ? await _vault.RewrapManyDataKeyAsync(ExtendedJson.ToBson(filter), options) : _vault.RewrapManyDataKey(ExtendedJson.ToBson(filter), options);

    private void Use(KeyReference reference)
    {
        var keys = new DataKey[1];
        _vault.AcquireKeys([reference], keys, default);
        keys[0].Release();
    }

    private byte[] Bytes(Guid id) => _vault.Unwrap(_vault.FindById(id)!, default);
}
