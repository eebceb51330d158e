using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Medco.Csfle.Engine.Bson;

/// <summary>
/// Writes one BSON document into a growing buffer. Lengths of documents are filled in when they end. The buffer is zeroed on
/// dispose, and whenever it is outgrown, since it may hold plaintext.
/// </summary>
/// <remarks>
/// Misuse (an element before the first document, an end too many) is a bug of the caller and throws
/// <see cref="InvalidOperationException"/>; a NUL in a name, pattern or option, or a lone surrogate in a string, throws
/// <see cref="ArgumentException"/> before anything of the element is written.
/// </remarks>
internal sealed class BsonWriter : IDisposable
{
    // Longer than any document a server takes, so that a runaway caller fails here and not by exhausting memory.
    private const int MaxCapacity = 2 * BsonLimits.MaxLength;

    private byte[] _buffer;
    private int _length;
    private int[] _starts = new int[8];
    private int _depth;

    /// <summary>Starts with room for <paramref name="capacity"/> bytes.</summary>
    public BsonWriter(int capacity = 256) => _buffer = new byte[Math.Clamp(capacity, BsonLimits.MinLength, MaxCapacity)];

    /// <summary>What has been written so far.</summary>
    public ReadOnlySpan<byte> WrittenSpan => _buffer.AsSpan(0, _length);

    /// <summary>A copy of the finished document.</summary>
    public byte[] ToArray()
        => _depth == 0 && _length > 0 ? WrittenSpan.ToArray() : throw new InvalidOperationException("The document is not finished.");

    /// <summary>Starts the outermost document.</summary>
    public void StartDocument()
    {
        if (_length != 0) throw new InvalidOperationException("A nested document has a name.");
        Push();
    }

    /// <summary>Starts a nested document.</summary>
    public void StartDocument(ReadOnlySpan<byte> name)
    {
        WriteHeader(BsonType.Document, name);
        Push();
    }

    /// <inheritdoc cref="StartDocument(ReadOnlySpan{byte})"/>
    public void StartDocument(string name) => StartDocument(Utf8Text.GetBytes(name));

    /// <summary>Starts an array; the elements' names are <c>"0"</c>, <c>"1"</c>, …, see <see cref="BsonIndex"/>.</summary>
    public void StartArray(ReadOnlySpan<byte> name)
    {
        WriteHeader(BsonType.Array, name);
        Push();
    }

    /// <inheritdoc cref="StartArray(ReadOnlySpan{byte})"/>
    public void StartArray(string name) => StartArray(Utf8Text.GetBytes(name));

