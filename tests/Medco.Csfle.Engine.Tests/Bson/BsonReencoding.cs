using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Bson;

/// <summary>Reads a document value by value with the typed getters and writes it again with the typed writers.</summary>
internal static class BsonReencoding
{
    public static byte[] Reencode(ReadOnlySpan<byte> document)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        Copy(new BsonReader(document), writer);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static void Copy(BsonReader reader, BsonWriter writer)
    {
        while (reader.Read())
        {
            var name = reader.Name;
            switch (reader.Type)
            {
                case BsonType.Double:
                    writer.WriteDouble(name, reader.GetDouble());
                    break;
                case BsonType.String:
                    writer.WriteString(name, reader.GetString());
                    break;
                case BsonType.Symbol or BsonType.JavaScript:
                    writer.WriteText(reader.Type, name, reader.GetUtf8());
                    break;
                case BsonType.Document:
                    writer.StartDocument(name);
                    Copy(reader.ReadDocument(), writer);
                    writer.EndDocument();
                    break;
                case BsonType.Array:
                    writer.StartArray(name);
                    Copy(reader.ReadDocument(), writer);
                    writer.EndDocument();
                    break;
                case BsonType.Binary:
                    var bytes = reader.GetBinary(out var subtype);
                    writer.WriteBinary(name, subtype, bytes);
                    break;
                case BsonType.Undefined or BsonType.Null or BsonType.MinKey or BsonType.MaxKey:
                    writer.WriteEmpty(reader.Type, name);
                    break;
                case BsonType.Boolean:
                    writer.WriteBoolean(name, reader.GetBoolean());
                    break;
                case BsonType.RegularExpression:
                    var pattern = reader.GetRegularExpression(out var options);
                    writer.WriteRegularExpression(name, pattern, options);
                    break;
                case BsonType.DbPointer:
                    var ns = reader.GetDbPointer(out var objectId);
                    writer.WriteDbPointer(name, ns, objectId);
                    break;
                case BsonType.JavaScriptWithScope:
                    using (var scope = new BsonWriter())
                    {
                        scope.StartDocument();
                        Copy(reader.ReadDocument(), scope);
                        scope.EndDocument();
                        writer.WriteScopedCode(name, reader.GetScopedCode(), scope.WrittenSpan);
                    }

                    break;
                case BsonType.Int32:
                    writer.WriteInt32(name, reader.GetInt32());
                    break;
                case BsonType.Int64 or BsonType.DateTime or BsonType.Timestamp:
                    writer.WriteInt64(name, reader.GetInt64(), reader.Type);
                    break;
                case BsonType.ObjectId or BsonType.Decimal128:
                    writer.WriteRaw(reader.Type, name, reader.Value);
                    break;
                default:
                    throw new InvalidOperationException($"no case for {reader.Type}");
            }
        }
    }
}
