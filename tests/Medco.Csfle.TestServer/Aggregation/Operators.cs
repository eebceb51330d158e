using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Aggregation;

/// <summary>An operator that needs nothing but the values of its operands.</summary>
/// <param name="Least">The least number of operands.</param>
/// <param name="Most">The greatest number of operands.</param>
/// <param name="Apply">Its value; null stands for a missing one, on both sides.</param>
internal sealed record Operator(int Least, int Most, Func<IReadOnlyList<Value?>, Value?> Apply);

/// <summary>The operators of aggregation expressions, by name. Null and missing operands give null unless the manual says otherwise.</summary>
internal static class Operators
{
    private const int Any = int.MaxValue;
    private const int ConversionFailure = 241;
    private const int NotANumber = 28765;

    public static IReadOnlyDictionary<string, Operator> Table { get; } = new Dictionary<string, Operator>
    {
        ["$eq"] = Comparison(order => order == 0),
        ["$ne"] = Comparison(order => order != 0),
        ["$gt"] = Comparison(order => order > 0),
        ["$gte"] = Comparison(order => order >= 0),
        ["$lt"] = Comparison(order => order < 0),
        ["$lte"] = Comparison(order => order <= 0),
        ["$cmp"] = new(2, 2, operands => Value.FromInt32(Compare(operands[0], operands[1]))),
        ["$not"] = new(1, 1, operands => Value.FromBoolean(operands[0] is not { IsTrue: true })),

        ["$add"] = OfValues(0, Any, operands => operands.Aggregate(Value.FromInt32(0), (left, right) => Add("$add", left, right))),
        ["$subtract"] = OfValues(2, 2, operands => Subtract(operands[0], operands[1])),
        ["$multiply"] = OfValues(0, Any, operands => operands.Select(operand => Numeric("$multiply", operand)).Aggregate(Value.FromInt32(1), Multiply)),
        ["$divide"] = OfValues(2, 2, operands => Divide(Numeric("$divide", operands[0]), Numeric("$divide", operands[1]))),
        ["$mod"] = OfValues(2, 2, operands => Mod(Numeric("$mod", operands[0]), Numeric("$mod", operands[1]))),
        ["$abs"] = OfValues(1, 1, operands => Numeric("$abs", operands[0], NotANumber).Number.CompareTo(Number.FromInt64(0)) < 0 ? Multiply(operands[0], Value.FromInt32(-1)) : operands[0]),
        ["$ceil"] = OfValues(1, 1, operands => Round("$ceil", operands[0], Math.Ceiling)),
        ["$floor"] = OfValues(1, 1, operands => Round("$floor", operands[0], Math.Floor)),
        ["$sum"] = new(1, Any, operands => Sum(Spread(operands))),
        ["$avg"] = new(1, Any, operands => Average(Spread(operands))),
        ["$min"] = new(1, Any, operands => Present(Spread(operands)).Min(ValueOrder.Instance) ?? Value.Null),
        ["$max"] = new(1, Any, operands => Present(Spread(operands)).Max(ValueOrder.Instance) ?? Value.Null),

        ["$concat"] = OfValues(0, Any, operands => Value.FromText(string.Concat(operands.Select(operand => Text("$concat", 16702, operand))))),
        ["$toLower"] = new(1, 1, operands => Value.FromText(TextOrEmpty("$toLower", operands[0]).ToLowerInvariant())),
        ["$toUpper"] = new(1, 1, operands => Value.FromText(TextOrEmpty("$toUpper", operands[0]).ToUpperInvariant())),
        ["$strLenCP"] = new(1, 1, operands => Value.FromInt32(Text("$strLenCP", 34471, operands[0] ?? Value.Null).EnumerateRunes().Count())),
        ["$substrCP"] = new(3, 3, operands => Substring(TextOrEmpty("$substrCP", operands[0]), Whole("$substrCP", 34450, operands[1]), Whole("$substrCP", 34452, operands[2]))),
        ["$split"] = OfValues(2, 2, operands => Value.FromArray(Split(Text("$split", 40085, operands[0]), Text("$split", 40086, operands[1])))),

        ["$size"] = new(1, 1, operands => Value.FromInt32(Array("$size", 17124, operands[0] ?? Value.Null).Document.Count)),
        ["$isArray"] = new(1, 1, operands => Value.FromBoolean(operands[0] is { IsArray: true })),
        ["$arrayElemAt"] = OfValues(2, 2, operands => ElementAt(Array("$arrayElemAt", 28689, operands[0]), Whole("$arrayElemAt", 28690, operands[1]))),
        ["$first"] = OfValues(1, 1, operands => ElementAt(Array("$first", 28689, operands[0]), 0)),
        ["$last"] = OfValues(1, 1, operands => ElementAt(Array("$last", 28689, operands[0]), -1)),
        ["$in"] = new(2, 2, operands => Value.FromBoolean(Array("$in", 40081, operands[1] ?? Value.Null).Items.Any(item => Compare(item, operands[0]) == 0))),
        ["$concatArrays"] = OfValues(0, Any, operands => Value.FromArray(operands.SelectMany(operand => Array("$concatArrays", 28664, operand).Items))),
        ["$reverseArray"] = OfValues(1, 1, operands => Value.FromArray(Array("$reverseArray", 34435, operands[0]).Items.Reverse())),
        ["$slice"] = OfValues(2, 3, Slice),

        ["$mergeObjects"] = new(1, Any, operands => Merge(Spread(operands))),
        ["$type"] = new(1, 1, operands => Value.FromText(operands[0]?.Type.Alias() ?? "missing")),
        ["$isNumber"] = new(1, 1, operands => Value.FromBoolean(operands[0] is { IsNumber: true })),
        ["$toString"] = OfValues(1, 1, operands => ToText(operands[0])),

        ["$year"] = DatePart("$year", date => date.Year),
        ["$month"] = DatePart("$month", date => date.Month),
        ["$dayOfMonth"] = DatePart("$dayOfMonth", date => date.Day),
        ["$hour"] = DatePart("$hour", date => date.Hour),
        ["$minute"] = DatePart("$minute", date => date.Minute),
        ["$second"] = DatePart("$second", date => date.Second),
    };

