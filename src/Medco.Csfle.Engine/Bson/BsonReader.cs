using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Medco.Csfle.Engine.Bson;

/// <summary>
/// Walks the elements of one BSON document in place. Every length is checked against its document before it is used, so that
/// no input makes it read outside or go back; nothing is copied and nothing is allocated.
/// </summary>
/// <remarks>
/// Document: <c>{ length int32 | element* | 0x00 }</c>; element: <c>{ type byte | name UTF-8 0x00 | value }</c>; integers
/// little-endian. Offsets count from the start of the outermost buffer, nested readers included, so that an offset in an
/// error, or in an edit, means one thing. UTF-8 is not checked here but in <see cref="BsonValidator"/>: a walk that only
/// copies need not pay for it.
/// </remarks>
internal ref struct BsonReader
{
    private readonly ReadOnlySpan<byte> _buffer;
    private readonly int _terminator;
    private int _next;

    /// <summary>Reads a buffer that holds exactly one document.</summary>
    /// <exception cref="BsonFormatException">The buffer is shorter or longer than the document says, or beyond <see cref="BsonLimits"/>.</exception>
    public BsonReader(ReadOnlySpan<byte> document)
        : this(document, 0, 0)
    {
        if (End != document.Length)
        {
            throw new BsonFormatException($"the document ends here, but {document.Length - End} more bytes follow", End);
        }
    }

    /// <summary>Reads the document that starts at <paramref name="offset"/> of a longer buffer.</summary>
    /// <exception cref="BsonFormatException">No document of a possible length starts there.</exception>
    public BsonReader(ReadOnlySpan<byte> buffer, int offset, int depth)
    {
        if (depth > BsonLimits.MaxDepth)
        {
            throw new BsonFormatException($"more than {BsonLimits.MaxDepth} levels of nesting", offset, CsfleErrorCode.BsonLimit);
        }

        _buffer = buffer;
        Start = offset;
        Depth = depth;
        var length = DocumentLength(buffer, offset, buffer.Length);
        _terminator = offset + length - 1;
        _next = offset + sizeof(int);
    }

    /// <summary>Offset of the document's length.</summary>
    public readonly int Start { get; }

    /// <summary>Offset behind the document's terminator.</summary>
    public readonly int End => _terminator + 1;

    /// <summary>Levels of nesting above this document; 0 for the outermost.</summary>
    public readonly int Depth { get; }

    /// <summary>Type of the current element.</summary>
    public BsonType Type { get; private set; }

    /// <summary>Offset of the current element's type byte.</summary>
    public int ElementStart { get; private set; }

    /// <summary>Offset of the first byte of the current element's value.</summary>
    public int ValueStart { get; private set; }

    /// <summary>Offset behind the current element's value, which is where the next element starts.</summary>
    public readonly int ValueEnd => _next;

    /// <summary>The current element's name in UTF-8, without its terminator.</summary>
    public readonly ReadOnlySpan<byte> Name => _buffer[(ElementStart + 1)..(ValueStart - 1)];

    /// <summary>The raw bytes of the current element's value: no type, no name.</summary>
    public readonly ReadOnlySpan<byte> Value => _buffer[ValueStart.._next];

    /// <summary>The current element's name as a string; bytes that are not UTF-8 become U+FFFD.</summary>
    public readonly string GetName() => Encoding.UTF8.GetString(Name);

    /// <summary>Moves to the next element.</summary>
    /// <returns>False at the end of the document.</returns>
    /// <exception cref="BsonFormatException">The element does not fit; the reader stays where it was.</exception>
    public bool Read()
    {
        var start = _next;
        if (start == _terminator) return false;

        var type = (BsonType)_buffer[start];
        var nameLength = _buffer[(start + 1).._terminator].IndexOf((byte)0);
        if (nameLength < 0)
        {
            throw new BsonFormatException("an element's name has no terminator", start + 1);
        }

        var valueStart = start + 1 + nameLength + 1;
        var valueLength = ValueLength(_buffer, valueStart, _terminator, type, start);

        ElementStart = start;
        ValueStart = valueStart;
        Type = type;
        _next = valueStart + valueLength;
        return true;
    }

    /// <summary>Moves to the element of that name; the first one where it stands twice.</summary>
    /// <returns>False when the rest of the document has none.</returns>
    public bool ReadTo(ReadOnlySpan<byte> name)
    {
        while (Read())
        {
            if (Name.SequenceEqual(name)) return true;
        }

        return false;
    }

    /// <summary>A reader of the current element's document, array, or scope of JavaScript.</summary>
    /// <exception cref="BsonFormatException">The element is neither, or nested too deeply.</exception>
    public readonly BsonReader ReadDocument() => Type switch
    {
        BsonType.Document or BsonType.Array => new BsonReader(_buffer, ValueStart, Depth + 1),
        BsonType.JavaScriptWithScope => new BsonReader(_buffer, ScopeStart, Depth + 1),
        _ => throw Mismatch("a document or an array"),
    };

    /// <summary>The current double.</summary>
    public readonly double GetDouble()
        => Type == BsonType.Double ? BinaryPrimitives.ReadDoubleLittleEndian(Value) : throw Mismatch("a double");

    /// <summary>The current 32-bit integer.</summary>
    public readonly int GetInt32()
        => Type == BsonType.Int32 ? BinaryPrimitives.ReadInt32LittleEndian(Value) : throw Mismatch("a 32-bit integer");

    /// <summary>The current 64-bit integer, date (milliseconds since the Unix epoch, UTC) or timestamp.</summary>
    public readonly long GetInt64()
        => Type is BsonType.Int64 or BsonType.DateTime or BsonType.Timestamp
            ? BinaryPrimitives.ReadInt64LittleEndian(Value)
            : throw Mismatch("a 64-bit integer, a date or a timestamp");

    /// <summary>The current boolean.</summary>
    public readonly bool GetBoolean()
        => Type == BsonType.Boolean ? Value[0] != 0 : throw Mismatch("a boolean");

    /// <summary>The UTF-8 of the current string, symbol or JavaScript, without length and terminator.</summary>
    public readonly ReadOnlySpan<byte> GetUtf8()
        => Type is BsonType.String or BsonType.Symbol or BsonType.JavaScript
            ? _buffer[(ValueStart + sizeof(int))..(_next - 1)]
            : throw Mismatch("a string");

    /// <summary>The current string, symbol or JavaScript; bytes that are not UTF-8 become U+FFFD.</summary>
    public readonly string GetString() => Encoding.UTF8.GetString(GetUtf8());

    /// <summary>The current binary value without its length and subtype.</summary>
    /// <param name="subtype">The subtype byte. The old subtype 2 keeps its inner length in the bytes returned.</param>
    public readonly ReadOnlySpan<byte> GetBinary(out byte subtype)
    {
        if (Type != BsonType.Binary) throw Mismatch("binary data");
        subtype = _buffer[ValueStart + sizeof(int)];
        return _buffer[(ValueStart + sizeof(int) + 1).._next];
    }

    /// <summary>The two parts of the current regular expression, UTF-8.</summary>
    public readonly ReadOnlySpan<byte> GetRegularExpression(out ReadOnlySpan<byte> options)
    {
        if (Type != BsonType.RegularExpression) throw Mismatch("a regular expression");
        var value = Value;
        var split = value.IndexOf((byte)0);
        options = value[(split + 1)..^1];
        return value[..split];
    }

    /// <summary>The code of the current JavaScript with scope, UTF-8.</summary>
    public readonly ReadOnlySpan<byte> GetScopedCode()
        => Type == BsonType.JavaScriptWithScope
            ? _buffer[(ValueStart + 2 * sizeof(int))..(ScopeStart - 1)]
            : throw Mismatch("JavaScript with scope");

    /// <summary>The namespace and the ObjectId of the current DBPointer.</summary>
    public readonly ReadOnlySpan<byte> GetDbPointer(out ReadOnlySpan<byte> objectId)
    {
        if (Type != BsonType.DbPointer) throw Mismatch("a DBPointer");
        objectId = _buffer[(_next - ObjectIdLength).._next];
        return _buffer[(ValueStart + sizeof(int))..(_next - ObjectIdLength - 1)];
    }

    /// <summary>
    /// The length in bytes of a value of a type that starts at <paramref name="offset"/>, checked against
    /// <paramref name="end"/>, the first offset that belongs to something else.
    /// </summary>
    /// <exception cref="BsonFormatException">There is no such type, or no such value.</exception>
    internal static int ValueLength(ReadOnlySpan<byte> buffer, int offset, int end, BsonType type, int typeOffset)
    {
        switch (type)
        {
            case BsonType.Double or BsonType.DateTime or BsonType.Timestamp or BsonType.Int64:
                return Fixed(sizeof(long), offset, end);
            case BsonType.Int32:
                return Fixed(sizeof(int), offset, end);
            case BsonType.ObjectId:
                return Fixed(ObjectIdLength, offset, end);
            case BsonType.Decimal128:
                return Fixed(16, offset, end);
            case BsonType.Null or BsonType.Undefined or BsonType.MinKey or BsonType.MaxKey:
                return 0;
            case BsonType.Boolean:
                Fixed(1, offset, end);
                return buffer[offset] <= 1 ? 1 : throw new BsonFormatException("a boolean is neither 0 nor 1", offset);
            case BsonType.String or BsonType.JavaScript or BsonType.Symbol:
                return StringLength(buffer, offset, end);
            case BsonType.Document or BsonType.Array:
                return DocumentLength(buffer, offset, end);
            case BsonType.Binary:
                return BinaryLength(buffer, offset, end);
            case BsonType.RegularExpression:
                var pattern = CStringLength(buffer, offset, end);
                return pattern + CStringLength(buffer, offset + pattern, end);
            case BsonType.DbPointer:
                var ns = StringLength(buffer, offset, end);
                return ns + Fixed(ObjectIdLength, offset + ns, end);
            case BsonType.JavaScriptWithScope:
                return ScopedCodeLength(buffer, offset, end);
            default:
                throw new BsonFormatException($"0x{(byte)type:X2} is not a BSON type", typeOffset);
        }
    }

    private const int ObjectIdLength = 12;

    private readonly int ScopeStart
        => ValueStart + 2 * sizeof(int) + BinaryPrimitives.ReadInt32LittleEndian(_buffer[(ValueStart + sizeof(int))..]);

    private static int Fixed(int length, int offset, int end)
        => end - offset >= length ? length : throw Truncated(offset);

    private static int ReadLength(ReadOnlySpan<byte> buffer, int offset, int end)
    {
        Fixed(sizeof(int), offset, end);
        return BinaryPrimitives.ReadInt32LittleEndian(buffer[offset..]);
    }

    private static int DocumentLength(ReadOnlySpan<byte> buffer, int offset, int end)
    {
        var length = ReadLength(buffer, offset, end);
        if (length > BsonLimits.MaxLength)
        {
            throw new BsonFormatException($"a document of more than {BsonLimits.MaxLength} bytes", offset, CsfleErrorCode.BsonLimit);
        }

        if (length < BsonLimits.MinLength || length > end - offset)
        {
            throw new BsonFormatException($"a document's length of {length} does not fit the {end - offset} bytes there are", offset);
        }

        return buffer[offset + length - 1] == 0
            ? length
            : throw new BsonFormatException("a document has no terminator", offset + length - 1);
    }

    private static int StringLength(ReadOnlySpan<byte> buffer, int offset, int end)
    {
        var length = ReadLength(buffer, offset, end);
        if (length < 1 || length > end - offset - sizeof(int))
        {
            throw new BsonFormatException($"a string's length of {length} does not fit", offset);
        }

        return buffer[offset + sizeof(int) + length - 1] == 0
            ? sizeof(int) + length
            : throw new BsonFormatException("a string has no terminator", offset + sizeof(int) + length - 1);
    }

    private static int CStringLength(ReadOnlySpan<byte> buffer, int offset, int end)
    {
        var length = buffer[offset..end].IndexOf((byte)0);
        return length >= 0 ? length + 1 : throw new BsonFormatException("a name or pattern has no terminator", offset);
    }

    private static int BinaryLength(ReadOnlySpan<byte> buffer, int offset, int end)
    {
        const byte OldBinary = 2;
        var length = ReadLength(buffer, offset, end);
        if (length < 0 || length > end - offset - sizeof(int) - 1)
        {
            throw new BsonFormatException($"a binary value's length of {length} does not fit", offset);
        }

        if (buffer[offset + sizeof(int)] == OldBinary)
        {
            var innerOffset = offset + sizeof(int) + 1;
            if (length < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(buffer[innerOffset..]) != length - sizeof(int))
            {
                throw new BsonFormatException("the inner length of a binary value of subtype 2 does not fit its outer one", innerOffset);
            }
        }

        return sizeof(int) + 1 + length;
    }

    private static int ScopedCodeLength(ReadOnlySpan<byte> buffer, int offset, int end)
    {
        var length = ReadLength(buffer, offset, end);
        if (length < sizeof(int) + sizeof(int) + 1 + BsonLimits.MinLength || length > end - offset)
        {
            throw new BsonFormatException($"the length of JavaScript with scope of {length} does not fit", offset);
        }

        var code = StringLength(buffer, offset + sizeof(int), offset + length);
        var scope = DocumentLength(buffer, offset + sizeof(int) + code, offset + length);
        return sizeof(int) + code + scope == length
            ? length
            : throw new BsonFormatException("JavaScript with scope is longer than its parts", offset);
    }

    private static BsonFormatException Truncated(int offset) => new("a value is cut off", offset);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly BsonFormatException Mismatch(string expected) => new($"expected {expected}, found {Type}", ElementStart);
}
