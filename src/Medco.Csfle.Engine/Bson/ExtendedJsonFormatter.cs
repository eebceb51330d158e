using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Medco.Csfle.Engine.Bson;

/// <summary>
/// Writes a validated BSON document as Extended JSON. Written by hand, so that the text is the same under every version of
/// the runtime and escapes only what JSON wants escaped.
/// </summary>
internal sealed class ExtendedJsonFormatter
{
    private readonly ArrayBufferWriter<byte> _text = new(256);
    private readonly bool _canonical;
    private readonly bool _indented;

    private ExtendedJsonFormatter(ExtendedJsonMode mode, bool indented)
    {
        _canonical = mode == ExtendedJsonMode.Canonical;
        _indented = indented;
    }

    /// <summary>The text of a document that <see cref="BsonValidator"/> has accepted.</summary>
    public static string Format(ReadOnlySpan<byte> document, ExtendedJsonMode mode, bool indented)
    {
        var formatter = new ExtendedJsonFormatter(mode, indented);
        formatter.Document(new BsonReader(document), isArray: false, level: 0);
        return Encoding.UTF8.GetString(formatter._text.WrittenSpan);
    }

    private void Document(BsonReader reader, bool isArray, int level)
    {
        Raw(isArray ? "["u8 : "{"u8);
        var first = true;
        while (reader.Read())
        {
            if (!first) Raw(","u8);
            first = false;
            NewLine(level + 1);
            if (!isArray)
            {
                Text(reader.Name);
                Raw(_indented ? ": "u8 : ":"u8);
            }

            Value(reader, level + 1);
        }

        if (!first) NewLine(level);
        Raw(isArray ? "]"u8 : "}"u8);
    }

    private void Value(in BsonReader reader, int level)
    {
        switch (reader.Type)
        {
            case BsonType.Double:
                Double(reader.GetDouble());
                break;
            case BsonType.String:
                Text(reader.GetUtf8());
                break;
            case BsonType.Document or BsonType.Array:
                Document(reader.ReadDocument(), reader.Type == BsonType.Array, level);
                break;
            case BsonType.Binary:
                Binary(reader.GetBinary(out var subtype), subtype);
                break;
            case BsonType.Undefined:
                Raw("{\"$undefined\":true}"u8);
                break;
            case BsonType.ObjectId:
                ObjectId(reader.Value);
                break;
            case BsonType.Boolean:
                Raw(reader.GetBoolean() ? "true"u8 : "false"u8);
                break;
            case BsonType.DateTime:
                Date(reader.GetInt64());
                break;
            case BsonType.Null:
                Raw("null"u8);
                break;
            case BsonType.RegularExpression:
                var pattern = reader.GetRegularExpression(out var options);
                Raw("{\"$regularExpression\":{\"pattern\":"u8);
                Text(pattern);
                Raw(",\"options\":"u8);
                Text(RegularExpressionOptions.Sort(options));
                Raw("}}"u8);
                break;
            case BsonType.DbPointer:
                var ns = reader.GetDbPointer(out var objectId);
                Raw("{\"$dbPointer\":{\"$ref\":"u8);
                Text(ns);
                Raw(",\"$id\":"u8);
                ObjectId(objectId);
                Raw("}}"u8);
                break;
            case BsonType.JavaScript:
                Raw("{\"$code\":"u8);
                Text(reader.GetUtf8());
                Raw("}"u8);
                break;
            case BsonType.Symbol:
                Raw("{\"$symbol\":"u8);
                Text(reader.GetUtf8());
                Raw("}"u8);
                break;
            case BsonType.JavaScriptWithScope:
                Raw("{\"$code\":"u8);
                Text(reader.GetScopedCode());
                Raw(",\"$scope\":"u8);
                Document(reader.ReadDocument(), isArray: false, level);
                Raw("}"u8);
                break;
            case BsonType.Int32:
                Integer(reader.GetInt32(), "{\"$numberInt\":\""u8);
                break;
            case BsonType.Timestamp:
                var timestamp = unchecked((ulong)reader.GetInt64());
                Raw("{\"$timestamp\":{\"t\":"u8);
                Ascii((timestamp >> 32).ToString(CultureInfo.InvariantCulture));
                Raw(",\"i\":"u8);
                Ascii((timestamp & uint.MaxValue).ToString(CultureInfo.InvariantCulture));
                Raw("}}"u8);
                break;
            case BsonType.Int64:
                Integer(reader.GetInt64(), "{\"$numberLong\":\""u8);
                break;
            case BsonType.Decimal128:
                Raw("{\"$numberDecimal\":\""u8);
                Ascii(Decimal128Text.Format(reader.Value));
                Raw("\"}"u8);
                break;
            case BsonType.MinKey:
                Raw("{\"$minKey\":1}"u8);
                break;
            case BsonType.MaxKey:
                Raw("{\"$maxKey\":1}"u8);
                break;
        }
    }