    public static bool IsNullish(Value? value) => value is null or { Type: BsonType.Null or BsonType.Undefined };

    /// <summary>The values that are neither null nor missing.</summary>
    public static IEnumerable<Value> Present(IEnumerable<Value?> values) => values.OfType<Value>().Where(value => !IsNullish(value));

    /// <summary>The order of two values; what is missing is less than null.</summary>
    public static int Compare(Value? left, Value? right) => ValueOrder.Compare(left ?? Value.Undefined, right ?? Value.Undefined);

    /// <summary>The sum of the numbers among the values.</summary>
    public static Value Sum(IEnumerable<Value?> values)
        => values.Where(value => value is { IsNumber: true }).Aggregate(Value.FromInt32(0), (sum, value) => AddNumbers(sum, value!));

    /// <summary>The average of the numbers among the values; null where there is none.</summary>
    public static Value Average(IEnumerable<Value?> values)
    {
        var numbers = values.OfType<Value>().Where(value => value.IsNumber).ToArray();
        return numbers.Length == 0 ? Value.Null : Divide(Sum(numbers), Value.FromInt32(numbers.Length));
    }

    /// <summary>The fields of all documents among the values, the last of a name counting.</summary>
    public static Value Merge(IEnumerable<Value?> values)
    {
        var merged = Document.Empty;
        foreach (var value in values.Where(value => !IsNullish(value)))
        {
            if (!value!.IsDocument) throw new ServerException(40400, $"$mergeObjects requires object inputs, but input {ValueText.Of(value)} is of type {value.Type.Alias()}");
            merged = value.Document.Elements.Aggregate(merged, (document, field) => Updates.DocumentEdit.Edit(document, [field.Name], _ => field.Value));
        }

        return new Value(merged);
    }

