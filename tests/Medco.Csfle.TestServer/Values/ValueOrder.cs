using System.Buffers.Binary;
using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Values;

/// <summary>
/// MongoDB's total order of BSON values (manual, "Comparison/Sort Order"): first by bracket of types, then within the bracket.
/// Two values that compare 0 are equal for queries and for unique keys.
/// </summary>
internal sealed class ValueOrder : IComparer<Value>
{
    public static ValueOrder Instance { get; } = new();

    /// <summary>Whether two values are of types that compare with each other, as range predicates demand.</summary>
    public static bool SameBracket(Value left, Value right) => Bracket(left.Type) == Bracket(right.Type);

    public static bool AreEqual(Value left, Value right) => Compare(left, right) == 0;

    int IComparer<Value>.Compare(Value? x, Value? y) => Compare(x!, y!);

    public static int Compare(Value left, Value right)
    {
        var bracket = Bracket(left.Type).CompareTo(Bracket(right.Type));
        if (bracket != 0) return bracket;

        switch (left.Type)
        {
            case BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128:
                return left.Type == BsonType.Int32 && right.Type == BsonType.Int32
                    ? BinaryPrimitives.ReadInt32LittleEndian(left.Bytes.Span).CompareTo(BinaryPrimitives.ReadInt32LittleEndian(right.Bytes.Span))
                    : left.Number.CompareTo(right.Number);
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                return Math.Sign(left.Utf8.SequenceCompareTo(right.Utf8));
            case BsonType.Document:
                return CompareDocuments(left.Document, right.Document);
            case BsonType.Array:
                return CompareArrays(left.Document, right.Document);
            case BsonType.Binary:
                return CompareBinary(left, right);
            case BsonType.Boolean:
                return left.Boolean.CompareTo(right.Boolean);
            case BsonType.DateTime:
                return left.Int64.CompareTo(right.Int64);
            case BsonType.Timestamp:
                return unchecked((ulong)left.Int64).CompareTo(unchecked((ulong)right.Int64));
            case BsonType.RegularExpression:
                return CompareRegularExpressions(left, right);
            case BsonType.JavaScriptWithScope:
                var code = Math.Sign(left.ScopedCode.SequenceCompareTo(right.ScopedCode));
                return code != 0 ? code : CompareDocuments(left.Document, right.Document);
            case BsonType.ObjectId:
                return Math.Sign(left.Bytes.Span.SequenceCompareTo(right.Bytes.Span));
            case BsonType.DbPointer:
                // The length in front compares first, as for binary data.
                var length = left.Bytes.Length.CompareTo(right.Bytes.Length);
                return length != 0 ? length : Math.Sign(left.Bytes.Span.SequenceCompareTo(right.Bytes.Span));
            default:
                // Null, undefined, MinKey and MaxKey are nothing but their type.
                return 0;
        }
    }

    private static int Bracket(BsonType type) => type switch
    {
        BsonType.MinKey => 0,
        BsonType.Undefined => 1,
        BsonType.Null => 2,
        BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128 => 3,
        BsonType.String or BsonType.Symbol => 4,
        BsonType.Document => 5,
        BsonType.Array => 6,
        BsonType.Binary => 7,
        BsonType.ObjectId => 8,
        BsonType.Boolean => 9,
        BsonType.DateTime => 10,
        BsonType.Timestamp => 11,
        BsonType.RegularExpression => 12,
        BsonType.DbPointer => 13,
        BsonType.JavaScript => 14,
        BsonType.JavaScriptWithScope => 15,
        BsonType.MaxKey => 16,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>Field by field: the type's bracket, then the name, then the value; a document that ends first is less.</summary>
    private static int CompareDocuments(Document left, Document right)
    {
        for (var i = 0; i < left.Count && i < right.Count; i++)
        {
            var bracket = Bracket(left[i].Value.Type).CompareTo(Bracket(right[i].Value.Type));
            if (bracket != 0) return bracket;
            var name = Math.Sign(Encoding.UTF8.GetBytes(left[i].Name).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right[i].Name)));
            if (name != 0) return name;
            var value = Compare(left[i].Value, right[i].Value);
            if (value != 0) return value;
        }

        return left.Count.CompareTo(right.Count);
    }

    private static int CompareArrays(Document left, Document right)
    {
        for (var i = 0; i < left.Count && i < right.Count; i++)
        {
            var value = Compare(left[i].Value, right[i].Value);
            if (value != 0) return value;
        }

        return left.Count.CompareTo(right.Count);
    }

    /// <summary>The length first, then the subtype, then the bytes.</summary>
    private static int CompareBinary(Value left, Value right)
    {
        var length = left.Binary.Length.CompareTo(right.Binary.Length);
        if (length != 0) return length;
        var subtype = left.BinarySubtype.CompareTo(right.BinarySubtype);
        return subtype != 0 ? subtype : Math.Sign(left.Binary.SequenceCompareTo(right.Binary));
    }

    private static int CompareRegularExpressions(Value left, Value right)
    {
        var (leftPattern, leftOptions) = left.RegularExpression;
        var (rightPattern, rightOptions) = right.RegularExpression;
        var pattern = string.CompareOrdinal(leftPattern, rightPattern);
        return Math.Sign(pattern != 0 ? pattern : string.CompareOrdinal(leftOptions, rightOptions));
    }
}
