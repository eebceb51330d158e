using System.Buffers.Binary;
using System.Text.Unicode;

namespace Medco.Csfle.Engine.Bson;

/// <summary>Checks a whole document, every level and every string: what <see cref="BsonReader"/> leaves to the one who needs it.</summary>
internal static class BsonValidator
{
    /// <summary>Walks a document to its last leaf.</summary>
    /// <exception cref="BsonFormatException">The first thing that is not BSON, invalid UTF-8 included.</exception>
    public static void Validate(ReadOnlySpan<byte> document) => ValidateElements(document, new BsonReader(document), checkUtf8: true);

    /// <summary>
    /// Checks that <paramref name="value"/> is exactly one value of <paramref name="type"/>, to its last leaf. Strings need
    /// not be UTF-8: a value that some driver once encrypted has to stay readable.
    /// </summary>
    /// <exception cref="BsonFormatException">It is not; the offset counts from the start of the value.</exception>
    public static void ValidateValue(BsonType type, ReadOnlySpan<byte> value)
    {
        var length = BsonReader.ValueLength(value, 0, value.Length, type, 0);
        if (length != value.Length)
        {
            throw new BsonFormatException($"the value ends here, but {value.Length - length} more bytes follow", length);
        }

        ValidateContent(value, type, 0, length, depth: 0, checkUtf8: false);
    }

    private static void ValidateElements(ReadOnlySpan<byte> buffer, BsonReader reader, bool checkUtf8)
    {
        while (reader.Read())
        {
            if (checkUtf8) ValidateUtf8(buffer, reader.ElementStart + 1, reader.ValueStart - 1);
            ValidateContent(buffer, reader.Type, reader.ValueStart, reader.ValueEnd, reader.Depth + 1, checkUtf8);
        }
    }

    /// <summary>Checks what is inside a value whose length is known to be right.</summary>
    private static void ValidateContent(ReadOnlySpan<byte> buffer, BsonType type, int start, int end, int depth, bool checkUtf8)
    {
        const int ObjectIdLength = 12;
        switch (type)
        {
            case BsonType.Document or BsonType.Array:
                ValidateElements(buffer, new BsonReader(buffer, start, depth), checkUtf8);
                break;
            case BsonType.JavaScriptWithScope:
                var code = start + 2 * sizeof(int);
                var scope = code + BinaryPrimitives.ReadInt32LittleEndian(buffer[(start + sizeof(int))..]);
                if (checkUtf8) ValidateUtf8(buffer, code, scope - 1);
                ValidateElements(buffer, new BsonReader(buffer, scope, depth), checkUtf8);
                break;
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript when checkUtf8:
                ValidateUtf8(buffer, start + sizeof(int), end - 1);
                break;
            case BsonType.RegularExpression when checkUtf8:
                ValidateUtf8(buffer, start, end);
                break;
            case BsonType.DbPointer when checkUtf8:
                ValidateUtf8(buffer, start + sizeof(int), end - ObjectIdLength - 1);
                break;
        }
    }

    private static void ValidateUtf8(ReadOnlySpan<byte> buffer, int start, int end)
    {
        var text = buffer[start..end];
        if (!Utf8.IsValid(text)) throw new BsonFormatException("a string is not UTF-8", start + Utf8Text.IndexOfInvalid(text));
    }
}
