namespace EngineTour;

/// <summary>What the guide's section C ends with.</summary>
internal static class Guide
{
    private const string Schema = """
        {"bsonType":"object","encryptMetadata":{"keyId":[KEY]},"properties":{
        "ssn":{"encrypt":{"bsonType":"int","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}},
        "bloodType":{"encrypt":{"bsonType":"string","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random"}},
        "medicalRecords":{"encrypt":{"bsonType":"array","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random"}},
        "insurance":{"bsonType":"object","properties":{
        "policyNumber":{"encrypt":{"bsonType":"int","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}}}
        """;

    /// <summary>The schema with a data key's id in the place the guide leaves for it.</summary>
    public static string SchemaFor(Guid keyId)
    {
        var base64 = Convert.ToBase64String(keyId.ToByteArray(bigEndian: true));
        return Schema.ReplaceLineEndings("").Replace("KEY", $$$"""{"$binary":{"base64":"{{{base64}}}","subType":"04"}}""", StringComparison.Ordinal);
    }
}
