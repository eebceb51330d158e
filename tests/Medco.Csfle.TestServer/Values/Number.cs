using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Medco.Csfle.TestServer.Values;

/// <summary>
/// A BSON number of any of the four types with its exact value, so that an int, a long, a double and a decimal compare by what
/// they are and not by what one of them rounds to. NaN equals itself and sorts below every other number.
/// </summary>
internal readonly struct Number : IComparable<Number>
{
    // NaN < -infinity < finite < +infinity: the order of the kinds is the order of their values.
    private enum Kind
    {
        NaN,
        NegativeInfinity,
        Finite,
        PositiveInfinity,
    }

    private const int DecimalBias = 6176;

    private static readonly BigInteger MaxDecimalCoefficient = BigInteger.Pow(10, 34) - 1;

    private readonly Kind _kind;
    private readonly BigInteger _coefficient;
    private readonly int _binaryExponent;
    private readonly int _decimalExponent;

    private Number(Kind kind, BigInteger coefficient = default, int binaryExponent = 0, int decimalExponent = 0)
    {
        _kind = kind;
        _coefficient = coefficient;
        // Zero has one form, whatever exponent it came with.
        _binaryExponent = coefficient.IsZero ? 0 : binaryExponent;
        _decimalExponent = coefficient.IsZero ? 0 : decimalExponent;
    }

    public bool IsNaN => _kind == Kind.NaN;

    public bool IsFinite => _kind == Kind.Finite;

    public static Number FromInt64(long value) => new(Kind.Finite, value);

    public static Number FromDouble(double value)
    {
        if (double.IsNaN(value)) return new Number(Kind.NaN);
        if (double.IsInfinity(value)) return new Number(value > 0 ? Kind.PositiveInfinity : Kind.NegativeInfinity);

        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & 0xF_FFFF_FFFF_FFFF;
        if (exponent == 0) exponent = 1;
        else mantissa |= 1L << 52;
        return new Number(Kind.Finite, bits < 0 ? -mantissa : mantissa, exponent - 1075);
    }

    /// <summary>Reads IEEE 754-2008 decimal128 in binary integer encoding, little-endian.</summary>
    public static Number FromDecimal128(ReadOnlySpan<byte> bytes)
    {
        var low = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(bytes[sizeof(ulong)..]);
        var negative = high >> 63 != 0;
        var combination = (high >> 58) & 0x1F;
        if (combination == 0x1F) return new Number(Kind.NaN);
        if (combination == 0x1E) return new Number(negative ? Kind.NegativeInfinity : Kind.PositiveInfinity);

        // The second form's coefficient is always beyond 34 digits, and such a number is zero.
        if ((combination >> 3) == 3) return new Number(Kind.Finite);

        var exponent = (int)((high >> 49) & 0x3FFF) - DecimalBias;
        var coefficient = ((BigInteger)(high & 0x1_FFFF_FFFF_FFFF) << 64) | low;
        if (coefficient > MaxDecimalCoefficient) coefficient = 0;
        return new Number(Kind.Finite, negative ? -coefficient : coefficient, 0, exponent);
    }

    public int CompareTo(Number other)
    {
        if (_kind != other._kind) return _kind.CompareTo(other._kind);
        if (_kind != Kind.Finite) return 0;
        if (_coefficient.Sign != other._coefficient.Sign) return _coefficient.Sign.CompareTo(other._coefficient.Sign);

        // Both become whole numbers by the same positive factor.
        var binary = Math.Min(_binaryExponent, other._binaryExponent);
        var @decimal = Math.Min(_decimalExponent, other._decimalExponent);
        return Scale(binary, @decimal).CompareTo(other.Scale(binary, @decimal));
    }

    /// <summary>The value where it is whole and fits; false otherwise.</summary>
    public bool TryToInt64(out long value)
    {
        value = 0;
        return _kind == Kind.Finite && FitsNear(out var truncated, out var whole) && whole && Narrow(truncated, out value);
    }

    /// <summary>The value without its fraction where that fits; false otherwise.</summary>
    public bool TryTruncateToInt64(out long value)
    {
        value = 0;
        return _kind == Kind.Finite && FitsNear(out var truncated, out _) && Narrow(truncated, out value);
    }

    /// <summary>Whether this is a whole multiple of <paramref name="divisor"/>, exactly.</summary>
    public bool IsMultipleOf(Number divisor)
    {
        if (_kind != Kind.Finite || divisor._kind != Kind.Finite || divisor._coefficient.IsZero) return false;
        var binary = Math.Min(_binaryExponent, divisor._binaryExponent);
        var @decimal = Math.Min(_decimalExponent, divisor._decimalExponent);
        return (Scale(binary, @decimal) % divisor.Scale(binary, @decimal)).IsZero;
    }

    /// <summary>The sum of two finite decimals or whole numbers as a coefficient and a power of ten.</summary>
    public static (BigInteger Coefficient, int Exponent) Add(Number left, Number right)
    {
        var exponent = Math.Min(left._decimalExponent, right._decimalExponent);
        return (left.Scale(0, exponent) + right.Scale(0, exponent), exponent);
    }

    /// <summary>The product of two finite decimals or whole numbers as a coefficient and a power of ten.</summary>
    public static (BigInteger Coefficient, int Exponent) Multiply(Number left, Number right)
        => (left._coefficient * right._coefficient, left._decimalExponent + right._decimalExponent);

    /// <summary>The number as the shell shows it, good enough for a message.</summary>
    public override string ToString() => _kind switch
    {
        Kind.NaN => "NaN",
        Kind.NegativeInfinity => "-Infinity",
        Kind.PositiveInfinity => "Infinity",
        _ when TryToInt64(out var whole) => whole.ToString(CultureInfo.InvariantCulture),
        _ when _binaryExponent != 0 => Math.ScaleB((double)_coefficient, _binaryExponent).ToString("R", CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture, $"{_coefficient}E{_decimalExponent}"),
    };

    private BigInteger Scale(int binaryExponent, int decimalExponent)
        => (_coefficient << (_binaryExponent - binaryExponent)) * BigInteger.Pow(10, _decimalExponent - decimalExponent);

    // Numbers far beyond 64 bits are told apart by their exponent alone, before they are written out.
    private bool FitsNear(out BigInteger truncated, out bool whole)
    {
        truncated = 0;
        whole = false;
        if (_binaryExponent > 64 || _decimalExponent > 20) return false;
        var numerator = Scale(Math.Min(_binaryExponent, 0), Math.Min(_decimalExponent, 0));
        var denominator = (BigInteger.One << -Math.Min(_binaryExponent, 0)) * BigInteger.Pow(10, -Math.Min(_decimalExponent, 0));
        truncated = BigInteger.DivRem(numerator, denominator, out var remainder);
        whole = remainder.IsZero;
        return true;
    }

    private static bool Narrow(BigInteger number, out long value)
    {
        var fits = number >= long.MinValue && number <= long.MaxValue;
        value = fits ? (long)number : 0;
        return fits;
    }
}
