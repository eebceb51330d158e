using System.Globalization;
using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Values;

/// <summary>Values as MongoDB's error messages show them, such as <c>{ _id: 1 }</c>.</summary>
internal static class ValueText
{
    public static string Of(Document document)
        => document.Count == 0 ? "{}" : $"{{ {string.Join(", ", document.Elements.Select(element => $"{element.Name}: {Of(element.Value)}"))} }}";

    public static string Of(Value value) => value.Type switch
    {
        BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128 => value.Number.ToString(),
        BsonType.String or BsonType.Symbol or BsonType.JavaScript => $"\"{value.Text}\"",
        BsonType.Document => Of(value.Document),
        BsonType.Array => $"[ {string.Join(", ", value.Items.Select(Of))} ]",
        BsonType.ObjectId => $"ObjectId('{Hex(value.Bytes.Span)}')",
        BsonType.Binary => $"BinData({value.BinarySubtype.ToString(CultureInfo.InvariantCulture)}, {Convert.ToHexString(value.Binary)})",
        BsonType.Boolean => value.Boolean ? "true" : "false",
        BsonType.DateTime => $"new Date({value.Int64.ToString(CultureInfo.InvariantCulture)})",
        BsonType.Timestamp => $"Timestamp({unchecked((uint)(value.Int64 >> 32))}, {unchecked((uint)value.Int64)})",
        BsonType.RegularExpression => $"/{value.RegularExpression.Pattern}/{value.RegularExpression.Options}",
        _ => value.Type.Alias(),
    };

    private static string Hex(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(2 * bytes.Length);
        foreach (var b in bytes) text.Append(b.ToString("x2", CultureInfo.InvariantCulture));
        return text.ToString();
    }
}
