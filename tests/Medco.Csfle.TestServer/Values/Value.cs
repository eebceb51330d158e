using System.Buffers.Binary;
using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Values;

/// <summary>One immutable BSON value of any type, kept as the bytes it came as.</summary>
internal sealed class Value
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private Document? _document;

    /// <summary>A value given as valid bytes of its type.</summary>
    public Value(BsonType type, ReadOnlyMemory<byte> bytes)
    {
        Type = type;
        _bytes = bytes;
    }

    /// <summary>A document.</summary>
    public Value(Document document)
    {
        Type = BsonType.Document;
        _document = document;
    }

    private Value(BsonType type, Document document)
    {
        Type = type;
        _document = document;
    }

    public static Value Null { get; } = new(BsonType.Null, ReadOnlyMemory<byte>.Empty);

    /// <summary>What sorts in place of an empty array: below null.</summary>
    public static Value Undefined { get; } = new(BsonType.Undefined, ReadOnlyMemory<byte>.Empty);

    public BsonType Type { get; }

    /// <summary>The raw bytes of the value, without type and name.</summary>
    public ReadOnlyMemory<byte> Bytes => _document is null ? _bytes : _document.Bytes;

    public bool IsNumber => Type is BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128;

    public bool IsText => Type is BsonType.String or BsonType.Symbol;

    public bool IsDocument => Type == BsonType.Document;

    public bool IsArray => Type == BsonType.Array;

    /// <summary>The document, array or scope of JavaScript.</summary>
    public Document Document => _document ??= Document.ParseValidated(
        Type == BsonType.JavaScriptWithScope ? Bytes[(2 * sizeof(int) + ReadLength(sizeof(int)))..] : _bytes);

    /// <summary>The number.</summary>
    public Number Number => Type switch
    {
        BsonType.Int32 => Number.FromInt64(BinaryPrimitives.ReadInt32LittleEndian(_bytes.Span)),
        BsonType.Int64 => Number.FromInt64(BinaryPrimitives.ReadInt64LittleEndian(_bytes.Span)),
        BsonType.Double => Number.FromDouble(BinaryPrimitives.ReadDoubleLittleEndian(_bytes.Span)),
        BsonType.Decimal128 => Number.FromDecimal128(_bytes.Span),
        _ => throw new InvalidOperationException($"{Type} is not a number."),
    };

    /// <summary>What MongoDB takes for true: everything but false, zero, null and undefined.</summary>
    public bool IsTrue => Type switch
    {
        BsonType.Boolean => Boolean,
        BsonType.Null or BsonType.Undefined => false,
        _ when IsNumber => Number.CompareTo(Number.FromInt64(0)) != 0,
        _ => true,
    };

    /// <summary>The boolean.</summary>
    public bool Boolean => _bytes.Span[0] != 0;

    /// <summary>The 64 bits of a date or a timestamp.</summary>
    public long Int64 => BinaryPrimitives.ReadInt64LittleEndian(_bytes.Span);

    /// <summary>The UTF-8 of a string, symbol or JavaScript.</summary>
    public ReadOnlySpan<byte> Utf8 => _bytes.Span[sizeof(int)..^1];

    /// <summary>The text of a string, symbol or JavaScript.</summary>
    public string Text => Encoding.UTF8.GetString(Utf8);

    /// <summary>The code of JavaScript with scope, UTF-8.</summary>
    public ReadOnlySpan<byte> ScopedCode => _bytes.Span.Slice(2 * sizeof(int), ReadLength(sizeof(int)) - 1);

    /// <summary>The subtype of binary data.</summary>
    public byte BinarySubtype => _bytes.Span[sizeof(int)];

    /// <summary>The bytes of binary data.</summary>
    public ReadOnlySpan<byte> Binary => _bytes.Span[(sizeof(int) + 1)..];

    /// <summary>The parts of a regular expression.</summary>
    public (string Pattern, string Options) RegularExpression
    {
        get
        {
            var split = _bytes.Span.IndexOf((byte)0);
            return (Encoding.UTF8.GetString(_bytes.Span[..split]), Encoding.UTF8.GetString(_bytes.Span[(split + 1)..^1]));
        }
    }

    public static Value FromInt32(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return new Value(BsonType.Int32, bytes);
    }

    public static Value FromInt64(long value) => From64(BsonType.Int64, value);

    public static Value FromDouble(double value) => From64(BsonType.Double, BitConverter.DoubleToInt64Bits(value));

    /// <summary>A date as milliseconds since the Unix epoch.</summary>
    public static Value FromDate(long milliseconds) => From64(BsonType.DateTime, milliseconds);

    /// <summary>A timestamp: seconds since the Unix epoch in the upper half, an increment in the lower.</summary>
    public static Value FromTimestamp(ulong value) => From64(BsonType.Timestamp, unchecked((long)value));

    public static Value FromText(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var bytes = new byte[sizeof(int) + utf8.Length + 1];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, utf8.Length + 1);
        utf8.CopyTo(bytes, sizeof(int));
        return new Value(BsonType.String, bytes);
    }

    public static Value FromBoolean(bool value) => new(BsonType.Boolean, new[] { value ? (byte)1 : (byte)0 });

    public static Value FromUuid(Guid uuid)
    {
        var bytes = new byte[sizeof(int) + 1 + 16];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, 16);
        bytes[sizeof(int)] = Medco.Csfle.Engine.Bson.BinarySubtype.Uuid;
        uuid.TryWriteBytes(bytes.AsSpan(sizeof(int) + 1), bigEndian: true, out _);
        return new Value(BsonType.Binary, bytes);
    }

    /// <summary>An array of these values.</summary>
    public static Value FromArray(IEnumerable<Value> values)
        => new(BsonType.Array, new Document(values.Select((value, index) =>
            new Element(index.ToString(System.Globalization.CultureInfo.InvariantCulture), value))));

    /// <summary>The values of an array in order.</summary>
    public IEnumerable<Value> Items => Document.Elements.Select(element => element.Value);

    private static Value From64(BsonType type, long bits)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bits);
        return new Value(type, bytes);
    }

    private int ReadLength(int offset) => BinaryPrimitives.ReadInt32LittleEndian(_bytes.Span[offset..]);
}
