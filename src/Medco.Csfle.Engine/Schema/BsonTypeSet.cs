using System.Numerics;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>A set of BSON types: what <c>bsonType</c> in a schema allows. The default value is the empty set.</summary>
internal readonly struct BsonTypeSet : IEquatable<BsonTypeSet>
{
    // One bit for each type: 0x01..0x13 are bits 1..19, MinKey (0xFF) is bit 20 and MaxKey (0x7F) bit 21.
    private readonly uint _bits;

    private BsonTypeSet(uint bits) => _bits = bits;

    /// <summary>All 21 types: no <c>bsonType</c> was given.</summary>
    public static BsonTypeSet Any { get; } = new(0b11_1111_1111_1111_1111_1110);

    /// <summary>The types that <c>number</c> names.</summary>
    public static BsonTypeSet Number { get; } = Of(BsonType.Int32, BsonType.Int64, BsonType.Double, BsonType.Decimal128);

    /// <summary>True where every type is allowed.</summary>
    public bool IsAny => _bits == Any._bits;

    /// <summary>True where no type is.</summary>
    public bool IsEmpty => _bits == 0;

    /// <summary>How many types there are in the set.</summary>
    public int Count => BitOperations.PopCount(_bits);

    /// <summary>The set of the types given.</summary>
    public static BsonTypeSet Of(params ReadOnlySpan<BsonType> types)
    {
        var set = default(BsonTypeSet);
        foreach (var type in types) set = set.With(type);
        return set;
    }

    /// <summary>This set and one type more.</summary>
    public BsonTypeSet With(BsonType type) => new(_bits | Bit(type));

    /// <summary>What is in both sets.</summary>
    public BsonTypeSet And(BsonTypeSet other) => new(_bits & other._bits);

    /// <summary>What is in either set.</summary>
    public BsonTypeSet Or(BsonTypeSet other) => new(_bits | other._bits);

    /// <summary>True where the type is in the set.</summary>
    public bool Contains(BsonType type) => (_bits & Bit(type)) != 0;

    /// <summary>The types, in the order of their type bytes with MinKey and MaxKey last.</summary>
    public IEnumerable<BsonType> Types
    {
        get
        {
            for (var bit = 1; bit <= 21; bit++)
            {
                if ((_bits & (1u << bit)) == 0) continue;
                yield return bit switch { 20 => BsonType.MinKey, 21 => BsonType.MaxKey, _ => (BsonType)bit };
            }
        }
    }

    /// <summary>The set as error messages spell it: <c>[ string, int ]</c>.</summary>
    public string Describe() => $"[ {string.Join(", ", Types.Select(type => type.Alias()))} ]";

    /// <inheritdoc/>
    public bool Equals(BsonTypeSet other) => _bits == other._bits;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BsonTypeSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _bits.GetHashCode();

    /// <summary>True where both hold the same types.</summary>
    public static bool operator ==(BsonTypeSet left, BsonTypeSet right) => left.Equals(right);

    /// <summary>True where they do not.</summary>
    public static bool operator !=(BsonTypeSet left, BsonTypeSet right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Describe();

    private static uint Bit(BsonType type) => type switch
    {
        >= BsonType.Double and <= BsonType.Decimal128 => 1u << (byte)type,
        BsonType.MinKey => 1u << 20,
        BsonType.MaxKey => 1u << 21,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}
