using System.Globalization;

namespace Medco.Csfle.Engine.Bson;

/// <summary>The relaxed text of a BSON date: RFC 3339 with at most milliseconds, such as <c>2012-12-24T12:15:30.501Z</c>.</summary>
internal static class ExtendedJsonDate
{
    // 9999-12-31T23:59:59.999Z
    private const long LastMilliseconds = 253_402_300_799_999;

    /// <summary>The text of a date of the years 1970 to 9999; null for any other, which relaxed Extended JSON writes as a number.</summary>
    /// <param name="milliseconds">Milliseconds since the Unix epoch, UTC.</param>
    public static string? Format(long milliseconds)
    {
        if (milliseconds is < 0 or > LastMilliseconds) return null;
        var format = milliseconds % 1000 == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>Parses <c>yyyy-MM-ddTHH:mm:ss[.f[f[f]]](Z|±HH:mm)</c>; years from 0001.</summary>
    /// <param name="text">ASCII.</param>
    /// <param name="milliseconds">Milliseconds since the Unix epoch, UTC.</param>
    /// <returns>False for anything else, more precise times included: cutting digits off would change the value.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out long milliseconds)
    {
        const int secondsEnd = 19;
        milliseconds = 0;
        if (text.Length <= secondsEnd
            || !TryDigits(text[..4], out var year) || text[4] != '-'
            || !TryDigits(text[5..7], out var month) || text[7] != '-'
            || !TryDigits(text[8..10], out var day) || text[10] is not ((byte)'T' or (byte)'t')
            || !TryDigits(text[11..13], out var hour) || text[13] != ':'
            || !TryDigits(text[14..16], out var minute) || text[16] != ':'
            || !TryDigits(text[17..secondsEnd], out var second)
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)
            || hour > 23 || minute > 59 || second > 59)
        {
            return false;
        }

        var rest = text[secondsEnd..];
        if (!TryFraction(ref rest, out var fraction) || !TryOffset(rest, out var offsetMinutes)) return false;
        var local = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc);
        milliseconds = (local - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMillisecond + fraction - offsetMinutes * 60_000L;
        return true;
    }

    private static bool TryFraction(ref ReadOnlySpan<byte> text, out int milliseconds)
    {
        milliseconds = 0;
        if (text[0] != '.') return true;
        var length = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (length is < 1 or > 3 || !TryDigits(text.Slice(1, length), out milliseconds)) return false;
        for (var i = length; i < 3; i++) milliseconds *= 10;
        text = text[(1 + length)..];
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length == 1) return text[0] is (byte)'Z' or (byte)'z';
        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':'
            || !TryDigits(text[1..3], out var hour) || !TryDigits(text[4..], out var minute) || hour > 23 || minute > 59)
        {
            return false;
        }

        minutes = (hour * 60 + minute) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit((char)c)) return false;
            value = value * 10 + (c - '0');
        }

        return true;
    }
}
