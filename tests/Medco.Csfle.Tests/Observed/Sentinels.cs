using System.Text;

namespace Medco.Csfle.Tests.Observed;

/// <summary>Values that occur nowhere but where a test puts them, and all the ways in which they may be spelt in a text.</summary>
internal static class Sentinels
{
    public const string Text = "SENTINEL-Zq7-text";
    public const string OtherText = "SENTINEL-Xk4-other";
    public const int Number = 1738264519;
    public const long LongNumber = 7382645190273648291;

    public static readonly byte[] Bytes = [0xD7, 0x1E, 0xA9, 0x53, 0xC4, 0x8B, 0x26, 0xF1, 0x9D, 0x60, 0xBE, 0x37, 0xE2, 0x15, 0x7A, 0xCC];
    public static readonly byte[] DataKey = [.. Enumerable.Range(0, 96).Select(index => (byte)((index * 37 + 11) % 256))];
    public static readonly byte[] MasterKey = [.. Enumerable.Range(0, 96).Select(index => (byte)((index * 53 + 101) % 256))];

    /// <summary>The sentinels that a text holds.</summary>
    public static IEnumerable<string> In(string text) => Spellings().Where(spelling => text.Contains(spelling, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Spellings()
    {
        foreach (var text in new[] { Text, OtherText })
        {
            yield return text;
            yield return text[9..];
            yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(text))[..16];
            yield return Convert.ToHexString(Encoding.UTF8.GetBytes(text));
        }

        foreach (var number in new[] { Number, LongNumber })
        {
            yield return $"{number}";
            yield return $"{number:X}";
        }

        yield return $"{new Guid(Bytes)}";
        yield return $"{new Guid(Bytes, bigEndian: true)}";
        foreach (var bytes in new[] { Bytes, DataKey[..16], DataKey[32..48], DataKey[64..80], MasterKey[..16], MasterKey[32..48], MasterKey[64..80] })
        {
            yield return Convert.ToHexString(bytes);
            yield return BitConverter.ToString(bytes);
            yield return string.Join(", ", bytes.Take(8));

            // Base64 of a longer text holds one of three, without what depends on the neighbours.
            for (var shift = 0; shift < 3; shift++) yield return Convert.ToBase64String(bytes.AsSpan(shift, 12));
        }
    }
}