    private void Integer(long value, ReadOnlySpan<byte> wrapper)
    {
        if (_canonical) Raw(wrapper);
        Ascii(value.ToString(CultureInfo.InvariantCulture));
        if (_canonical) Raw("\"}"u8);
    }

    private void Double(double value)
    {
        // The shortest text that reads back as the same double. It must not look like an integer, which would read back as one.
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        if (double.IsFinite(value) && text.AsSpan().IndexOfAny('.', 'E') < 0) text += ".0";

        var wrapped = _canonical || !double.IsFinite(value);
        if (wrapped) Raw("{\"$numberDouble\":\""u8);
        Ascii(text);
        if (wrapped) Raw("\"}"u8);
    }

    private void Date(long milliseconds)
    {
        Raw("{\"$date\":"u8);
        if (!_canonical && ExtendedJsonDate.Format(milliseconds) is { } text)
        {
            Raw("\""u8);
            Ascii(text);
            Raw("\""u8);
        }
        else
        {
            Raw("{\"$numberLong\":\""u8);
            Ascii(milliseconds.ToString(CultureInfo.InvariantCulture));
            Raw("\"}"u8);
        }

        Raw("}"u8);
    }

    private void Binary(ReadOnlySpan<byte> bytes, byte subtype)
    {
        // The old subtype's second length is no part of the data and is put back on the way to BSON.
        if (subtype == BinarySubtype.OldBinary) bytes = bytes[sizeof(int)..];

        Raw("{\"$binary\":{\"base64\":\""u8);
        var span = _text.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length) + 1);
        Base64.EncodeToUtf8(bytes, span, out _, out var written);
        _text.Advance(written);
        Raw("\",\"subType\":\""u8);
        Hex(new ReadOnlySpan<byte>(in subtype));
        Raw("\"}}"u8);
    }

    private void ObjectId(ReadOnlySpan<byte> bytes)
    {
        Raw("{\"$oid\":\""u8);
        Hex(bytes);
        Raw("\"}"u8);
    }

    private void Text(ReadOnlySpan<byte> utf8)
    {
        Raw("\""u8);
        while (true)
        {
            var plain = utf8.IndexOfAny(Escaped);
            if (plain < 0) break;
            Raw(utf8[..plain]);
            Escape(utf8[plain]);
            utf8 = utf8[(plain + 1)..];
        }

        Raw(utf8);
        Raw("\""u8);
    }

    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
    [
        .. Enumerable.Range(0, ' ').Select(control => (byte)control), (byte)'"', (byte)'\\',
    ]);

    private void Escape(byte c)
    {
        switch (c)
        {
            case (byte)'"':
                Raw("\\\""u8);
                break;
            case (byte)'\\':
                Raw("\\\\"u8);
                break;
            case (byte)'\b':
                Raw("\\b"u8);
                break;
            case (byte)'\t':
                Raw("\\t"u8);
                break;
            case (byte)'\n':
                Raw("\\n"u8);
                break;
            case (byte)'\f':
                Raw("\\f"u8);
                break;
            case (byte)'\r':
                Raw("\\r"u8);
                break;
            default:
                Raw("\\u00"u8);
                Hex(new ReadOnlySpan<byte>(in c));
                break;
        }
    }

    private void Hex(ReadOnlySpan<byte> bytes)
    {
        var digits = "0123456789abcdef"u8;
        var span = _text.GetSpan(2 * bytes.Length);
        for (var i = 0; i < bytes.Length; i++)
        {
            span[2 * i] = digits[bytes[i] >> 4];
            span[2 * i + 1] = digits[bytes[i] & 0xF];
        }

        _text.Advance(2 * bytes.Length);
    }

    private void NewLine(int level)
    {
        if (!_indented) return;
        Raw("\n"u8);
        for (var i = 0; i < level; i++) Raw("  "u8);
    }

    private void Ascii(string text) => Encoding.ASCII.GetBytes(text, _text);

    private void Raw(ReadOnlySpan<byte> utf8) => _text.Write(utf8);
}
