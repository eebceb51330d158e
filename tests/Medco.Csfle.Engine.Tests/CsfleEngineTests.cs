using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.Tests;

public sealed class CsfleEngineTests : IDisposable
{
    private readonly EngineFixture _fixture = new();

    private CsfleEngine Engine => _fixture.Engine;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void What_is_inserted_comes_back_as_it_was_and_is_ciphertext_in_between()
    {
        var insert = ExtendedJson.ToBson($$"""{"insert": "coll", "documents": [{{EngineFixture.Patient}}, {"name": "x"}]}""");

        var sent = Engine.EncryptCommand("db", insert);

        var text = ExtendedJson.ToJson(sent.Span);
        Assert.DoesNotContain("241014209", text, StringComparison.Ordinal);
        Assert.DoesNotContain("AB+", text, StringComparison.Ordinal);
        Assert.DoesNotContain("120/80", text, StringComparison.Ordinal);
        Assert.DoesNotContain("123142", text, StringComparison.Ordinal);
        Assert.Contains("Jon Doe", text, StringComparison.Ordinal);
        Assert.Contains("MaestCare", text, StringComparison.Ordinal);
        Assert.Equal(insert, Engine.DecryptReply(sent).ToArray());
    }

    [Fact]
    public async Task The_async_path_gives_the_same_as_the_sync_one()
    {
        var find = ExtendedJson.ToBson("""{"find": "coll", "filter": {"ssn": {"$in": [1, 2]}}}""");

        var asynchronous = await Engine.EncryptCommandAsync("db", find);

        Assert.Equal(Engine.EncryptCommand("db", find).ToArray(), asynchronous.ToArray());
        Assert.Equal(find, (await Engine.DecryptReplyAsync(asynchronous)).ToArray());
    }

    [Fact]
    public void A_query_finds_the_ciphertext_that_an_insert_stored()
    {
        var stored = ElementAt(Engine.EncryptCommand("db", ExtendedJson.ToBson("""{"insert": "coll", "documents": [{"ssn": 7}]}""")), "documents", "0", "ssn");
        var asked = ElementAt(Engine.EncryptCommand("db", ExtendedJson.ToBson("""{"find": "coll", "filter": {"ssn": 7}}""")), "filter", "ssn", "$eq");

        Assert.Equal(stored, asked);
    }

    [Theory]
    [InlineData("""{"insert": "coll", "documents": [{"name": "x"}]}""")]
    [InlineData("""{"find": "other", "filter": {"ssn": 1}}""")]
    [InlineData("""{"hello": 1}""")]
    public void A_command_without_anything_to_encrypt_is_the_same_memory(string command)
    {
        var bytes = ExtendedJson.ToBson(command).AsMemory();
        Assert.True(bytes.Equals(Engine.EncryptCommand("db", bytes)));
    }

    [Fact]
    public void A_reply_without_ciphertext_is_the_same_memory()
    {
        var reply = ExtendedJson.ToBson("""{"ok": 1, "cursor": {"firstBatch": [{"a": {"$binary": {"base64": "AQID", "subType": "00"}}}]}}""").AsMemory();
        Assert.True(reply.Equals(Engine.DecryptReply(reply)));
    }

    [Fact]
    public void Replies_are_decrypted_at_any_depth_and_for_any_type()
    {
        var reply = $$"""
            {"cursor": {"firstBatch": [{"a": {{_fixture.Ciphertext("1")}}, "b": [{{_fixture.Ciphertext("[1,{\"c\":2}]")}}, 5, {"d": {{_fixture.Ciphertext("\"x\"")}} }]},
             {"e": {{_fixture.Ciphertext("true")}}, "f": {{_fixture.Ciphertext("{\"$numberDouble\":\"1.5\"}")}}, "g": "end"}], "id": {"$numberLong":"0"} }, "ok": {"$numberDouble":"1.0"} }
            """;

        var decrypted = Engine.DecryptReply(ExtendedJson.ToBson(reply));

        Assert.Equal(
            """{"cursor":{"firstBatch":[{"a":1,"b":[[1,{"c":2}],5,{"d":"x"}]},{"e":true,"f":1.5,"g":"end"}],"id":0},"ok":1.0}""",
            ExtendedJson.ToJson(decrypted.Span));
    }

    [Theory]
    [InlineData("""{"ok": 0, "errmsg": "E11000", "keyValue": {"ssn": CIPHER}}""")]
    [InlineData("""{"ok": {"$numberDouble": "0.0"}, "a": CIPHER}""")]
    [InlineData("""{"ok": 1, "n": 0, "writeErrors": [{"index": 0, "code": 11000, "keyValue": {"ssn": CIPHER}, "errInfo": {"x": CIPHER}}]}""")]
    [InlineData("""{"ok": 1, "writeConcernError": {"errInfo": {"x": CIPHER}}}""")]
    public void What_drivers_put_into_exceptions_stays_ciphertext(string template)
    {
        var reply = ExtendedJson.ToBson(template.Replace("CIPHER", _fixture.Ciphertext("1"), StringComparison.Ordinal));
        Assert.Equal(reply, Engine.DecryptReply(reply).ToArray());
    }

