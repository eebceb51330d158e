using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Medco.Csfle.Engine.Bson;

/// <summary>
/// Translates between BSON and MongoDB Extended JSON v2 (the <c>extended-json</c> specification of the MongoDB drivers).
/// </summary>
/// <remarks>
/// <para>
/// The deprecated types (undefined, symbol, DBPointer) are kept as they are. Element order and duplicate names are kept too.
/// What Extended JSON cannot carry is lost on the way to text: the payload of a NaN, the names of array elements other than
/// <c>"0"</c>, <c>"1"</c>, …, and the difference between a document such as <c>{"$oid": "…"}</c> and the type it spells.
/// </para>
/// <para>
/// Of the older, legacy Extended JSON only <c>{"$binary": "…", "$type": "…"}</c> is read. <c>$regex</c>, with or without
/// <c>$options</c>, is always the query operator.
/// </para>
/// </remarks>
public static class ExtendedJson
{
    // Each takes at most three bytes of UTF-8, and an array of bytes ends where int does.
    private const int MaxChars = int.MaxValue / 3;

    /// <summary>Parses one JSON object in canonical or relaxed Extended JSON into a BSON document.</summary>
    /// <param name="json">
    /// The text. Integers without a wrapper become 32-bit integers where they fit, else 64-bit ones where they fit; all other
    /// numbers become doubles.
    /// </param>
    /// <returns>The bytes of the document.</returns>
    /// <exception cref="ExtendedJsonFormatException">The text is not JSON, or breaks a rule of Extended JSON; the position counts bytes of its UTF-8 form.</exception>
    /// <exception cref="BsonFormatException">The document would be longer than any that MongoDB takes.</exception>
    public static byte[] ToBson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > MaxChars) throw new ExtendedJsonFormatException($"more than {MaxChars} characters", MaxChars);
        var utf8 = new byte[Encoding.UTF8.GetByteCount(json)];
        var status = Utf8.FromUtf16(json, utf8, out _, out var written, replaceInvalidSequences: false);
        return status == OperationStatus.Done
            ? ExtendedJsonParser.Parse(utf8.AsSpan(0, written))
            : throw new ExtendedJsonFormatException("a surrogate stands alone", written);
    }

    /// <inheritdoc cref="ToBson(string)"/>
    /// <param name="utf8Json">The text in UTF-8, without a byte order mark.</param>
    public static byte[] ToBson(ReadOnlySpan<byte> utf8Json)
    {
        if (!Utf8.IsValid(utf8Json)) throw new ExtendedJsonFormatException("the text is not UTF-8", Utf8Text.IndexOfInvalid(utf8Json));
        return ExtendedJsonParser.Parse(utf8Json);
    }

    /// <summary>Writes a BSON document as Extended JSON.</summary>
    /// <param name="document">The bytes of exactly one document.</param>
    /// <param name="mode">Relaxed, or canonical.</param>
    /// <param name="indented">Each element on a line of its own, indented by two spaces a level; type wrappers stay on one line.</param>
    /// <exception cref="BsonFormatException">The bytes are not one BSON document.</exception>
    public static string ToJson(ReadOnlySpan<byte> document, ExtendedJsonMode mode = ExtendedJsonMode.Relaxed, bool indented = false)
    {
        BsonValidator.Validate(document);
        return ExtendedJsonFormatter.Format(document, mode, indented);
    }
}
