using System.Text.Unicode;

namespace Medco.Csfle.Engine.Bson;

/// <summary>Checks a whole document, every level and every string: what <see cref="BsonReader"/> leaves to the one who needs it.</summary>
internal static class BsonValidator
{
    /// <summary>Walks a document to its last leaf.</summary>
    /// <exception cref="BsonFormatException">The first thing that is not BSON, invalid UTF-8 included.</exception>
    public static void Validate(ReadOnlySpan<byte> document) => Validate(document, new BsonReader(document));

    /// <summary>Checks that <paramref name="value"/> is exactly one value of <paramref name="type"/>, to its last leaf.</summary>
    /// <exception cref="BsonFormatException">It is not.</exception>
    public static void ValidateValue(BsonType type, ReadOnlySpan<byte> value)
    {
        var length = BsonReader.ValueLength(value, 0, value.Length, type, 0);
        if (length != value.Length)
        {
            throw new BsonFormatException($"the value ends here, but {value.Length - length} more bytes follow", length);
        }

        switch (type)
        {
            case BsonType.Document or BsonType.Array:
                Validate(value, new BsonReader(value));
                break;
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                ValidateUtf8(value[sizeof(int)..^1], sizeof(int));
                break;
            case BsonType.RegularExpression:
                ValidateUtf8(value, 0);
                break;
            case BsonType.DbPointer or BsonType.JavaScriptWithScope:
                // Rare and intricate: as the one element of a document, the walk below knows how.
                using (var writer = new BsonWriter(value.Length + 16))
                {
                    writer.StartDocument();
                    writer.WriteRaw(type, "v"u8, value);
                    writer.EndDocument();
                    Validate(writer.WrittenSpan);
                }

                break;
        }
    }

    private static void Validate(ReadOnlySpan<byte> buffer, BsonReader reader)
    {
        while (reader.Read())
        {
            ValidateUtf8(reader.Name, reader.ElementStart + 1);
            switch (reader.Type)
            {
                case BsonType.Document or BsonType.Array:
                    Validate(buffer, reader.ReadDocument());
                    break;
                case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                    ValidateUtf8(reader.GetUtf8(), reader.ValueStart + sizeof(int));
                    break;
                case BsonType.RegularExpression:
                    ValidateUtf8(reader.Value, reader.ValueStart);
                    break;
                case BsonType.DbPointer:
                    ValidateUtf8(reader.GetDbPointer(out _), reader.ValueStart + sizeof(int));
                    break;
                case BsonType.JavaScriptWithScope:
                    ValidateUtf8(reader.GetScopedCode(), reader.ValueStart + 2 * sizeof(int));
                    Validate(buffer, reader.ReadDocument());
                    break;
            }
        }
    }

    private static void ValidateUtf8(ReadOnlySpan<byte> text, int offset)
    {
        if (!Utf8.IsValid(text)) throw new BsonFormatException("a string is not UTF-8", offset);
    }
}
