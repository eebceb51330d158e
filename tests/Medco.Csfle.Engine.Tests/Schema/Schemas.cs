using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Schema;

/// <summary>Short ways to write schemas for tests.</summary>
internal static class Schemas
{
    public static readonly Guid KeyId = new("00112233-4455-6677-8899-aabbccddeeff");

    public const string Key = """[{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}]""";
    public const string RandomAny = $$$"""{"encrypt":{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":{{{Key}}}}}""";
    public const string RandomString = $$$"""{"encrypt":{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":{{{Key}}},"bsonType":"string"}}""";

    /// <summary>The root of a schema around its <c>properties</c>.</summary>
    public static string Object(string properties) => $$$"""{"bsonType":"object","properties":{{{{properties}}}}}""";

    /// <summary>A schema whose field <c>foo</c> has this <c>encrypt</c>.</summary>
    public static string Encrypting(string encrypt) => Object($$"""
        "foo":{"encrypt":{{encrypt}}}
        """);

    /// <summary>An <c>encrypt</c> with the test key and what is given.</summary>
    public static string Encrypt(string algorithm, string more = "")
        => $$"""{"algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-{{algorithm}}","keyId":{{Key}}{{(more.Length == 0 ? "" : "," + more)}}}""";

    /// <summary>What a parsed schema says at a dotted path.</summary>
    public static SchemaNode? At(this EncryptionSchema schema, string path)
    {
        SchemaNode? node = schema.Root;
        foreach (var name in path.Split('.')) node = ((PlainNode)node!).Find(System.Text.Encoding.UTF8.GetBytes(name));
        return node;
    }

    /// <summary>The encrypted node at a dotted path.</summary>
    public static EncryptedNode EncryptedAt(this EncryptionSchema schema, string path) => Assert.IsType<EncryptedNode>(schema.At(path));
}
