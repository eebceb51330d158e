using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Tests.Cryptography;
using Medco.Csfle.Engine.Tests.Kms;

namespace Medco.Csfle.Engine.Tests.KeyVault;

public class DataKeyCacheTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Holds_no_more_than_its_capacity_and_zeroes_the_oldest()
    {
        using var cache = new DataKeyCache(_time, TimeSpan.Zero, capacity: 3);
        var keys = Enumerable.Range(0, 5).Select(_ => NewKey()).ToArray();
        for (var i = 0; i < keys.Length; i++) cache.Add(keys[i], [$"name{i}"], cache.Now);
        Assert.Equal(3, cache.Count);
        for (var i = 0; i < keys.Length; i++)
        {
            Assert.Equal(i < 2, IsZero(keys[i]));
            Assert.Equal(i >= 2, Holds(cache, KeyReference.ById(keys[i].Id)));
            Assert.Equal(i >= 2, Holds(cache, KeyReference.ByName($"name{i}")));
        }
    }

    [Fact]
    public void An_expired_key_is_not_given_out_and_is_zeroed_when_the_next_comes_in()
    {
        using var cache = new DataKeyCache(_time, TimeSpan.FromSeconds(60));
        var old = NewKey();
        cache.Add(old, [], cache.Now);
        _time.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(1));
        Assert.True(Holds(cache, KeyReference.ById(old.Id)));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(Holds(cache, KeyReference.ById(old.Id)));
        cache.Add(NewKey(), [], cache.Now);
        Assert.True(IsZero(old));
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void A_key_in_use_is_zeroed_when_its_user_lets_it_go_and_not_before()
    {
        var cache = new DataKeyCache(_time, TimeSpan.Zero);
        var key = NewKey();
        cache.Add(key, [], cache.Now);
        Assert.True(cache.TryAcquire(KeyReference.ById(key.Id), cache.Now, out var used));
        cache.Dispose();
        Assert.False(IsZero(key));
        used.Release();
        Assert.True(IsZero(key));
    }

    [Fact]
    public void A_key_that_comes_after_the_end_is_zeroed_at_once()
    {
        var cache = new DataKeyCache(_time, TimeSpan.Zero);
        cache.Dispose();
        var key = NewKey();
        Assert.Throws<ObjectDisposedException>(() => cache.Add(key, [], cache.Now));
        Assert.True(IsZero(key));
    }

    [VectorFact]
    internal async Task Agrees_with_libmongocrypt_on_what_is_looked_up_kept_and_refused()
    {
        var document = ExtendedJson.ToBson($"{{\"cases\": {OfficialVectors.ReadText("libmongocrypt/cache-tests.json")}}}");
        var count = 0;
        foreach (var test in Elements(Field(document, "cases")!))
        {
            await Run(test, async: false);
            await Run(test, async: true);
            count++;
        }

        Assert.Equal(17, count);
    }

    private async Task Run(byte[] test, bool async)
    {
        var store = new ScriptedKeyVaultStore();
        using var vault = new KeyVaultService(store, [new FakeKeyManagementService("aws")], new KeyVaultOptions { TimeProvider = _time });
        foreach (var cached in Elements(Field(test, "cached")!))
        {
            store.OnFind = () => [Key(cached)];
            await Acquire(vault, [KeyReference.ById(Key(cached).Id)], async);
        }

        var asked = store.Finds;
        store.OnFind = () => [.. Elements(Field(test, "replies")!).Select(Key)];
        var requests = Elements(Field(test, "requests")!).Select(Reference).ToArray();
        var expect = Field(test, "expect")!;
        if (Text(expect, "errmsg") is { } message)
        {
            var error = await Assert.ThrowsAnyAsync<CsfleException>(() => Acquire(vault, requests, async));
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            return;
        }

        await Acquire(vault, requests, async);
        Assert.Equal(asked + (Field(test, "replies") is null ? 0 : 1), store.Finds);

        store.OnFind = () => throw new InvalidOperationException("The cache has it.");
        var kept = Elements(Field(expect, "cached")!);
        Assert.Equal(kept.Count, vault.CachedKeys);
        foreach (var key in kept.Select(Key))
        {
            await Acquire(vault, [KeyReference.ById(key.Id), .. key.KeyAltNames.Select(KeyReference.ByName)], async, key.Id);
        }
    }

    private static async Task Acquire(KeyVaultService vault, KeyReference[] references, bool async, Guid? expected = null)
    {
        var keys = new DataKey[references.Length];
        if (async)
        {
            await vault.AcquireKeysAsync(references, keys, default);
        }
        else
        {
            vault.AcquireKeys(references, keys, default);
        }

        for (var i = 0; i < keys.Length; i++)
        {
            if (expected is not null) Assert.Equal(expected, keys[i].Id);
            if (references[i].AltName is null) Assert.Equal(references[i].Id, keys[i].Id);
            keys[i].Release();
        }
    }

    private static DataKeyDocument Key(byte[] entry)
        => TestKeys.New(IdOf(entry), [.. Strings(entry, "keyAltNames")]);

    private static KeyReference Reference(byte[] entry)
        => Text(entry, "keyAltName") is { } name ? KeyReference.ByName(name) : KeyReference.ById(IdOf(entry));

    private static Guid IdOf(byte[] entry)
    {
        var reader = new BsonReader(entry);
        Assert.True(reader.ReadTo("_id"u8));
        return new Guid(reader.GetInt32(), 0, 0, new byte[8]);
    }

    private static byte[]? Field(byte[] document, string name)
    {
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (reader.GetName() == name) return reader.Value.ToArray();
        }

        return null;
    }

    private static string? Text(byte[] document, string name)
    {
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (reader.GetName() == name) return reader.GetString();
        }

        return null;
    }

    private static List<byte[]> Elements(byte[]? array)
    {
        var elements = new List<byte[]>();
        if (array is null) return elements;
        var reader = new BsonReader(array);
        while (reader.Read()) elements.Add(reader.Value.ToArray());
        return elements;
    }

    private static List<string> Strings(byte[] document, string name)
    {
        var strings = new List<string>();
        if (Field(document, name) is not { } array) return strings;
        var reader = new BsonReader(array);
        while (reader.Read()) strings.Add(reader.GetString());
        return strings;
    }

    private static DataKey NewKey() => new(Guid.NewGuid(), RandomNumberGenerator.GetBytes(96));

    private static bool IsZero(DataKey key) => Secrets.BytesOf(key).All(b => b == 0);

    private static bool Holds(DataKeyCache cache, KeyReference reference)
    {
        if (!cache.TryAcquire(reference, cache.Now, out var key)) return false;
        key.Release();
        return true;
    }
}
