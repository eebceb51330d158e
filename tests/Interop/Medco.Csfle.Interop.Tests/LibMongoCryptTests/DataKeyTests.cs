using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Interop.Tests.LibMongoCryptTests;

/// <summary>Data keys: either side works with the keys of the other, also after these were wrapped anew.</summary>
public sealed class DataKeyTests : IDisposable
{
    private readonly SharedKeyVault _shared = new();
    private readonly byte[] _value = ExtendedJson.ToBson("""{"v": "AB+"}""");

    public void Dispose() => _shared.Dispose();

    [LibMongoCryptFact]
    public void A_data_key_that_libmongocrypt_created_is_used_by_the_engine()
    {
        using var peer = _shared.NewLibMongoCrypt();
        _shared.Insert(peer.CreateDataKey(["theirs", "also theirs"]));
        using var vault = _shared.NewVault();
        var engine = new CsfleEngine(vault, new CsfleEngineOptions());

        var key = vault.FindByName("also theirs")!;
        Assert.Equal(["also theirs", "theirs"], key.KeyAltNames.Order());
        var ours = engine.Encrypt(_value, CsfleAlgorithm.Deterministic, "theirs");

        Assert.Equal(peer.Encrypt(_value, CsfleAlgorithm.Deterministic, key.Id), ours);
        Assert.Equal(_value, peer.Decrypt(engine.Encrypt(_value, CsfleAlgorithm.Random, key.Id)));
    }

    [LibMongoCryptFact]
    public void A_data_key_that_the_engine_created_is_used_by_libmongocrypt()
    {
        var keyId = _shared.Vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["ours", "also ours"] });
        using var peer = _shared.NewLibMongoCrypt();
        var engine = new CsfleEngine(_shared.Vault, new CsfleEngineOptions());

        Assert.Equal(engine.Encrypt(_value, CsfleAlgorithm.Deterministic, keyId), peer.Encrypt(_value, CsfleAlgorithm.Deterministic, "also ours"));
        Assert.Equal(_value, engine.Decrypt(peer.Encrypt(_value, CsfleAlgorithm.Random, "ours")));
    }

    [LibMongoCryptFact]
    public void The_same_key_material_gives_the_same_ciphertext_whoever_wrapped_it()
    {
        var material = System.Security.Cryptography.RandomNumberGenerator.GetBytes(96);
        using var peer = _shared.NewLibMongoCrypt();
        var theirs = DataKeyDocument.Parse(peer.CreateDataKey([], material));
        _shared.Insert(theirs.ToBson());
        var ours = _shared.Vault.CreateDataKey("local", new DataKeyCreationOptions { KeyMaterial = material });
        var engine = new CsfleEngine(_shared.Vault, new CsfleEngineOptions());

        var one = Payload(engine.Encrypt(_value, CsfleAlgorithm.Deterministic, theirs.Id));
        var other = Payload(peer.Encrypt(_value, CsfleAlgorithm.Deterministic, ours));

        // The id of the key is authenticated with the value, so that only what does not depend on it is the same: the length.
        Assert.Equal(one.Length, other.Length);
        Assert.Equal(Payload(peer.Encrypt(_value, CsfleAlgorithm.Deterministic, theirs.Id)), one);
        Assert.Equal(Payload(engine.Encrypt(_value, CsfleAlgorithm.Deterministic, ours)), other);
    }

    [LibMongoCryptFact]
    public void What_was_encrypted_before_libmongocrypt_wrapped_the_key_anew_is_still_read()
    {
        var keyId = _shared.Vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["ours"] });
        var before = new CsfleEngine(_shared.Vault, new CsfleEngineOptions()).Encrypt(_value, CsfleAlgorithm.Deterministic, keyId);
        var wrappedBefore = _shared.Vault.FindById(keyId)!.KeyMaterial.ToArray();
        using var peer = _shared.NewLibMongoCrypt();

        Replace(keyId, KeyMaterialOf(peer.Rewrap(ExtendedJson.ToBson("{}"))));

        using var vault = _shared.NewVault();
        var engine = new CsfleEngine(vault, new CsfleEngineOptions());
        Assert.NotEqual(wrappedBefore, vault.FindById(keyId)!.KeyMaterial.ToArray());
        Assert.Equal(_value, engine.Decrypt(before));
        Assert.Equal(before, engine.Encrypt(_value, CsfleAlgorithm.Deterministic, "ours"));
    }

    [LibMongoCryptFact]
    public void What_was_encrypted_before_the_engine_wrapped_the_key_anew_is_still_read()
    {
        using var before = _shared.NewLibMongoCrypt();
        var theirs = DataKeyDocument.Parse(before.CreateDataKey(["theirs"]));
        _shared.Insert(theirs.ToBson());
        var ciphertext = before.Encrypt(_value, CsfleAlgorithm.Deterministic, theirs.Id);

        var result = _shared.Vault.RewrapManyDataKey(ExtendedJson.ToBson("{}"));

        Assert.Equal(1, result.ModifiedCount);
        Assert.NotEqual(theirs.KeyMaterial.ToArray(), _shared.Vault.FindById(theirs.Id)!.KeyMaterial.ToArray());
        using var after = _shared.NewLibMongoCrypt();
        Assert.Equal(_value, after.Decrypt(ciphertext));
        Assert.Equal(ciphertext, after.Encrypt(_value, CsfleAlgorithm.Deterministic, "theirs"));
    }

    private void Replace(Guid keyId, byte[] keyMaterial)
    {
        var update = """{"update": "__keyVault", "updates": [{"q": {"_id": {"$uuid": "ID"}}, "u": {"$set": {"keyMaterial": {"$binary": {"base64": "WRAPPED", "subType": "00"}}}}}]}"""
            .Replace("ID", keyId.ToString(), StringComparison.Ordinal)
            .Replace("WRAPPED", Convert.ToBase64String(keyMaterial), StringComparison.Ordinal);
        var reply = ExtendedJson.ToJson(_shared.Server.RunCommand("encryption", ExtendedJson.ToBson(update)));
        Assert.Contains("\"nModified\":1", reply, StringComparison.Ordinal);
    }

    // { v: [ { keyMaterial, ... } ] }: what is to be set in the key's document.
    private static byte[] KeyMaterialOf(byte[] rewrapped)
    {
        var reader = new BsonReader(rewrapped);
        Assert.True(reader.Read());
        var items = reader.ReadDocument();
        Assert.True(items.Read());
        var fields = items.ReadDocument();
        while (fields.Read())
        {
            if (fields.Name.SequenceEqual("keyMaterial"u8)) return fields.GetBinary(out _).ToArray();
        }

        throw new InvalidOperationException("No key material.");
    }

    private static byte[] Payload(byte[] wrapped)
    {
        var reader = new BsonReader(wrapped);
        Assert.True(reader.Read());
        return Ciphertext.Parse(reader.GetBinary(out _)).Payload.ToArray();
    }
}