    /// <summary>Ends the innermost document or array.</summary>
    public void EndDocument()
    {
        if (_depth == 0) throw new InvalidOperationException("No document is open.");
        Reserve(1)[0] = 0;
        var start = _starts[--_depth];
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(start), _length - start);
    }

    /// <summary>Writes an element whose value is given as raw bytes of its type: a verbatim copy.</summary>
    public void WriteRaw(BsonType type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        WriteHeader(type, name);
        value.CopyTo(Reserve(value.Length));
    }

    /// <summary>Writes a copy of a whole document as the outermost one's continuation: all its elements, in order.</summary>
    public void WriteElements(ReadOnlySpan<byte> document)
    {
        RequireOpen();
        var elements = document[sizeof(int)..^1];
        elements.CopyTo(Reserve(elements.Length));
    }

    /// <summary>Writes a nested document given as bytes.</summary>
    public void WriteDocument(ReadOnlySpan<byte> name, ReadOnlySpan<byte> document) => WriteRaw(BsonType.Document, name, document);

    /// <summary>Writes a string.</summary>
    public void WriteString(ReadOnlySpan<byte> name, ReadOnlySpan<byte> utf8) => WriteText(BsonType.String, name, utf8);

    /// <inheritdoc cref="WriteString(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public void WriteString(ReadOnlySpan<byte> name, string value) => WriteString(name, Utf8Text.GetBytes(value));

    /// <summary>Writes a string, symbol or JavaScript.</summary>
    public void WriteText(BsonType type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> utf8)
    {
        WriteHeader(type, name);
        WriteTextValue(utf8);
    }

    /// <summary>Writes a 32-bit integer.</summary>
    public void WriteInt32(ReadOnlySpan<byte> name, int value)
    {
        WriteHeader(BsonType.Int32, name);
        BinaryPrimitives.WriteInt32LittleEndian(Reserve(sizeof(int)), value);
    }

    /// <summary>Writes a 64-bit integer, a date (milliseconds since the Unix epoch, UTC) or a timestamp.</summary>
    public void WriteInt64(ReadOnlySpan<byte> name, long value, BsonType type = BsonType.Int64)
    {
        WriteHeader(type, name);
        BinaryPrimitives.WriteInt64LittleEndian(Reserve(sizeof(long)), value);
    }

    /// <summary>Writes a double.</summary>
    public void WriteDouble(ReadOnlySpan<byte> name, double value)
    {
        WriteHeader(BsonType.Double, name);
        BinaryPrimitives.WriteDoubleLittleEndian(Reserve(sizeof(double)), value);
    }

    /// <summary>Writes a boolean.</summary>
    public void WriteBoolean(ReadOnlySpan<byte> name, bool value)
    {
        WriteHeader(BsonType.Boolean, name);
        Reserve(1)[0] = value ? (byte)1 : (byte)0;
    }

    /// <summary>Writes a value that is nothing but its type: null, undefined, MinKey or MaxKey.</summary>
    public void WriteEmpty(BsonType type, ReadOnlySpan<byte> name) => WriteHeader(type, name);

    /// <summary>Writes binary data. Subtype 2 takes its inner length as part of <paramref name="bytes"/>.</summary>
    public void WriteBinary(ReadOnlySpan<byte> name, byte subtype, ReadOnlySpan<byte> bytes)
    {
        WriteHeader(BsonType.Binary, name);
        BinaryPrimitives.WriteInt32LittleEndian(Reserve(sizeof(int)), bytes.Length);
        Reserve(1)[0] = subtype;
        bytes.CopyTo(Reserve(bytes.Length));
    }

    /// <summary>Writes a UUID as binary data of subtype 4, in RFC 4122 byte order.</summary>
    public void WriteUuid(ReadOnlySpan<byte> name, Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        WriteBinary(name, BinarySubtype.Uuid, bytes);
    }

    /// <summary>Writes a regular expression.</summary>
    /// <exception cref="ArgumentException">A part contains a NUL, which would end it early.</exception>
    public void WriteRegularExpression(ReadOnlySpan<byte> name, ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> options)
    {
        RequireNoNul(pattern);
        RequireNoNul(options);
        WriteHeader(BsonType.RegularExpression, name);
        WriteCString(pattern);
        WriteCString(options);
    }

    /// <summary>Writes a DBPointer.</summary>
    public void WriteDbPointer(ReadOnlySpan<byte> name, ReadOnlySpan<byte> ns, ReadOnlySpan<byte> objectId)
    {
        WriteHeader(BsonType.DbPointer, name);
        WriteTextValue(ns);
        objectId.CopyTo(Reserve(12));
    }

    /// <summary>Writes JavaScript with scope.</summary>
    public void WriteScopedCode(ReadOnlySpan<byte> name, ReadOnlySpan<byte> code, ReadOnlySpan<byte> scope)
    {
        WriteHeader(BsonType.JavaScriptWithScope, name);
        BinaryPrimitives.WriteInt32LittleEndian(Reserve(sizeof(int)), sizeof(int) + sizeof(int) + code.Length + 1 + scope.Length);
        WriteTextValue(code);
        scope.CopyTo(Reserve(scope.Length));
    }

    /// <summary>Zeroes everything written.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer);
        _length = 0;
        _depth = 0;
    }

    private void Push()
    {
        if (_depth > BsonLimits.MaxDepth)
        {
            throw new BsonFormatException($"more than {BsonLimits.MaxDepth} levels of nesting", _length, CsfleErrorCode.BsonLimit);
        }

        if (_depth == _starts.Length) Array.Resize(ref _starts, _starts.Length * 2);
        _starts[_depth++] = _length;
        Reserve(sizeof(int));
    }

    private void WriteHeader(BsonType type, ReadOnlySpan<byte> name)
    {
        RequireOpen();
        RequireNoNul(name);
        Reserve(1)[0] = (byte)type;
        WriteCString(name);
    }

    private void WriteTextValue(ReadOnlySpan<byte> utf8)
    {
        BinaryPrimitives.WriteInt32LittleEndian(Reserve(sizeof(int)), utf8.Length + 1);
        utf8.CopyTo(Reserve(utf8.Length));
        Reserve(1)[0] = 0;
    }

    private void WriteCString(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Reserve(text.Length));
        Reserve(1)[0] = 0;
    }

    private static void RequireNoNul(ReadOnlySpan<byte> text)
    {
        if (text.Contains((byte)0)) throw new ArgumentException("A name, pattern or option may not contain NUL.");
    }

    private void RequireOpen()
    {
        if (_depth == 0) throw new InvalidOperationException("No document is open.");
    }

    private Span<byte> Reserve(int count)
    {
        if (count > MaxCapacity - _length)
        {
            throw new BsonFormatException($"a document of more than {MaxCapacity} bytes", _length, CsfleErrorCode.BsonLimit);
        }

        var needed = _length + count;
        if (needed > _buffer.Length)
        {
            var larger = new byte[Math.Max(needed, Math.Min(2 * _buffer.Length, MaxCapacity))];
            WrittenSpan.CopyTo(larger);
            CryptographicOperations.ZeroMemory(_buffer);
            _buffer = larger;
        }

        var span = _buffer.AsSpan(_length, count);
        _length = needed;
        return span;
    }
}

/// <summary>Subtypes of binary data that mean something here.</summary>
internal static class BinarySubtype
{
    /// <summary>Plain bytes.</summary>
    public const byte Generic = 0;

    /// <summary>The old spelling of plain bytes, with an inner length.</summary>
    public const byte OldBinary = 2;

    /// <summary>A UUID in RFC 4122 byte order.</summary>
    public const byte Uuid = 4;

    /// <summary>A ciphertext or a placeholder of field-level encryption.</summary>
    public const byte Encrypted = 6;
}

/// <summary>The names of array elements.</summary>
internal static class BsonIndex
{
    /// <summary>The most bytes an index takes.</summary>
    public const int MaxLength = 10;

    /// <summary>Writes an index as its name in UTF-8 into <paramref name="buffer"/>.</summary>
    /// <returns>The part of the buffer that holds the name.</returns>
    public static ReadOnlySpan<byte> Format(int index, Span<byte> buffer)
    {
        System.Buffers.Text.Utf8Formatter.TryFormat(index, buffer, out var written);
        return buffer[..written];
    }
}
