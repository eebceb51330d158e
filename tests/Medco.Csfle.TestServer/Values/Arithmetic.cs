using System.Globalization;
using System.Numerics;
using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Values;

/// <summary>
/// Sums and products of BSON numbers. The result has the wider type of the two, int, long, double, decimal in this order; what
/// does not fit an int becomes a long.
/// </summary>
internal static class Arithmetic
{
    private const int DecimalDigits = 34;
    private const int MinDecimalExponent = -6176;

    private static readonly BigInteger DecimalLimit = BigInteger.Pow(10, DecimalDigits);

    /// <summary>The sum, or null where two whole numbers have one beyond 64 bits.</summary>
    public static Value? Add(Value left, Value right) => Combine(left, right, (a, b) => a + b, (a, b) => a + b, Number.Add);

    /// <summary>The product, or null where two whole numbers have one beyond 64 bits.</summary>
    public static Value? Multiply(Value left, Value right) => Combine(left, right, (a, b) => a * b, (a, b) => a * b, Number.Multiply);

    /// <summary>The quotient of two numbers, of which the second is not zero, as a decimal with all the digits it may have.</summary>
    public static Value DivideDecimals(Value left, Value right)
    {
        if (!left.Number.IsFinite || !right.Number.IsFinite) return FromDecimalText((ToDouble(left) / ToDouble(right)).ToString(CultureInfo.InvariantCulture));

        var (dividend, dividendExponent) = Number.Add(ToDecimal(left).Number, Number.FromInt64(0));
        var (divisor, divisorExponent) = Number.Add(ToDecimal(right).Number, Number.FromInt64(0));
        // Two digits more than there can be, the last of them set where something is left over, so that the rounding is right.
        var shift = DecimalDigits + 2 + Digits(divisor);
        var quotient = BigInteger.DivRem(dividend * BigInteger.Pow(10, shift), divisor, out var remainder);
        var exponent = dividendExponent - divisorExponent - shift;
        if (!remainder.IsZero) return FromDecimal((quotient * 10) + (dividend.Sign * divisor.Sign), exponent - 1);
        while (exponent < dividendExponent - divisorExponent && (quotient % 10).IsZero)
        {
            quotient /= 10;
            exponent++;
        }

        return FromDecimal(quotient, exponent);
    }

    /// <summary>The nearest double.</summary>
    public static double ToDouble(Value value) => value.Type switch
    {
        BsonType.Double => BitConverter.Int64BitsToDouble(value.Int64),
        BsonType.Decimal128 => double.Parse(Decimal128Text.Format(value.Bytes.Span), NumberStyles.Float, CultureInfo.InvariantCulture),
        _ when value.Number.TryToInt64(out var whole) => whole,
        _ => throw new InvalidOperationException($"{value.Type} is not a number."),
    };

    /// <summary>A whole number as an int where it fits and may be one, else as a long, or null beyond 64 bits.</summary>
    public static Value? FromWhole(BigInteger number, bool asInt32)
    {
        if (asInt32 && number >= int.MinValue && number <= int.MaxValue) return Value.FromInt32((int)number);
        return number >= long.MinValue && number <= long.MaxValue ? Value.FromInt64((long)number) : null;
    }

    /// <summary>A decimal of a coefficient and a power of ten, rounded half to even where it has more than 34 digits.</summary>
    public static Value FromDecimal(BigInteger coefficient, int exponent)
    {
        while (BigInteger.Abs(coefficient) >= DecimalLimit || (exponent < MinDecimalExponent && !coefficient.IsZero))
        {
            // All superfluous digits at once: rounding digit by digit would round twice.
            var digits = Math.Max(Digits(coefficient) - DecimalDigits, MinDecimalExponent - exponent);
            coefficient = RoundHalfEven(coefficient, BigInteger.Pow(10, digits));
            exponent += digits;
        }

        return FromDecimalText(string.Create(CultureInfo.InvariantCulture, $"{coefficient}E{Math.Max(exponent, MinDecimalExponent)}"));
    }

    private static int Digits(BigInteger coefficient) => BigInteger.Abs(coefficient).ToString(CultureInfo.InvariantCulture).Length;

    private static BigInteger RoundHalfEven(BigInteger number, BigInteger unit)
    {
        var quotient = BigInteger.DivRem(number, unit, out var remainder);
        var half = (BigInteger.Abs(remainder) * 2).CompareTo(unit);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + number.Sign : quotient;
    }

    private static Value FromDecimalText(string text)
    {
        var bytes = new byte[Decimal128Text.Size];
        // What is too large is infinite; all else has been rounded to what a decimal holds.
        if (!Decimal128Text.TryParse(Encoding.ASCII.GetBytes(text), bytes, out _))
        {
            Decimal128Text.TryParse(text.StartsWith('-') ? "-Infinity"u8 : "Infinity"u8, bytes, out _);
        }

        return new Value(BsonType.Decimal128, bytes);
    }

    private static Value? Combine(
        Value left, Value right, Func<BigInteger, BigInteger, BigInteger> whole, Func<double, double, double> binary, Func<Number, Number, (BigInteger, int)> exact)
    {
        if (left.Type == BsonType.Decimal128 || right.Type == BsonType.Decimal128)
        {
            if (!left.Number.IsFinite || !right.Number.IsFinite)
            {
                return FromDecimalText(binary(ToDouble(left), ToDouble(right)).ToString(CultureInfo.InvariantCulture));
            }

            var (coefficient, exponent) = exact(ToDecimal(left).Number, ToDecimal(right).Number);
            return FromDecimal(coefficient, exponent);
        }

        if (left.Type == BsonType.Double || right.Type == BsonType.Double) return Value.FromDouble(binary(ToDouble(left), ToDouble(right)));

        left.Number.TryToInt64(out var a);
        right.Number.TryToInt64(out var b);
        return FromWhole(whole(a, b), asInt32: left.Type == BsonType.Int32 && right.Type == BsonType.Int32);
    }

    /// <summary>A number as a decimal; a double gives the 15 digits that it holds for sure.</summary>
    public static Value ToDecimal(Value value) => value.Type switch
    {
        BsonType.Decimal128 => value,
        BsonType.Double => FromDecimalText(ToDouble(value).ToString("E14", CultureInfo.InvariantCulture)),
        _ when value.Number.TryToInt64(out var whole) => FromDecimal(whole, 0),
        _ => throw new InvalidOperationException($"{value.Type} is not a number."),
    };
}
