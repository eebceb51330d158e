using System.Buffers;
using System.Text;

namespace Medco.Csfle.Engine.Bson;

/// <summary>UTF-8 that is refused rather than repaired: a replacement character in stored data cannot be told from a real one.</summary>
internal static class Utf8Text
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The UTF-8 of a string.</summary>
    /// <exception cref="ArgumentException">A surrogate stands alone.</exception>
    public static byte[] GetBytes(string text) => Strict.GetBytes(text);

    /// <summary>Whether a string has a UTF-8 form: no surrogate stands alone.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out _, out var consumed) != OperationStatus.Done) return false;
            text = text[consumed..];
        }

        return true;
    }

    /// <summary>Offset of the first byte that is no part of a well-formed sequence; the length where all are.</summary>
    public static int IndexOfInvalid(ReadOnlySpan<byte> utf8)
    {
        var position = 0;
        while (Rune.DecodeFromUtf8(utf8[position..], out _, out var consumed) == OperationStatus.Done) position += consumed;
        return position;
    }
}
