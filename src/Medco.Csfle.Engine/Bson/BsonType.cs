namespace Medco.Csfle.Engine.Bson;

/// <summary>The type byte of a BSON element (bsonspec.org, version 1.1).</summary>
internal enum BsonType : byte
{
    Double = 0x01,
    String = 0x02,
    Document = 0x03,
    Array = 0x04,
    Binary = 0x05,
    Undefined = 0x06,
    ObjectId = 0x07,
    Boolean = 0x08,
    DateTime = 0x09,
    Null = 0x0A,
    RegularExpression = 0x0B,
    DbPointer = 0x0C,
    JavaScript = 0x0D,
    Symbol = 0x0E,
    JavaScriptWithScope = 0x0F,
    Int32 = 0x10,
    Timestamp = 0x11,
    Int64 = 0x12,
    Decimal128 = 0x13,
    MaxKey = 0x7F,
    MinKey = 0xFF,
}

/// <summary>Names and sets of BSON types, as <c>bsonType</c> in a JSON schema spells them.</summary>
internal static class BsonTypes
{
    private static readonly (BsonType Type, string Alias)[] Aliases =
    [
        (BsonType.Double, "double"),
        (BsonType.String, "string"),
        (BsonType.Document, "object"),
        (BsonType.Array, "array"),
        (BsonType.Binary, "binData"),
        (BsonType.Undefined, "undefined"),
        (BsonType.ObjectId, "objectId"),
        (BsonType.Boolean, "bool"),
        (BsonType.DateTime, "date"),
        (BsonType.Null, "null"),
        (BsonType.RegularExpression, "regex"),
        (BsonType.DbPointer, "dbPointer"),
        (BsonType.JavaScript, "javascript"),
        (BsonType.Symbol, "symbol"),
        (BsonType.JavaScriptWithScope, "javascriptWithScope"),
        (BsonType.Int32, "int"),
        (BsonType.Timestamp, "timestamp"),
        (BsonType.Int64, "long"),
        (BsonType.Decimal128, "decimal"),
        (BsonType.MinKey, "minKey"),
        (BsonType.MaxKey, "maxKey"),
    ];

    /// <summary>The alias MongoDB's <c>$type</c> and <c>bsonType</c> use for a type, such as <c>int</c> or <c>objectId</c>.</summary>
    public static string Alias(this BsonType type)
    {
        foreach (var (candidate, alias) in Aliases)
        {
            if (candidate == type) return alias;
        }

        throw new ArgumentOutOfRangeException(nameof(type));
    }

    /// <summary>The type that an alias names; false for anything else, <c>number</c> included, which names four.</summary>
    public static bool TryParseAlias(ReadOnlySpan<char> alias, out BsonType type)
    {
        foreach (var (candidate, name) in Aliases)
        {
            if (alias.SequenceEqual(name))
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }
}

/// <summary>Hard limits on what is read and written.</summary>
internal static class BsonLimits
{
    /// <summary>Deepest nesting of documents and arrays; the server's own limit for stored documents is lower.</summary>
    public const int MaxDepth = 200;

    /// <summary>
    /// Longest document in bytes: MongoDB's <c>maxMessageSizeBytes</c> (48,000,000), and 1 MiB for what folding the document
    /// sequences of a message into arrays adds: the names of up to 100,000 elements.
    /// </summary>
    public const int MaxLength = 48_000_000 + 1024 * 1024;

    /// <summary>The length of the empty document: four bytes of length and the terminator.</summary>
    public const int MinLength = 5;
}
