using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>Where an encryption schema comes from, which decides what it may say.</summary>
public enum EncryptionSchemaOrigin
{
    /// <summary>Given to the client (<c>schemaMap</c>): only what encryption needs, no validation keywords.</summary>
    Local,

    /// <summary>The collection's own <c>validator.$jsonSchema</c>: every keyword of MongoDB's JSON schema.</summary>
    Server,
}

/// <summary>
/// Which fields of a collection's documents are encrypted, how, and under which data key: a JSON schema with MongoDB's
/// keywords <c>encrypt</c> and <c>encryptMetadata</c>, checked as a whole.
/// </summary>
/// <remarks>
/// Source of the rules: MongoDB's manual, "Automatic Encryption JSON Schema Syntax". Where the manual is silent, this class
/// refuses. Instances do not change and may be shared between threads.
/// </remarks>
public sealed class EncryptionSchema
{
    internal const string Subject = "The encryption schema";

    /// <summary>A schema that encrypts nothing.</summary>
    internal static readonly EncryptionSchema Nothing = Parse("""{ "bsonType": "object" }""");

    private readonly byte[] _bson;

    private EncryptionSchema(byte[] bson, EncryptionSchemaOrigin origin, PlainNode root)
    {
        _bson = bson;
        Origin = origin;
        Root = root;
    }

    /// <summary>Where the schema comes from.</summary>
    public EncryptionSchemaOrigin Origin { get; }

    /// <summary>True where at least one field is encrypted.</summary>
    public bool EncryptsAnything => Root.HasEncryption;

    /// <summary>What the schema says about the document as a whole.</summary>
    internal PlainNode Root { get; }

    /// <summary>Reads a schema written as JSON.</summary>
    /// <param name="extendedJson">One object in MongoDB Extended JSON v2, canonical or relaxed.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <exception cref="ExtendedJsonFormatException">The text is not Extended JSON.</exception>
    /// <exception cref="BsonFormatException">The schema is nested too deeply.</exception>
    /// <exception cref="EncryptionSchemaException">The schema breaks rules; all of them are in the exception.</exception>
    public static EncryptionSchema Parse(string extendedJson, EncryptionSchemaOrigin origin = EncryptionSchemaOrigin.Local)
    {
        ArgumentNullException.ThrowIfNull(extendedJson);
        return Compile(ExtendedJson.ToBson(extendedJson), origin);
    }

    /// <summary>Reads a schema given as BSON.</summary>
    /// <param name="bson">One document; a copy is kept.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <exception cref="BsonFormatException">The bytes are not one document, or it is nested too deeply.</exception>
    /// <exception cref="EncryptionSchemaException">The schema breaks rules; all of them are in the exception.</exception>
    public static EncryptionSchema Parse(ReadOnlySpan<byte> bson, EncryptionSchemaOrigin origin = EncryptionSchemaOrigin.Local)
        => Compile(bson.ToArray(), origin);

    /// <summary>The schema of a model: its BSON, and what the model says beyond it.</summary>
    internal static EncryptionSchema OfModel(ReadOnlySpan<byte> bson, DocumentField document, StoredClass @class)
    {
        var schema = Parse(bson);
        return new EncryptionSchema(schema._bson, schema.Origin, ModelNodes.Complete(schema.Root, document, @class));
    }

    private static EncryptionSchema Compile(byte[] bson, EncryptionSchemaOrigin origin) => new(bson, origin, EncryptionSchemaParser.Parse(bson, origin));

    /// <summary>The schema as one BSON document, the bytes it was read from.</summary>
    public byte[] ToBson() => [.. _bson];

    /// <summary>The schema in MongoDB Extended JSON v2, relaxed.</summary>
    /// <param name="indented">One line for each keyword, or all in one.</param>
    public string ToJson(bool indented = false) => ExtendedJson.ToJson(_bson, ExtendedJsonMode.Relaxed, indented);
}
