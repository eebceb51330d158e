using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Medco.Csfle.Engine.Bson;

/// <summary>
/// Decimal128 between its 16 bytes and its text, exactly, after the <c>bson-decimal128</c> specification of the MongoDB
/// drivers. Text that no decimal128 represents exactly is refused, not rounded.
/// </summary>
/// <remarks>
/// IEEE 754-2008 decimal128 with a binary coefficient, as a little-endian 128-bit number, from the highest bit:
/// <c>{ sign 1 | biased exponent 14 | coefficient 113 }</c>. Where the two bits after the sign are both set, it is
/// <c>{ sign 1 | 11110 }</c> infinity, <c>{ sign 1 | 11111 }</c> NaN, or a coefficient beyond 34 digits, which counts as 0 and
/// has its exponent two bits lower.
/// </remarks>
internal static class Decimal128Text
{
    /// <summary>Bytes of a decimal128.</summary>
    public const int Size = 16;

    private const int MaxDigits = 34;
    private const int ExponentBias = 6176;
    private const int MinExponent = -ExponentBias;
    private const int MaxExponent = 6111;

    // Far beyond any exponent that could matter, and far from overflowing when the number of digits is added.
    private const long ExponentCap = 1_000_000_000_000;

    private const ulong SignBit = 1UL << 63;
    private const ulong InfinityBits = 0x7800_0000_0000_0000;
    private const ulong NanBits = 0x7C00_0000_0000_0000;
    private const int ExponentMask = 0x3FFF;
    private const ulong CoefficientHighMask = (1UL << 49) - 1;

    private static readonly UInt128 CoefficientLimit = UInt128.Parse("1" + new string('0', MaxDigits), CultureInfo.InvariantCulture);

    /// <summary>Parses ASCII text such as <c>-1.20E+3</c>, <c>Infinity</c> or <c>NaN</c>.</summary>
    /// <param name="text">The text, without white space. <c>inf</c>, <c>infinity</c> and <c>nan</c> may have any case.</param>
    /// <param name="destination">The 16 bytes to fill.</param>
    /// <param name="problem">What is wrong with the text, without the text, when false is returned.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, Span<byte> destination, [NotNullWhen(false)] out string? problem)
    {
        problem = null;
        var negative = text.Length > 0 && text[0] == '-';
        var rest = text.Length > 0 && text[0] is (byte)'-' or (byte)'+' ? text[1..] : text;
        if (Ascii.EqualsIgnoreCase(rest, "inf"u8) || Ascii.EqualsIgnoreCase(rest, "infinity"u8))
        {
            Pack(destination, negative, InfinityBits, 0);
            return true;
        }

        if (Ascii.EqualsIgnoreCase(rest, "nan"u8))
        {
            Pack(destination, negative, NanBits, 0);
            return true;
        }

        if (!TryScan(rest, out var coefficient, out var exponent, out var inexact))
        {
            problem = "a decimal has a sign, digits with at most one point, and an exponent, or is Infinity or NaN";
            return false;
        }

        if (inexact)
        {
            problem = $"a decimal with more than {MaxDigits} significant digits";
            return false;
        }

        problem = Fit(ref coefficient, ref exponent);
        if (problem is not null) return false;
        Pack(destination, negative, (ulong)(exponent + ExponentBias) << 49 | (ulong)(coefficient >> 64), (ulong)(coefficient & ulong.MaxValue));
        return true;
    }

    /// <summary>The canonical text of a decimal128.</summary>
    /// <param name="value">Its 16 bytes; every combination of them means something.</param>
    public static string Format(ReadOnlySpan<byte> value)
    {
        var low = BinaryPrimitives.ReadUInt64LittleEndian(value);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(value[sizeof(ulong)..]);
        var sign = (high & SignBit) != 0 ? "-" : "";
        if ((high & NanBits) == NanBits) return "NaN";
        if ((high & InfinityBits) == InfinityBits) return sign + "Infinity";

        const ulong longCoefficient = 0x6000_0000_0000_0000;
        var beyond = (high & longCoefficient) == longCoefficient;
        var exponent = (int)(high >> (beyond ? 47 : 49) & ExponentMask) - ExponentBias;
        var coefficient = beyond ? UInt128.Zero : new UInt128(high & CoefficientHighMask, low);
        if (coefficient >= CoefficientLimit) coefficient = UInt128.Zero;
        return sign + Format(coefficient.ToString(CultureInfo.InvariantCulture), exponent);
    }

    private static string Format(string digits, int exponent)
    {
        var adjusted = exponent + digits.Length - 1;
        if (exponent > 0 || adjusted < -6)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}E{(adjusted >= 0 ? "+" : "")}{adjusted}");
        }

        if (exponent == 0) return digits;
        var point = digits.Length + exponent;
        return point > 0 ? $"{digits[..point]}.{digits[point..]}" : $"0.{new string('0', -point)}{digits}";
    }

    /// <summary>
    /// Reads digits, point and exponent. Digits beyond the 34th significant one are dropped into the exponent; they are
    /// <paramref name="inexact"/> unless all of them are zero.
    /// </summary>
    private static bool TryScan(ReadOnlySpan<byte> text, out UInt128 coefficient, out long exponent, out bool inexact)
    {
        coefficient = 0;
        exponent = 0;
        inexact = false;
        var significant = 0;
        var anyDigit = false;
        var pointSeen = false;
        var position = 0;
        for (; position < text.Length; position++)
        {
            var c = text[position];
            if (c == '.' && !pointSeen)
            {
                pointSeen = true;
                continue;
            }

            if (!char.IsAsciiDigit((char)c)) break;
            anyDigit = true;
            if (pointSeen) exponent--;
            if (significant == MaxDigits)
            {
                inexact |= c != '0';
                exponent++;
                continue;
            }

            coefficient = coefficient * 10 + (uint)(c - '0');
            if (coefficient != 0) significant++;
        }

        if (!anyDigit) return false;
        if (position == text.Length) return true;
        if (text[position] is not ((byte)'e' or (byte)'E') || !TryScanExponent(text[(position + 1)..], out var written)) return false;
        exponent += written;
        return true;
    }

    private static bool TryScanExponent(ReadOnlySpan<byte> text, out long exponent)
    {
        exponent = 0;
        if (text.IsEmpty) return false;
        var negative = text[0] == '-';
        var digits = text[0] is (byte)'-' or (byte)'+' ? text[1..] : text;
        if (digits.IsEmpty) return false;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit((char)c)) return false;
            exponent = Math.Min(exponent * 10 + (c - '0'), ExponentCap);
        }

        if (negative) exponent = -exponent;
        return true;
    }

    /// <summary>Brings the exponent into its range, by moving zeros between it and the coefficient, never another digit.</summary>
    /// <returns>What is wrong, or null.</returns>
    private static string? Fit(ref UInt128 coefficient, ref long exponent)
    {
        if (coefficient == 0)
        {
            exponent = Math.Clamp(exponent, MinExponent, MaxExponent);
            return null;
        }

        while (exponent > MaxExponent)
        {
            coefficient *= 10;
            exponent--;
            if (coefficient >= CoefficientLimit) return "a decimal beyond the largest there is";
        }

        while (exponent < MinExponent)
        {
            var (quotient, remainder) = UInt128.DivRem(coefficient, 10);
            if (remainder != 0) return "a decimal with digits below the smallest there is";
            coefficient = quotient;
            exponent++;
        }

        return null;
    }

    private static void Pack(Span<byte> destination, bool negative, ulong high, ulong low)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, low);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[sizeof(ulong)..], negative ? high | SignBit : high);
    }
}