    [Fact]
    public void A_document_of_the_user_may_have_the_names_of_error_details()
    {
        var reply = $$"""{"cursor": {"firstBatch": [{"keyValue": {{_fixture.Ciphertext("1")}}, "writeErrors": {{_fixture.Ciphertext("2")}} }]}, "ok": 1}""";
        Assert.Equal(
            """{"cursor":{"firstBatch":[{"keyValue":1,"writeErrors":2}]},"ok":1}""",
            ExtendedJson.ToJson(Engine.DecryptReply(ExtendedJson.ToBson(reply)).Span));
    }

    [Fact]
    public void Every_flipped_byte_of_a_ciphertext_is_an_error_and_nothing_else()
    {
        var wrapped = Engine.Encrypt(ExtendedJson.ToBson("""{"v": "a secret value"}"""), CsfleAlgorithm.Deterministic, _fixture.KeyId);
        const int Start = 4 + 1 + 2 + 4 + 1;
        for (var offset = Start; offset < wrapped.Length - 1; offset++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var changed = (byte[])wrapped.Clone();
                changed[offset] ^= (byte)(1 << bit);
                var exception = Assert.ThrowsAny<CsfleException>(() => Engine.Decrypt(changed));
                Assert.True(exception is DecryptionException or DataKeyException);
                Assert.DoesNotContain("secret", exception.ToString(), StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("AA==", "CSFLE5001", "placeholder")]
    [InlineData("", "CSFLE5001", "too small")]
    [InlineData("AQID", "CSFLE5001", "too small")]
    public void Binary_data_that_is_no_ciphertext_is_an_error(string base64, string code, string text)
    {
        var padded = base64 == "AA==" ? Convert.ToBase64String(new byte[82]) : base64;
        var reply = ExtendedJson.ToBson($$"""{"ok": 1, "a": {"$binary": {"base64": "{{padded}}", "subType": "06"} } }""");
        var exception = Assert.Throws<DecryptionException>(() => Engine.DecryptReply(reply));
        Assert.Equal(code, exception.Code);
        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_payload_that_is_cut_off_is_told_only_where_its_key_is_there()
    {
        var unknown = ExtendedJson.ToBson("""{"ok": 1, "a": {"$binary": {"base64": "AQAAAAAAAAAAAAAAAAAAAAACAA==", "subType": "06"}}}""");
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, Assert.Throws<DataKeyException>(() => Engine.DecryptReply(unknown)).Code);

        var header = Convert.ToBase64String([1, .. _fixture.KeyId.ToByteArray(bigEndian: true), 2, 0]);
        var known = ExtendedJson.ToBson($$$"""{"ok": 1, "a": {"$binary": {"base64": "{{{header}}}", "subType": "06"} } }""");
        Assert.Equal(CsfleErrorCode.MalformedCiphertext, Assert.Throws<DecryptionException>(() => Engine.DecryptReply(known)).Code);
    }

    [Fact]
    public void A_value_of_Queryable_Encryption_is_named_as_such()
    {
        var bytes = new byte[82];
        bytes[0] = 7;
        var reply = ExtendedJson.ToBson($$"""{"ok": 1, "a": {"$binary": {"base64": "{{Convert.ToBase64String(bytes)}}", "subType": "06"} } }""");
        Assert.Contains("Queryable Encryption", Assert.Throws<DecryptionException>(() => Engine.DecryptReply(reply)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_the_vault_does_not_hold_is_an_error_that_names_it()
    {
        var elsewhere = new EngineFixture();
        var reply = ExtendedJson.ToBson($$"""{"ok": 1, "a": {{elsewhere.Ciphertext("1")}} }""");
        var exception = Assert.Throws<DataKeyException>(() => Engine.DecryptReply(reply));
        Assert.Equal(CsfleErrorCode.DataKeyNotFound, exception.Code);
        Assert.Equal(elsewhere.KeyId, exception.KeyId);
        elsewhere.Dispose();
    }

    [Fact]
    public void A_reply_may_need_more_keys_than_a_short_list_holds()
    {
        var parts = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            var id = _fixture.Vault.CreateDataKey("local");
            var wrapped = ExtendedJson.ToJson(Engine.Encrypt(ExtendedJson.ToBson($$"""{"v": {{i}}}"""), CsfleAlgorithm.Random, id));
            parts.Add($"\"k{i}\":{wrapped[5..^1]}");
        }

        var decrypted = ExtendedJson.ToJson(Engine.DecryptReply(ExtendedJson.ToBson($"{{{string.Join(',', parts)}}}")).Span);

        Assert.Equal($"{{{string.Join(',', Enumerable.Range(0, 20).Select(i => $"\"k{i}\":{i}"))}}}", decrypted);
    }