    private static Operator Comparison(Func<int, bool> test) => new(2, 2, operands => Value.FromBoolean(test(Compare(operands[0], operands[1]))));

    private static Operator OfValues(int least, int most, Func<IReadOnlyList<Value>, Value?> apply)
        => new(least, most, operands => operands.Any(IsNullish) ? Value.Null : apply([.. operands.OfType<Value>()]));

    private static Operator DatePart(string name, Func<DateTime, int> part) => OfValues(1, 1, operands => ToDate(operands[0]) is { } date
        ? Value.FromInt32(part(date))
        : throw new ServerException(16006, $"{name}: can't convert from BSON type {operands[0].Type.Alias()} to Date"));

    /// <summary>The date that a value is or tells; null where it is none, or none that the calendar has.</summary>
    private static DateTime? ToDate(Value value)
    {
        long? milliseconds = value.Type switch
        {
            BsonType.DateTime => value.Int64,
            BsonType.Timestamp => (long)(unchecked((ulong)value.Int64) >> 32) * 1000,
            BsonType.ObjectId => BinaryPrimitives.ReadUInt32BigEndian(value.Bytes.Span) * 1000L,
            _ => null,
        };
        return milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds.Value).UtcDateTime
            : null;
    }

    /// <summary>One array by itself is the list of the values in it.</summary>
    private static IEnumerable<Value?> Spread(IReadOnlyList<Value?> operands) => operands is [{ IsArray: true } array] ? array.Items : (IEnumerable<Value?>)operands;

    private static Value Numeric(string name, Value value, int code = ErrorCode.TypeMismatch)
        => value.IsNumber ? value : throw new ServerException(code, $"{name} only supports numeric types, not {value.Type.Alias()}");

    // What 64 bits cannot hold becomes a double.
    private static Value AddNumbers(Value left, Value right)
        => Arithmetic.Add(left, right) ?? Value.FromDouble(Arithmetic.ToDouble(left) + Arithmetic.ToDouble(right));

    private static Value Multiply(Value left, Value right)
        => Arithmetic.Multiply(left, right) ?? Value.FromDouble(Arithmetic.ToDouble(left) * Arithmetic.ToDouble(right));

    private static Value Add(string name, Value left, Value right)
    {
        if (left.Type != BsonType.DateTime && right.Type != BsonType.DateTime) return AddNumbers(Numeric(name, left), Numeric(name, right));
        var (date, number) = left.Type == BsonType.DateTime ? (left, right) : (right, left);
        if (number.Type == BsonType.DateTime) throw new ServerException(16612, "only one date allowed in an $add expression");
        return Numeric(name, number).Number.TryTruncateToInt64(out var milliseconds)
            ? Value.FromDate(unchecked(date.Int64 + milliseconds))
            : throw ServerException.BadValue("date overflow in $add");
    }

    private static Value Subtract(Value left, Value right)
    {
        if (left.Type == BsonType.DateTime && right.Type == BsonType.DateTime) return Value.FromInt64(unchecked(left.Int64 - right.Int64));
        if (right.Type == BsonType.DateTime) throw new ServerException(16556, $"can't $subtract {right.Type.Alias()} from {left.Type.Alias()}");
        return Add("$subtract", left, Multiply(Numeric("$subtract", right), Value.FromInt32(-1)));
    }

    private static Value Divide(Value left, Value right)
    {
        if (!right.IsTrue) throw ServerException.BadValue("can't $divide by zero");
        return left.Type == BsonType.Decimal128 || right.Type == BsonType.Decimal128
            ? Arithmetic.DivideDecimals(left, right)
            : Value.FromDouble(Arithmetic.ToDouble(left) / Arithmetic.ToDouble(right));
    }

    private static Value Mod(Value left, Value right)
    {
        if (!right.IsTrue) throw new ServerException(16610, "can't $mod by zero");
        if (left.Type == BsonType.Decimal128 || right.Type == BsonType.Decimal128) throw ServerException.NotImplemented("$mod of decimals");
        if (left.Type == BsonType.Double || right.Type == BsonType.Double) return Value.FromDouble(Arithmetic.ToDouble(left) % Arithmetic.ToDouble(right));
        left.Number.TryToInt64(out var a);
        right.Number.TryToInt64(out var b);
        return Arithmetic.FromWhole(b == -1 ? 0 : a % b, asInt32: left.Type == BsonType.Int32 && right.Type == BsonType.Int32)!;
    }

    private static Value Round(string name, Value value, Func<double, double> round) => Numeric(name, value, NotANumber).Type switch
    {
        BsonType.Double => Value.FromDouble(round(Arithmetic.ToDouble(value))),
        BsonType.Decimal128 => throw ServerException.NotImplemented($"{name} of a decimal"),
        _ => value,
    };

    private static string Text(string name, int code, Value value)
        => value.IsText ? value.Text : throw new ServerException(code, $"{name} only supports strings, not {value.Type.Alias()}");

    private static string TextOrEmpty(string name, Value? value)
        => IsNullish(value) ? "" : Text(name, 16007, value!);

    private static long Whole(string name, int code, Value? value)
        => value is { IsNumber: true } && value.Number.TryToInt64(out var number) ? number : throw new ServerException(code, $"{name} needs a whole number");

    private static Value Array(string name, int code, Value value)
        => value.IsArray ? value : throw new ServerException(code, $"The argument to {name} must be an array, but was of type: {value.Type.Alias()}");

    private static Value? ElementAt(Value array, long index)
    {
        if (index < 0) index += array.Document.Count;
        return index >= 0 && index < array.Document.Count ? array.Document[(int)index].Value : null;
    }

    private static Value Slice(IReadOnlyList<Value> operands)
    {
        var items = Array("$slice", 28724, operands[0]).Items.ToArray();
        var count = Math.Clamp(Whole("$slice", 28725, operands[^1]), -int.MaxValue, int.MaxValue);
        var start = operands.Count == 3 ? Whole("$slice", 28725, operands[1]) : count >= 0 ? 0 : count;
        if (operands.Count == 3 && count <= 0) throw new ServerException(28729, "Third argument to $slice must be positive");
        start = start < 0 ? Math.Max(0, items.Length + start) : Math.Min(start, items.Length);
        return Value.FromArray(items.Skip((int)start).Take((int)Math.Abs(count)));
    }

    private static Value Substring(string text, long start, long count)
    {
        if (start < 0 || count < 0) throw new ServerException(start < 0 ? 34455 : 34454, "$substrCP: start and length must not be negative");
        var builder = new StringBuilder();
        foreach (var rune in text.EnumerateRunes().Skip((int)Math.Min(start, int.MaxValue)).Take((int)Math.Min(count, int.MaxValue))) builder.Append(rune);
        return Value.FromText(builder.ToString());
    }

    private static IEnumerable<Value> Split(string text, string separator)
        => separator.Length > 0 ? text.Split(separator).Select(Value.FromText) : throw new ServerException(40087, "$split requires a non-empty separator");

    private static Value ToText(Value value) => value.Type switch
    {
        BsonType.String => value,
        BsonType.Boolean => Value.FromText(value.Boolean ? "true" : "false"),
        BsonType.Int32 or BsonType.Int64 => Value.FromText(value.Number.ToString()),
        BsonType.Double => Value.FromText(Arithmetic.ToDouble(value).ToString("R", CultureInfo.InvariantCulture)),
        BsonType.Decimal128 => Value.FromText(Decimal128Text.Format(value.Bytes.Span)),
        BsonType.ObjectId => Value.FromText(Convert.ToHexString(value.Bytes.Span).ToLowerInvariant()),
        BsonType.DateTime when ToDate(value) is { } date => Value.FromText(date.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
        _ => throw new ServerException(ConversionFailure, $"Unsupported conversion from {value.Type.Alias()} to string in $convert with no onError value"),
    };
}
