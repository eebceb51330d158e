using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>The spellings of types in <c>$type</c>: aliases, the numbers of the types, and <c>number</c> for four of them.</summary>
internal static class TypeAliases
{
    public static readonly IReadOnlySet<BsonType> Numbers
        = new HashSet<BsonType> { BsonType.Int32, BsonType.Int64, BsonType.Double, BsonType.Decimal128 };

    /// <summary>Adds the types that an alias names.</summary>
    /// <returns>False where it names none.</returns>
    public static bool TryAdd(string alias, ISet<BsonType> types)
    {
        if (alias == "number")
        {
            types.UnionWith(Numbers);
            return true;
        }

        return BsonTypes.TryParseAlias(alias, out var type) && (types.Add(type) || true);
    }

    /// <summary>The operand of <c>$type</c>: one spelling or an array of them.</summary>
    public static IReadOnlySet<BsonType> Parse(Value operand)
    {
        var types = new HashSet<BsonType>();
        if (!operand.IsArray)
        {
            Add(operand, types);
            return types;
        }

        foreach (var item in operand.Items) Add(item, types);
        return types.Count > 0 ? types : throw ServerException.FailedToParse("$type must match at least one type");
    }

    private static void Add(Value spelling, HashSet<BsonType> types)
    {
        if (spelling.Type == BsonType.String)
        {
            if (!TryAdd(spelling.Text, types)) throw ServerException.BadValue($"Unknown type name alias: {spelling.Text}");
            return;
        }

        if (!spelling.IsNumber) throw ServerException.TypeMismatch("type must be represented as a number or a string");
        if (!spelling.Number.TryToInt64(out var code)) throw ServerException.BadValue($"Invalid numerical type code: {spelling.Number}");

        // MinKey is written -1, whatever its byte is.
        var type = code == -1 ? BsonType.MinKey : code is > 0 and < 0x80 ? (BsonType)code : 0;
        if (!Enum.IsDefined(type)) throw ServerException.BadValue($"Invalid numerical type code: {code}");
        types.Add(type);
    }
}
