using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Cryptography;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>Somebody changes what the key vault holds or answers: the right key or a typed error.</summary>
public sealed class TamperedKeyVaultTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();
    private readonly LocalMasterKey _masterKey = LocalMasterKey.Generate();
    private readonly byte[] _material = RandomNumberGenerator.GetBytes(96);
    private readonly FaultyCommandRunner _line;
    private readonly Guid _id;

    public TamperedKeyVaultTests()
    {
        _line = new FaultyCommandRunner(_server);
        using var vault = Open();
        _id = vault.CreateDataKey("local", new() { KeyAltNames = ["patients", "doctors"], KeyMaterial = _material });
    }

    public void Dispose()
    {
        _masterKey.Dispose();
        _server.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Every_changed_byte_of_the_answer_is_a_typed_error_or_changes_nothing_about_the_key(bool byName, bool isAsync)
    {
        var length = 0;
        _line.OnReply = reply =>
        {
            length = reply.Length;
            return reply;
        };
        var reference = byName ? KeyReference.ByName("patients") : KeyReference.ById(_id);
        Assert.Null(await Fetch(reference, isAsync));
        Assert.InRange(length, 350, 1000);

        var errors = 0;
        foreach (var mask in new byte[] { 0x01, 0x80, 0xFF })
        {
            for (var offset = 0; offset < length; offset++)
            {
                _line.OnReply = reply =>
                {
                    reply[offset] ^= mask;
                    return reply;
                };
                if (await Fetch(reference, isAsync) is { } error)
                {
                    Assert.DoesNotContain(Convert.ToHexString(_material.AsSpan(0, 8)), error.ToString(), StringComparison.OrdinalIgnoreCase);
                    errors++;
                }
            }
        }

        // The wrapped key alone has 160 bytes, and none of them may change.
        Assert.InRange(errors, 3 * 160, 3 * length);
        _line.OnReply = reply => reply;
        Assert.Null(await Fetch(reference, isAsync));
    }

    [Theory]
    [InlineData("""{"_id": {"$uuid": "00000000-0000-4000-8000-000000000001"}}""", CsfleErrorCode.KeyVaultUnavailable)]
    [InlineData("""{"_id": 7}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"masterKey": {"provider": "aws", "region": "r", "key": "k"}}""", CsfleErrorCode.KmsNotConfigured)]
    [InlineData("""{"masterKey": {"provider": "nobody"}}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"masterKey": {"provider": "local", "extra": "x"}}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"masterKey": {}}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"keyMaterial": {"$binary": {"base64": "", "subType": "00"}}}""", CsfleErrorCode.DataKeyNotUnwrapped)]
    [InlineData("""{"keyMaterial": "text"}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"keyAltNames": ["patients", "patients"]}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"version": 1}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"unknown": 1}""", CsfleErrorCode.MalformedDataKey)]
    [InlineData("""{"keyAltNames": ["others"]}""", null)]
    [InlineData("""{"status": 1}""", null)]
    [InlineData("""{"creationDate": {"$date": {"$numberLong": "-1"}}}""", null)]
    public async Task A_changed_field_is_a_typed_error_or_changes_nothing_about_the_key(string change, string? code)
    {
        _line.OnReply = reply => ReplyWith(Changed(reply, ExtendedJson.ToBson(change)));
        var error = await Fetch(KeyReference.ById(_id), isAsync: false);
        Assert.Equal(code, error?.Code);

        _line.OnReply = reply => reply;
        Assert.Null(await Fetch(KeyReference.ById(_id), isAsync: false));
    }

    [Fact]
    public async Task A_name_that_was_taken_from_the_key_does_not_find_it()
    {
        _line.OnReply = reply => ReplyWith(Changed(reply, ExtendedJson.ToBson("""{"keyAltNames": ["others"]}""")));
        Assert.Equal(CsfleErrorCode.KeyVaultUnavailable, (await Fetch(KeyReference.ByName("patients"), isAsync: false))!.Code);
    }

    [Fact]
    public void A_key_that_was_put_under_the_id_of_another_decrypts_nothing_of_the_other()
    {
        using var vault = Open();
        var other = vault.CreateDataKey("local");
        var store = new InMemoryKeyVaultStore();
        var documents = vault.FindKeys();
        var stranger = documents.Single(key => key.Id == other);
        store.Insert(documents.Single(key => key.Id == _id).With(new RewrappedKey(_id, stranger.KeyMaterial, stranger.MasterKey), DateTimeOffset.UnixEpoch));
        var ciphertext = new CsfleEngine(vault, []).Encrypt(ExtendedJson.ToBson("""{"v": "secret"}"""), CsfleAlgorithm.Deterministic, _id);

        using var tampered = new KeyVaultService(store, [new LocalKeyManagementService(_masterKey)]);
        var error = Assert.Throws<DecryptionException>(() => new CsfleEngine(tampered, []).Decrypt(ciphertext));

        Assert.Equal(CsfleErrorCode.DecryptionFailed, error.Code);
        Assert.Equal("""{"v":"secret"}""", ExtendedJson.ToJson(new CsfleEngine(vault, []).Decrypt(ciphertext)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_emptied_key_vault_is_an_error_and_never_a_new_key_and_the_restored_one_works(bool isAsync)
    {
        var document = _server.RunCommand("encryption", ExtendedJson.ToBson("""{"find": "__keyVault", "singleBatch": true}"""));
        using var vault = Open();
        var backup = vault.FindKeys().Single();
        vault.DeleteKey(_id);

        var error = await Fetch(KeyReference.ById(_id), isAsync);
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, error!.Code);
        Assert.Contains("may be empty or misnamed", error.Message, StringComparison.Ordinal);
        Assert.Empty(vault.FindKeys());

        vault.Store.Insert(backup);
        Assert.Null(await Fetch(KeyReference.ById(_id), isAsync));
        Assert.Equal(document, _server.RunCommand("encryption", ExtendedJson.ToBson("""{"find": "__keyVault", "singleBatch": true}""")));
    }

    // A service of its own each time: the point is what comes from the key vault, not what is in memory.
    private KeyVaultService Open() => new(new MongoKeyVaultStore(_line, "encryption.__keyVault"), [new LocalKeyManagementService(_masterKey)]);

    private async Task<CsfleException?> Fetch(KeyReference reference, bool isAsync)
    {
        using var vault = Open();
        var keys = new DataKey[1];
        try
        {
            if (isAsync) await vault.AcquireKeysAsync(new[] { reference }, keys, default);
            else vault.AcquireKeys([reference], keys, default);
        }
        catch (CsfleException e)
        {
            Assert.Null(keys[0]);
            Assert.Equal(0, vault.CachedKeys);
            return e;
        }

        // Under which id a name stands, only the key vault knows.
        if (reference.AltName is null) Assert.Equal(_id, keys[0].Id);
        Assert.Equal(_material, Secrets.BytesOf(keys[0]));
        keys[0].Release();
        return null;
    }

    private static byte[] Changed(byte[] reply, byte[] change)
    {
        Assert.True(ServerReply.TryReadBatch(reply, out var batch));
        Assert.True(batch.Read());
        using var writer = new BsonWriter();
        writer.StartDocument();
        var key = new BsonReader(batch.Value);
        while (key.Read())
        {
            var changed = new BsonReader(change);
            if (!changed.ReadTo(key.Name)) writer.WriteRaw(key.Type, key.Name, key.Value);
        }

        writer.WriteElements(change);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] ReplyWith(byte[] key)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.StartDocument("cursor"u8);
        writer.StartArray("firstBatch"u8);
        writer.WriteDocument("0"u8, key);
        writer.EndDocument();
        writer.WriteInt64("id"u8, 0);
        writer.WriteString("ns"u8, "encryption.__keyVault");
        writer.EndDocument();
        writer.WriteInt32("ok"u8, 1);
        writer.EndDocument();
        return writer.ToArray();
    }
}
