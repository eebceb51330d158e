using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Tests.Analysis;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>What a server may answer: replies with ciphertexts in them, and ciphertexts alone.</summary>
public sealed class ReplyFuzzTests(ITestOutputHelper output) : IDisposable
{
    private readonly EngineFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_reply_is_decrypted_or_refused()
    {
        var insert = _fixture.Engine.EncryptCommand("db", EngineFixture.Insert(ExtendedJson.ToBson(EngineFixture.Patient))).ToArray();
        byte[][] replies =
        [
            insert,
            ExtendedJson.ToBson($$"""{"cursor": {"id": 0, "ns": "db.coll", "firstBatch": [{"_id": 1, "a": {{_fixture.Ciphertext("1")}}, "b": [{{_fixture.Ciphertext("[1, {\"x\": 2}]")}}, {"c": {{_fixture.Ciphertext("\"y\"", CsfleAlgorithm.Deterministic)}}}]}]}, "ok": 1}"""),
            ExtendedJson.ToBson($$"""{"ok": 0, "errmsg": "x", "code": 1, "v": {{_fixture.Ciphertext("1")}}}"""),
            ExtendedJson.ToBson("""{"n": 1, "ok": 1}"""),
        ];
        var mutation = new CommandMutation(replies);
        var corpus = new Corpus(replies);
        new FuzzTarget("Replies", output) { InSuite = 10_000 }.Run(
            random => random.Next(2) == 0 ? corpus.Damaged(random) : mutation.Of(replies[random.Next(replies.Length)], random),
            bytes =>
            {
                var decrypted = _fixture.Engine.DecryptReply(bytes);
                if (decrypted.Span.SequenceEqual(bytes)) return false;
                BsonValidator.Validate(decrypted.Span);
                return true;
            });
    }

    [Fact]
    public void A_ciphertext_that_was_changed_in_any_way_is_refused()
    {
        byte[][] ciphertexts =
        [
            .. new[] { "1", "\"text\"", "\"\"", "[1, {\"a\": null}]", "{\"a\": {\"$minKey\": 1}}" }.Select(json => Encrypt(json, CsfleAlgorithm.Random)),
            .. new[] { "1", "\"text\"", "{\"$binary\": {\"base64\": \"AAAA\", \"subType\": \"00\"}}" }.Select(json => Encrypt(json, CsfleAlgorithm.Deterministic)),
        ];
        var payloads = ciphertexts.Select(document => document[(PayloadStart + 1)..^1]).ToArray();
        var corpus = new Corpus(payloads);
        var damaged = new Corpus(ciphertexts);
        new FuzzTarget("Ciphertexts", output) { InSuite = 10_000 }.Run(
            random => random.Next(4) == 0 ? damaged.Damaged(random) : Wrap(corpus.Damaged(random)),
            bytes =>
            {
                _fixture.Engine.Decrypt(bytes);
                Assert.Contains(payloads, payload => bytes.AsSpan().IndexOf(payload) == PayloadStart + 1);
                return true;
            });
    }

    // { length int32 | 0x05 | 'v' | 0 | length int32 | subtype | payload | 0 }
    private const int PayloadStart = sizeof(int) + 3 + sizeof(int);

    private static byte[] Wrap(byte[] payload)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteBinary("v"u8, BinarySubtype.Encrypted, payload);
        writer.EndDocument();
        return writer.ToArray();
    }

    private byte[] Encrypt(string json, CsfleAlgorithm algorithm)
        => _fixture.Engine.Encrypt(ExtendedJson.ToBson($$"""{"v": {{json}}}"""), algorithm, _fixture.KeyId);
}
