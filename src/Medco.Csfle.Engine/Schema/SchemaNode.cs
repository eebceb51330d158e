using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Schema;

/// <summary>What an encryption schema says about one path: a closed set, <see cref="EncryptedNode"/> and <see cref="PlainNode"/>; inside a pipeline also "not known".</summary>
internal abstract class SchemaNode
{
    private protected SchemaNode()
    {
    }

    /// <summary>True where the path is encrypted or leads to one that is.</summary>
    public abstract bool HasEncryption { get; }

    /// <summary>True where both nodes encrypt the same names below them, or themselves, in the same way.</summary>
    public abstract bool EncryptsLike(SchemaNode other);
}

/// <summary>An encrypted path: the value there, an object or array included, is one ciphertext.</summary>
internal sealed class EncryptedNode : SchemaNode
{
    /// <summary>A path encrypted under a key of which either the id or the way to its name is known.</summary>
    /// <param name="algorithm">The algorithm.</param>
    /// <param name="keyId">The data key; null where <paramref name="keyPointer"/> is given.</param>
    /// <param name="keyPointer">Where in the document the key's alternate name stands; null where <paramref name="keyId"/> is given.</param>
    /// <param name="types">The types that are allowed there; the parser has refused those that can never be encrypted.</param>
    public EncryptedNode(CsfleAlgorithm algorithm, Guid? keyId, JsonPointer? keyPointer, BsonTypeSet types)
    {
        Algorithm = algorithm;
        KeyId = keyId;
        KeyPointer = keyPointer;
        Types = types;
    }

    /// <summary>The algorithm.</summary>
    public CsfleAlgorithm Algorithm { get; }

    /// <summary>The data key; null where the document names it through <see cref="KeyPointer"/>.</summary>
    public Guid? KeyId { get; }

    /// <summary>Where in the document the data key's alternate name stands; only with <see cref="CsfleAlgorithm.Random"/>.</summary>
    public JsonPointer? KeyPointer { get; }

    /// <summary>The types the schema allows here; <see cref="BsonTypeSet.IsAny"/> when it gave none.</summary>
    public BsonTypeSet Types { get; }

    /// <summary>What happens to null there; <see cref="NullPolicy.Default"/> refuses it.</summary>
    public NullPolicy Nulls { get; init; }

    /// <summary>True where null may be stored in clear, and a validator has to let it pass.</summary>
    public bool AllowsNull => Nulls == NullPolicy.StoreInClear;

    /// <summary>Class and member, where the schema was made from a class.</summary>
    public string? Member { get; init; }

    /// <inheritdoc/>
    public override bool HasEncryption => true;

    /// <summary>True where a value of one could stand for a value of the other: same algorithm, key and types.</summary>
    public bool HasSameMetadataAs(EncryptedNode other)
        => Algorithm == other.Algorithm
            && KeyId == other.KeyId
            && KeyPointer?.Text == other.KeyPointer?.Text
            && Types == other.Types;

    /// <inheritdoc/>
    public override bool EncryptsLike(SchemaNode other) => other is EncryptedNode encrypted && HasSameMetadataAs(encrypted);

    /// <summary>
    /// True where no value of this type can ever be encrypted with this algorithm: null, undefined, MinKey and MaxKey, and
    /// with deterministic those whose equality is not that of their bytes (double, decimal, object, array, JavaScript with
    /// scope) or that have next to no values (bool).
    /// </summary>
    public static bool IsProhibited(CsfleAlgorithm algorithm, BsonType type) => type switch
    {
        BsonType.Null or BsonType.Undefined or BsonType.MinKey or BsonType.MaxKey => true,
        BsonType.Double or BsonType.Decimal128 or BsonType.Boolean or BsonType.Document or BsonType.Array
            or BsonType.JavaScriptWithScope => algorithm == CsfleAlgorithm.Deterministic,
        _ => false,
    };
}
