using System.Collections.Frozen;

namespace Medco.Csfle.Engine.Schema;

/// <summary>The keywords of MongoDB's JSON schema.</summary>
internal static class SchemaKeywords
{
    public const string Encrypt = "encrypt";
    public const string EncryptMetadata = "encryptMetadata";
    public const string BsonType = "bsonType";
    public const string Type = "type";
    public const string Properties = "properties";
    public const string PatternProperties = "patternProperties";
    public const string AdditionalProperties = "additionalProperties";

    /// <summary>Keywords whose sub-schemas say where something is encrypted, or that only describe.</summary>
    public static readonly FrozenSet<string> AllowedLocally = new[]
    {
        Encrypt, EncryptMetadata, BsonType, Type, Properties, PatternProperties, AdditionalProperties, "title", "description",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Keywords that only validate: the server's business.</summary>
    public static readonly FrozenSet<string> ValidationOnly = new[]
    {
        "additionalItems", "allOf", "anyOf", "dependencies", "enum", "exclusiveMaximum", "exclusiveMinimum", "items", "maxItems",
        "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not",
        "oneOf", "pattern", "required", "uniqueItems",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Keywords of JSON schema that MongoDB does not have.</summary>
    public static readonly FrozenSet<string> NotSupported = new[]
    {
        "$ref", "$schema", "default", "definitions", "format", "id",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>What <c>type</c> may name; <c>integer</c> is not among them.</summary>
    public static readonly FrozenSet<string> JsonTypes = new[]
    {
        "object", "array", "number", "boolean", "string", "null",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>How the deterministic algorithm is spelt.</summary>
    public const string Deterministic = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic";

    /// <summary>How the random algorithm is spelt.</summary>
    public const string Random = "AEAD_AES_256_CBC_HMAC_SHA_512-Random";
}
