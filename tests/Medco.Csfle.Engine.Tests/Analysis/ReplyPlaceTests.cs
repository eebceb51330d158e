using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>An error of decryption says where in the reply it happened.</summary>
public sealed class ReplyPlaceTests : IDisposable
{
    private const string TooSmall = """{"$binary": {"base64": "AQID", "subType": "06"} }""";

    private readonly EngineFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    public static TheoryData<string, string?, string?> Replies => new()
    {
        { """{"cursor": {"id": 0, "ns": "db.coll", "firstBatch": [{"a": GOOD}, {"a": GOOD, "insurance": {"policyNumber": BAD}}]}, "ok": 1}""", "db.coll", "insurance.policyNumber" },
        { """{"cursor": {"id": 0, "ns": "db.coll", "nextBatch": [{"a": BAD, "b": BAD}]}, "ok": 1}""", "db.coll", "a" },
        { """{"cursor": {"firstBatch": [{"list": [GOOD, BAD]}], "id": 0}, "ok": 1}""", null, "list.1" },
        { """{"value": {"ssn": BAD}, "ok": 1}""", null, "ssn" },
        { """{"values": [GOOD, BAD], "ok": 1}""", null, "values.1" },
        { """{"writeErrors": [{"x": BAD}], "values": [BAD], "ok": 1}""", null, "values.0" },
        { """{"v": BAD}""", null, null },
    };

    [Theory]
    [MemberData(nameof(Replies))]
    public async Task A_value_that_is_no_ciphertext_is_located(string reply, string? collection, string? path)
    {
        var exception = await Fails(reply, TooSmall);

        Assert.Equal((CsfleErrorCode.MalformedCiphertext, collection, path), (exception.Code, exception.Collection, exception.Path));
    }

    [Theory]
    [MemberData(nameof(Replies))]
    public async Task A_value_that_is_cut_off_is_located(string reply, string? collection, string? path)
    {
        var header = Convert.ToBase64String([1, .. _fixture.KeyId.ToByteArray(bigEndian: true), 2, 0]);

        var exception = await Fails(reply, $$$"""{"$binary": {"base64": "{{{header}}}", "subType": "06"} }""");

        Assert.Equal((CsfleErrorCode.MalformedCiphertext, collection, path), (exception.Code, exception.Collection, exception.Path));
    }

    [Theory]
    [MemberData(nameof(Replies))]
    public async Task A_value_that_does_not_authenticate_is_located(string reply, string? collection, string? path)
    {
        var zeros = Convert.ToBase64String([1, .. _fixture.KeyId.ToByteArray(bigEndian: true), 2, .. new byte[64]]);

        var exception = await Fails(reply, $$$"""{"$binary": {"base64": "{{{zeros}}}", "subType": "06"} }""");

        Assert.Equal((CsfleErrorCode.DecryptionFailed, collection, path, _fixture.KeyId), (exception.Code, exception.Collection, exception.Path, exception.KeyId));
    }

    [Fact]
    public async Task The_message_names_collection_path_and_the_place_in_the_reply()
    {
        var exception = await Fails("""{"cursor": {"id": 0, "ns": "db.coll", "firstBatch": [{"a": GOOD}, {"ssn": BAD}]}, "ok": 1}""", TooSmall);

        Assert.Contains("(collection 'db.coll', path 'ssn' of document 1 of the reply).", exception.Message, StringComparison.Ordinal);
    }

    private async Task<DecryptionException> Fails(string reply, string bad)
    {
        var bytes = ExtendedJson.ToBson(reply.Replace("GOOD", _fixture.Ciphertext("241014209"), StringComparison.Ordinal).Replace("BAD", bad, StringComparison.Ordinal));
        var exception = Assert.Throws<DecryptionException>(() => _fixture.Engine.DecryptReply(bytes));
        var asynchronous = await Assert.ThrowsAsync<DecryptionException>(async () => await _fixture.Engine.DecryptReplyAsync(bytes));
        Assert.Equal(exception.Message, asynchronous.Message);
        return exception;
    }
}
