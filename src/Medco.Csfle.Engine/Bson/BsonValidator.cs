using System.Text.Unicode;

namespace Medco.Csfle.Engine.Bson;

/// <summary>Checks a whole document, every level and every string: what <see cref="BsonReader"/> leaves to the one who needs it.</summary>
internal static class BsonValidator
{
    /// <summary>Walks a document to its last leaf.</summary>
    /// <exception cref="BsonFormatException">The first thing that is not BSON, invalid UTF-8 included.</exception>
    public static void Validate(ReadOnlySpan<byte> document) => Validate(document, new BsonReader(document), checkUtf8: true);

    /// <summary>
    /// Checks that <paramref name="value"/> is exactly one value of <paramref name="type"/>, to its last leaf. Strings need
    /// not be UTF-8: a value that some driver once encrypted has to stay readable.
    /// </summary>
    /// <exception cref="BsonFormatException">It is not.</exception>
    public static void ValidateValue(BsonType type, ReadOnlySpan<byte> value)
    {
        var length = BsonReader.ValueLength(value, 0, value.Length, type, 0);
        if (length != value.Length)
        {
            throw new BsonFormatException($"the value ends here, but {value.Length - length} more bytes follow", length);
        }

        if (type is BsonType.Document or BsonType.Array)
        {
            Validate(value, new BsonReader(value), checkUtf8: false);
        }
        else if (type == BsonType.JavaScriptWithScope)
        {
            var scope = sizeof(int) + BsonReader.ValueLength(value, sizeof(int), value.Length, BsonType.String, 0);
            Validate(value, new BsonReader(value, scope, 0), checkUtf8: false);
        }
    }

    private static void Validate(ReadOnlySpan<byte> buffer, BsonReader reader, bool checkUtf8)
    {
        while (reader.Read())
        {
            if (checkUtf8) ValidateStrings(reader);
            if (reader.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope)
            {
                Validate(buffer, reader.ReadDocument(), checkUtf8);
            }
        }
    }

    private static void ValidateStrings(in BsonReader element)
    {
        ValidateUtf8(element.Name, element.ElementStart + 1);
        switch (element.Type)
        {
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                ValidateUtf8(element.GetUtf8(), element.ValueStart + sizeof(int));
                break;
            case BsonType.RegularExpression:
                ValidateUtf8(element.Value, element.ValueStart);
                break;
            case BsonType.DbPointer:
                ValidateUtf8(element.GetDbPointer(out _), element.ValueStart + sizeof(int));
                break;
            case BsonType.JavaScriptWithScope:
                ValidateUtf8(element.GetScopedCode(), element.ValueStart + 2 * sizeof(int));
                break;
        }
    }

    private static void ValidateUtf8(ReadOnlySpan<byte> text, int offset)
    {
        if (!Utf8.IsValid(text)) throw new BsonFormatException("a string is not UTF-8", offset);
    }
}