    [Theory]
    [InlineData("{\"v\": null}", CsfleAlgorithm.Random, "BSON type invalid for encryption: null")]
    [InlineData("{\"v\": {\"$minKey\": 1}}", CsfleAlgorithm.Random, "BSON type invalid for encryption: minKey")]
    [InlineData("{\"v\": 1.5}", CsfleAlgorithm.Deterministic, "BSON type invalid for deterministic encryption: double")]
    [InlineData("{\"v\": [1]}", CsfleAlgorithm.Deterministic, "BSON type invalid for deterministic encryption: array")]
    [InlineData("{\"v\": {\"$binary\": {\"base64\": \"AQID\", \"subType\": \"06\"}}}", CsfleAlgorithm.Random, "BSON binary subtype 6 is invalid for encryption")]
    public void A_value_that_cannot_be_encrypted_explicitly_is_refused(string value, CsfleAlgorithm algorithm, string text)
    {
        var exception = Assert.Throws<EncryptionValueException>(() => Engine.Encrypt(ExtendedJson.ToBson(value), algorithm, _fixture.KeyId));
        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        Assert.Equal(CsfleErrorCode.ValueNotEncryptable, exception.Code);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"w\": 1}")]
    [InlineData("{\"v\": 1, \"w\": 2}")]
    public void Explicit_encryption_takes_one_element_named_v(string document)
        => Assert.Throws<BsonFormatException>(() => Engine.Encrypt(ExtendedJson.ToBson(document), CsfleAlgorithm.Random, _fixture.KeyId));

    [Fact]
    public void Explicit_encryption_refuses_what_could_not_be_decrypted()
    {
        var document = ExtendedJson.ToBson("""{"v": {"b": true}}""");
        document[^6] = 0x20;
        Assert.Throws<BsonFormatException>(() => Engine.Encrypt(document, CsfleAlgorithm.Random, _fixture.KeyId));
    }

    [Fact]
    public void Explicit_decryption_takes_ciphertext_only()
        => Assert.Equal(CsfleErrorCode.MalformedCiphertext, Assert.Throws<DecryptionException>(() => Engine.Decrypt(ExtendedJson.ToBson("""{"v": 1}"""))).Code);

    [Fact]
    public void Explicit_encryption_by_name_stores_the_keys_id()
    {
        var byName = Engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), CsfleAlgorithm.Deterministic, "patients");
        Assert.Equal(Engine.Encrypt(ExtendedJson.ToBson("""{"v": 1}"""), CsfleAlgorithm.Deterministic, _fixture.KeyId), byName);
    }

    [Fact]
    public void Strings_that_are_not_UTF_8_survive_automatic_encryption()
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("insert"u8, "coll"u8);
        writer.StartArray("documents"u8);
        writer.StartDocument("0"u8);
        writer.WriteRaw(BsonType.String, "bloodType"u8, [2, 0, 0, 0, 0xFF, 0]);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        var command = writer.ToArray();

        var encrypted = Engine.EncryptCommand("db", command);

        Assert.NotEqual(command.Length, encrypted.Length);
        Assert.Equal(command, Engine.DecryptReply(encrypted).ToArray());
    }

    [Fact]
    public void Nothing_is_sent_when_the_key_vault_does_not_answer()
    {
        using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);
        var engine = new CsfleEngine(vault, [new("db.coll", _fixture.Schema)]);
        Assert.Throws<DataKeyException>(() => engine.EncryptCommand("db", ExtendedJson.ToBson("""{"insert": "coll", "documents": [{"ssn": 1}]}""")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0500000001")]
    [InlineData("0600000000")]
    public void Bytes_that_are_not_BSON_are_refused_both_ways(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        Assert.Throws<BsonFormatException>(() => Engine.EncryptCommand("db", bytes));
        Assert.Throws<BsonFormatException>(() => Engine.DecryptReply(bytes));
        Assert.Throws<BsonFormatException>(() => Engine.Encrypt(bytes, CsfleAlgorithm.Random, _fixture.KeyId));
        Assert.Throws<BsonFormatException>(() => Engine.Decrypt(bytes));
    }

    [Fact]
    public void An_empty_command_is_refused()
        => Assert.Equal(CsfleErrorCode.MalformedCommand, Assert.Throws<QueryAnalysisException>(() => Engine.EncryptCommand("db", ExtendedJson.ToBson("{}"))).Code);

    private static byte[] ElementAt(ReadOnlyMemory<byte> document, params string[] path)
    {
        var reader = new BsonReader(document.Span);
        for (var i = 0; i < path.Length; i++)
        {
            Assert.True(reader.ReadTo(System.Text.Encoding.UTF8.GetBytes(path[i])));
            if (i < path.Length - 1) reader = reader.ReadDocument();
        }

        return reader.Value.ToArray();
    }
}
