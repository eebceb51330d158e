using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text.Json;

namespace Medco.Csfle.Engine.Bson;

/// <summary>
/// Parses Extended JSON straight into a <see cref="BsonWriter"/>, token by token. The first key of an object decides whether
/// it is a type wrapper; the key of a wrapper anywhere else in a nested object is an error, as the specification wants it.
/// </summary>
internal ref struct ExtendedJsonParser
{
    // A scope takes two levels of JSON for one of BSON, and a wrapper inside the deepest document at most three more.
    private const int MaxJsonDepth = 2 * BsonLimits.MaxDepth + 8;

    private const int ObjectIdLength = 12;
    private const int MaxInitialCapacity = 1 << 20;

    // The quiet NaN that every driver writes; double.NaN has the sign bit set.
    private const ulong NanBits = 0x7FF8_0000_0000_0000;

    private Utf8JsonReader _reader;

    private ExtendedJsonParser(ReadOnlySpan<byte> utf8Json)
        => _reader = new Utf8JsonReader(utf8Json, new JsonReaderOptions { MaxDepth = MaxJsonDepth });

    /// <summary>The document that a text, known to be UTF-8, spells.</summary>
    public static byte[] Parse(ReadOnlySpan<byte> utf8Json)
    {
        using var writer = new BsonWriter(Math.Min(utf8Json.Length, MaxInitialCapacity));
        var parser = new ExtendedJsonParser(utf8Json);
        try
        {
            parser.ParseDocument(writer);
        }
        catch (JsonException exception)
        {
            // Its message quotes the text, so it stays out of ours and is no inner exception either.
            throw new ExtendedJsonFormatException("this is not JSON", Position(utf8Json, exception));
        }

        return writer.WrittenSpan.Length <= BsonLimits.MaxLength
            ? writer.ToArray()
            : throw new BsonFormatException($"a document of more than {BsonLimits.MaxLength} bytes", 0, CsfleErrorCode.BsonLimit);
    }

    private enum Wrapper
    {
        None,
        ObjectId,
        Symbol,
        Int32,
        Int64,
        Double,
        Decimal128,
        Binary,
        Uuid,
        Code,
        Scope,
        Timestamp,
        RegularExpression,
        DbPointer,
        Date,
        MinKey,
        MaxKey,
        Undefined,
    }

    private static Wrapper WrapperOf(ReadOnlySpan<byte> key)
    {
        if (key.Length < 2 || key[0] != '$') return Wrapper.None;
        if (key.SequenceEqual("$oid"u8)) return Wrapper.ObjectId;
        if (key.SequenceEqual("$symbol"u8)) return Wrapper.Symbol;
        if (key.SequenceEqual("$numberInt"u8)) return Wrapper.Int32;
        if (key.SequenceEqual("$numberLong"u8)) return Wrapper.Int64;
        if (key.SequenceEqual("$numberDouble"u8)) return Wrapper.Double;
        if (key.SequenceEqual("$numberDecimal"u8)) return Wrapper.Decimal128;
        if (key.SequenceEqual("$binary"u8)) return Wrapper.Binary;
        if (key.SequenceEqual("$uuid"u8)) return Wrapper.Uuid;
        if (key.SequenceEqual("$code"u8)) return Wrapper.Code;
        if (key.SequenceEqual("$scope"u8)) return Wrapper.Scope;
        if (key.SequenceEqual("$timestamp"u8)) return Wrapper.Timestamp;
        if (key.SequenceEqual("$regularExpression"u8)) return Wrapper.RegularExpression;
        if (key.SequenceEqual("$dbPointer"u8)) return Wrapper.DbPointer;
        if (key.SequenceEqual("$date"u8)) return Wrapper.Date;
        if (key.SequenceEqual("$minKey"u8)) return Wrapper.MinKey;
        if (key.SequenceEqual("$maxKey"u8)) return Wrapper.MaxKey;
        return key.SequenceEqual("$undefined"u8) ? Wrapper.Undefined : Wrapper.None;
    }

    private void ParseDocument(BsonWriter writer)
    {
        Next();
        if (_reader.TokenType != JsonTokenType.StartObject) throw Error("expected an object");
        writer.StartDocument();
        // The outermost object is a document, whatever its keys.
        while (NextKey()) ReadElement(writer, depth: 0);
        writer.EndDocument();
        if (_reader.Read()) throw Error("expected the end of the text");
    }

    /// <summary>Reads one element; the reader stands on its name.</summary>
    private void ReadElement(BsonWriter writer, int depth)
    {
        var name = Text();
        if (name.Contains((byte)0)) throw Error("a name contains NUL");
        Next();
        ReadValue(writer, name, depth);
    }

    /// <summary>Reads the value the reader stands on, as an element of a document that has <paramref name="depth"/> levels above it.</summary>
    private void ReadValue(BsonWriter writer, scoped ReadOnlySpan<byte> name, int depth)
    {
        switch (_reader.TokenType)
        {
            case JsonTokenType.String:
                writer.WriteString(name, Text());
                break;
            case JsonTokenType.Number:
                ReadNumber(writer, name);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                writer.WriteBoolean(name, _reader.TokenType == JsonTokenType.True);
                break;
            case JsonTokenType.Null:
                writer.WriteEmpty(BsonType.Null, name);
                break;
            case JsonTokenType.StartArray:
                ReadArray(writer, name, Deeper(depth));
                break;
            default:
                ReadObject(writer, name, depth);
                break;
        }
    }

    private void ReadArray(BsonWriter writer, scoped ReadOnlySpan<byte> name, int depth)
    {
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        writer.StartArray(name);
        for (var i = 0; ; i++)
        {
            Next();
            if (_reader.TokenType == JsonTokenType.EndArray) break;
            ReadValue(writer, BsonIndex.Format(i, index), depth);
        }

        writer.EndDocument();
    }

    private void ReadObject(BsonWriter writer, scoped ReadOnlySpan<byte> name, int depth)
    {
        var start = _reader.TokenStartIndex;
        var more = NextKey();
        var wrapper = more ? WrapperOf(Text()) : Wrapper.None;
        // The one wrapper that holds documents: kept apart so that nesting takes little of the stack.
        if (wrapper is Wrapper.Code or Wrapper.Scope)
        {
            ReadCode(writer, name, codeFirst: wrapper == Wrapper.Code, depth);
            return;
        }

        if (wrapper != Wrapper.None)
        {
            ReadWrapper(writer, name, wrapper);
            return;
        }

        if (more && IsLegacyBinary())
        {
            ReadLegacyBinary(writer, name, typeFirst: true);
            return;
        }

        if (depth == BsonLimits.MaxDepth) throw TooDeep(start);
        writer.StartDocument(name);
        ReadRest(writer, depth + 1, more);
        writer.EndDocument();
    }

    /// <summary>Reads the elements of an object that is no wrapper; <paramref name="more"/>: the reader stands on a name.</summary>
    private void ReadRest(BsonWriter writer, int depth, bool more)
    {
        for (; more; more = NextKey())
        {
            if (WrapperOf(Text()) != Wrapper.None) throw Error("the key of a type wrapper among other keys");
            ReadElement(writer, depth);
        }
    }

    private void ReadNumber(BsonWriter writer, scoped ReadOnlySpan<byte> name)
    {
        var isInteger = _reader.ValueSpan.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0;
        if (isInteger && _reader.TryGetInt32(out var int32))
        {
            writer.WriteInt32(name, int32);
        }
        else if (isInteger && _reader.TryGetInt64(out var int64))
        {
            writer.WriteInt64(name, int64);
        }
        else if (TryDouble(_reader.ValueSpan, out var number))
        {
            writer.WriteDouble(name, number);
        }
        else
        {
            throw Error("a number beyond the range of a double");
        }
    }

    /// <summary>Reads a type wrapper; the reader stands on its first key and ends on its closing brace.</summary>
    private void ReadWrapper(BsonWriter writer, scoped ReadOnlySpan<byte> name, Wrapper wrapper)
    {
        switch (wrapper)
        {
            case Wrapper.ObjectId:
                Span<byte> objectId = stackalloc byte[ObjectIdLength];
                ReadHex(objectId);
                writer.WriteRaw(BsonType.ObjectId, name, objectId);
                break;
            case Wrapper.Symbol:
                writer.WriteText(BsonType.Symbol, name, NextString());
                break;
            case Wrapper.Int32:
                var digits = NextString();
                if (!Utf8Parser.TryParse(digits, out int int32, out var consumed) || consumed != digits.Length) throw Error("$numberInt wants a 32-bit integer");
                writer.WriteInt32(name, int32);
                break;
            case Wrapper.Int64:
                writer.WriteInt64(name, ReadNumberLong());
                break;
            case Wrapper.Double:
                if (!TryWrappedDouble(NextString(), out var number)) throw Error("$numberDouble wants a finite number in the range of a double, Infinity, -Infinity or NaN");
                writer.WriteDouble(name, number);
                break;
            case Wrapper.Decimal128:
                Span<byte> decimal128 = stackalloc byte[Decimal128Text.Size];
                if (!Decimal128Text.TryParse(NextString(), decimal128, out var problem)) throw Error(problem);
                writer.WriteRaw(BsonType.Decimal128, name, decimal128);
                break;
            case Wrapper.Binary:
                ReadBinary(writer, name);
                return;
            case Wrapper.Uuid:
                ReadUuid(writer, name);
                break;
            case Wrapper.Timestamp:
                ReadTimestamp(writer, name);
                break;
            case Wrapper.RegularExpression:
                ReadRegularExpression(writer, name);
                break;
            case Wrapper.DbPointer:
                ReadDbPointer(writer, name);
                break;
            case Wrapper.Date:
                writer.WriteInt64(name, ReadDate(), BsonType.DateTime);
                break;
            case Wrapper.MinKey or Wrapper.MaxKey:
                Next();
                if (_reader.TokenType != JsonTokenType.Number || !_reader.ValueSpan.SequenceEqual("1"u8)) throw Error("$minKey and $maxKey want the number 1");
                writer.WriteEmpty(wrapper == Wrapper.MinKey ? BsonType.MinKey : BsonType.MaxKey, name);
                break;
            case Wrapper.Undefined:
                Next();
                if (_reader.TokenType != JsonTokenType.True) throw Error("$undefined wants true");
                writer.WriteEmpty(BsonType.Undefined, name);
                break;
        }

        EndOfWrapper();
    }

    private long ReadNumberLong()
    {
        var digits = NextString();
        return Utf8Parser.TryParse(digits, out long int64, out var consumed) && consumed == digits.Length
            ? int64
            : throw Error("$numberLong wants a 64-bit integer");
    }

    private long ReadDate()
    {
        Next();
        if (_reader.TokenType == JsonTokenType.String)
        {
            return ExtendedJsonDate.TryParse(Text(), out var milliseconds)
                ? milliseconds
                : throw Error("$date wants an RFC 3339 time of at most milliseconds, in UTC or with an offset");
        }

        if (_reader.TokenType != JsonTokenType.StartObject) throw Error("$date wants a string or $numberLong");
        if (!NextKey() || WrapperOf(Text()) != Wrapper.Int64) throw Error("$date wants $numberLong");
        var value = ReadNumberLong();
        EndOfWrapper();
        return value;
    }

    /// <summary>
    /// <c>{"$binary": {"base64": …, "subType": …}}</c>, or the legacy <c>{"$binary": base64, "$type": subtype}</c>, which no
    /// query operator can be mistaken for.
    /// </summary>
    private void ReadBinary(BsonWriter writer, scoped ReadOnlySpan<byte> name)
    {
        var ahead = _reader;
        if (ahead.Read() && ahead.TokenType == JsonTokenType.String)
        {
            ReadLegacyBinary(writer, name, typeFirst: false);
            return;
        }

        NextObject();
        byte[]? bytes = null;
        byte? subtype = null;
        while (NextKey())
        {
            var key = Text();
            if (bytes is null && key.SequenceEqual("base64"u8)) bytes = ReadBase64();
            else if (subtype is null && key.SequenceEqual("subType"u8)) subtype = ReadSubtype();
            else throw Error("$binary wants base64 and subType, once each, and nothing else");
        }

        if (bytes is null || subtype is null) throw Error("$binary wants base64 and subType");
        EndOfWrapper();
        WriteBinary(writer, name, subtype.Value, bytes);
    }

    /// <summary>Whether the first key, where the reader stands, is the <c>$type</c> of a legacy binary value and not the query operator.</summary>
    private readonly bool IsLegacyBinary()
    {
        if (!_reader.ValueTextEquals("$type"u8)) return false;
        var ahead = _reader;
        return ahead.Read() && ahead.TokenType == JsonTokenType.String
            && ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName && ahead.ValueSpan.SequenceEqual("$binary"u8);
    }

    private void ReadLegacyBinary(BsonWriter writer, scoped ReadOnlySpan<byte> name, bool typeFirst)
    {
        byte subtype;
        byte[] bytes;
        if (typeFirst)
        {
            subtype = ReadSubtype();
            NextKey();
            bytes = ReadBase64();
        }
        else
        {
            bytes = ReadBase64();
            if (!NextKey() || !Text().SequenceEqual("$type"u8)) throw Error("a $binary with its base64 beside it wants $type and nothing else");
            subtype = ReadSubtype();
        }

        EndOfWrapper();
        WriteBinary(writer, name, subtype, bytes);
    }

    private static void WriteBinary(BsonWriter writer, scoped ReadOnlySpan<byte> name, byte subtype, byte[] bytes)
    {
        if (subtype != BinarySubtype.OldBinary)
        {
            writer.WriteBinary(name, subtype, bytes);
            return;
        }

        // The old subtype repeats its length in front of its data; JSON leaves that out.
        var withLength = new byte[sizeof(int) + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(withLength, bytes.Length);
        bytes.CopyTo(withLength, sizeof(int));
        writer.WriteBinary(name, subtype, withLength);
    }

    private byte[] ReadBase64()
    {
        var text = NextString();
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        // The decoder would skip white space.
        if (text.IndexOfAny(" \t\r\n"u8) >= 0
            || Base64.DecodeFromUtf8(text, bytes, out _, out var written) != System.Buffers.OperationStatus.Done)
        {
            throw Error("expected base64 with padding");
        }

        return bytes.AsSpan(0, written).ToArray();
    }

    private byte ReadSubtype()
    {
        var text = NextString();
        return text.Length is 1 or 2 && Utf8Parser.TryParse(text, out byte subtype, out var consumed, 'x') && consumed == text.Length
            ? subtype
            : throw Error("a binary subtype is one or two hexadecimal digits");
    }

    private void ReadUuid(BsonWriter writer, scoped ReadOnlySpan<byte> name)
    {
        var text = NextString();
        Span<byte> hex = stackalloc byte[32];
        if (text.Length != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') throw UuidError();
        text[..8].CopyTo(hex);
        text[9..13].CopyTo(hex[8..]);
        text[14..18].CopyTo(hex[12..]);
        text[19..23].CopyTo(hex[16..]);
        text[24..].CopyTo(hex[20..]);
        Span<byte> bytes = stackalloc byte[16];
        if (!TryHex(hex, bytes)) throw UuidError();
        writer.WriteBinary(name, BinarySubtype.Uuid, bytes);
    }

    private readonly ExtendedJsonFormatException UuidError() => Error("$uuid wants 32 hexadecimal digits in groups of 8-4-4-4-12");

    /// <summary>Reads <c>{"$code": …}</c> or <c>{"$code": …, "$scope": …}</c>, in any order, from the first key to the closing brace.</summary>
    private void ReadCode(BsonWriter writer, scoped ReadOnlySpan<byte> name, bool codeFirst, int depth)
    {
        using var scope = new BsonWriter(BsonLimits.MinLength);
        var code = codeFirst ? NextString() : default;
        if (codeFirst)
        {
            if (!NextKey())
            {
                writer.WriteText(BsonType.JavaScript, name, code);
                return;
            }

            if (WrapperOf(Text()) != Wrapper.Scope) throw Error("$code wants $scope or nothing beside it");
        }

        NextObject();
        var scopeDepth = Deeper(depth);
        scope.StartDocument();
        ReadRest(scope, scopeDepth, NextKey());
        scope.EndDocument();

        if (!codeFirst)
        {
            if (!NextKey() || WrapperOf(Text()) != Wrapper.Code) throw Error("$scope wants $code beside it");
            code = NextString();
        }

        EndOfWrapper();
        writer.WriteScopedCode(name, code, scope.WrittenSpan);
    }

    private void ReadTimestamp(BsonWriter writer, scoped ReadOnlySpan<byte> name)
    {
        NextObject();
        uint? seconds = null;
        uint? increment = null;
        while (NextKey())
        {
            var key = Text();
            if (seconds is null && key.SequenceEqual("t"u8)) seconds = ReadUInt32();
            else if (increment is null && key.SequenceEqual("i"u8)) increment = ReadUInt32();
            else throw Error("$timestamp wants t and i, once each, and nothing else");
        }

        if (seconds is null || increment is null) throw Error("$timestamp wants t and i");
        writer.WriteInt64(name, unchecked((long)((ulong)seconds.Value << 32 | increment.Value)), BsonType.Timestamp);
    }

    private uint ReadUInt32()
    {
        Next();
        return _reader.TokenType == JsonTokenType.Number && _reader.ValueSpan[0] != '-' && _reader.TryGetUInt32(out var value)
            ? value
            : throw Error("$timestamp wants unsigned 32-bit integers");
    }

    private void ReadRegularExpression(BsonWriter writer, scoped ReadOnlySpan<byte> name)
    {
        NextObject();
        ReadOnlySpan<byte> pattern = default, options = default;
        bool hasPattern = false, hasOptions = false;
        while (NextKey())
        {
            var key = Text();
            if (!hasPattern && key.SequenceEqual("pattern"u8))
            {
                pattern = NextCString();
                hasPattern = true;
            }
            else if (!hasOptions && key.SequenceEqual("options"u8))
            {
                options = NextCString();
                hasOptions = true;
            }
            else
            {
                throw Error("$regularExpression wants pattern and options, once each, and nothing else");
            }
        }

        if (!hasPattern || !hasOptions) throw Error("$regularExpression wants pattern and options");
        writer.WriteRegularExpression(name, pattern, RegularExpressionOptions.Sort(options));
    }

    private void ReadDbPointer(BsonWriter writer, scoped ReadOnlySpan<byte> name)
    {
        NextObject();
        ReadOnlySpan<byte> ns = default;
        Span<byte> objectId = stackalloc byte[ObjectIdLength];
        bool hasNamespace = false, hasId = false;
        while (NextKey())
        {
            var key = Text();
            if (!hasNamespace && key.SequenceEqual("$ref"u8))
            {
                ns = NextString();
                hasNamespace = true;
            }
            else if (!hasId && key.SequenceEqual("$id"u8))
            {
                NextObject();
                if (!NextKey() || WrapperOf(Text()) != Wrapper.ObjectId) throw Error("$dbPointer wants an $oid as its $id");
                ReadHex(objectId);
                EndOfWrapper();
                hasId = true;
            }
            else
            {
                throw Error("$dbPointer wants $ref and $id, once each, and nothing else");
            }
        }

        if (!hasNamespace || !hasId) throw Error("$dbPointer wants $ref and $id");
        writer.WriteDbPointer(name, ns, objectId);
    }

    private void ReadHex(scoped Span<byte> objectId)
    {
        if (!TryHex(NextString(), objectId)) throw Error("$oid wants 24 hexadecimal digits");
    }

    private static bool TryHex(scoped ReadOnlySpan<byte> hex, scoped Span<byte> bytes)
    {
        if (hex.Length != 2 * bytes.Length) return false;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!Utf8Parser.TryParse(hex.Slice(2 * i, 2), out bytes[i], out var consumed, 'x') || consumed != 2) return false;
        }

        return true;
    }

    private static bool TryWrappedDouble(ReadOnlySpan<byte> text, out double value)
    {
        if (text.SequenceEqual("NaN"u8)) value = BitConverter.UInt64BitsToDouble(NanBits);
        else if (text.SequenceEqual("Infinity"u8)) value = double.PositiveInfinity;
        else if (text.SequenceEqual("-Infinity"u8)) value = double.NegativeInfinity;
        else return TryDouble(text, out value);
        return true;
    }

    private static bool TryDouble(ReadOnlySpan<byte> text, out double value)
        => Utf8Parser.TryParse(text, out value, out var consumed) && consumed == text.Length && double.IsFinite(value)
            && text.IndexOfAnyExcept("0123456789+-.eE"u8) < 0;

    private void NextObject()
    {
        Next();
        if (_reader.TokenType != JsonTokenType.StartObject) throw Error("a type wrapper wants an object here");
    }

    private ReadOnlySpan<byte> NextString()
    {
        Next();
        return _reader.TokenType == JsonTokenType.String ? Text() : throw Error("a type wrapper wants a string here");
    }

    private ReadOnlySpan<byte> NextCString()
    {
        var text = NextString();
        return text.Contains((byte)0) ? throw Error("a regular expression contains NUL") : text;
    }

    /// <summary>Moves to the next key of an object; false at its end.</summary>
    private bool NextKey()
    {
        Next();
        return _reader.TokenType == JsonTokenType.PropertyName;
    }

    private void EndOfWrapper()
    {
        if (NextKey()) throw Error("a type wrapper has another key");
    }

    private void Next()
    {
        // At the end of the text the reader throws unless the value is complete, and nobody asks for more after that.
        if (!_reader.Read()) throw Error("the text ends too early");
    }

    /// <summary>The name or string that the reader stands on, unescaped.</summary>
    private readonly ReadOnlySpan<byte> Text()
    {
        if (!_reader.ValueIsEscaped) return _reader.ValueSpan;
        var unescaped = new byte[_reader.ValueSpan.Length];
        try
        {
            return unescaped.AsSpan(0, _reader.CopyString(unescaped));
        }
        catch (InvalidOperationException)
        {
            throw Error("a surrogate stands alone");
        }
    }

    private readonly int Deeper(int depth) => depth < BsonLimits.MaxDepth ? depth + 1 : throw TooDeep(_reader.TokenStartIndex);

    private static ExtendedJsonFormatException TooDeep(long position) => new($"more than {BsonLimits.MaxDepth} levels of nesting", position);

    private readonly ExtendedJsonFormatException Error(string what) => new(what, _reader.TokenStartIndex);

    /// <summary>The exception tells line and column; the column counts bytes.</summary>
    private static long Position(ReadOnlySpan<byte> utf8Json, JsonException exception)
    {
        var lineStart = 0;
        for (var line = exception.LineNumber ?? 0; line > 0; line--)
        {
            lineStart += utf8Json[lineStart..].IndexOf((byte)'\n') + 1;
        }

        return lineStart + (exception.BytePositionInLine ?? 0);
    }
}
