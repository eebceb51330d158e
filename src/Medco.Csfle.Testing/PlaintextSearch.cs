using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Testing;

/// <summary>
/// Looks for the values that were encrypted everywhere in the bytes that are stored: a second field, or a text, may hold them
/// in clear.
/// </summary>
/// <remarks>
/// Only values that do not turn up by chance are looked for: texts of five bytes and more, binary data of eight and more, numbers
/// of 65,536 and more (as bytes, and integers as text), dates and object ids.
/// </remarks>
internal static class PlaintextSearch
{
    private const int ShortestText = 5;
    private const int ShortestBinary = 8;
    private const int SmallestNumber = 65_536;
    private const long FirstDate = -62_135_596_800_000;

    /// <summary>Where else in the stored document the value at a path stands in clear.</summary>
    /// <returns>Null where it does not, or is not looked for.</returns>
    public static EncryptionAssertionFailure? Run(string? collection, string path, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> stored)
    {
        var reader = new BsonReader(plain);
        var steps = path.Split('.');
        for (var i = 0; i < steps.Length; i++)
        {
            if (!reader.ReadTo(Encoding.UTF8.GetBytes(steps[i]))) return null;
            if (i < steps.Length - 1)
            {
                if (reader.Type is not (BsonType.Document or BsonType.Array)) return null;
                reader = reader.ReadDocument();
            }
        }

        var traces = new List<byte[]>();
        Collect(reader, traces);
        foreach (var trace in traces)
        {
            if (stored.IndexOf(trace) < 0) continue;
            var place = Locate(new BsonReader(stored), "", trace);
            return new(collection, path, "stored as ciphertext alone", $"also in clear {(place is null ? "elsewhere in the document" : $"at '{place}'")}");
        }

        return null;
    }

    private static void Collect(in BsonReader element, List<byte[]> traces)
    {
        switch (element.Type)
        {
            case BsonType.Document or BsonType.Array:
                var document = element.ReadDocument();
                while (document.Read()) Collect(document, traces);
                break;
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                var text = element.GetUtf8();
                if (text.Length >= ShortestText) traces.Add(text.ToArray());
                break;
            case BsonType.Binary:
                var binary = element.GetBinary(out var subtype);
                if (subtype != BinarySubtype.Encrypted && binary.Length >= ShortestBinary) traces.Add(binary.ToArray());
                break;
            case BsonType.ObjectId:
                traces.Add(element.Value.ToArray());
                break;
            case BsonType.DateTime:
                if (BinaryPrimitives.ReadInt64LittleEndian(element.Value) is not (0 or FirstDate)) traces.Add(element.Value.ToArray());
                break;
            case BsonType.Int32:
                AddInteger(element.GetInt32(), element.Value, traces);
                break;
            case BsonType.Int64:
                AddInteger(element.GetInt64(), element.Value, traces);
                break;
            case BsonType.Double:
                var number = element.GetDouble();
                if (number != Math.Floor(number) || Math.Abs(number) >= SmallestNumber) traces.Add(element.Value.ToArray());
                break;
            case BsonType.Decimal128:
                if (BinaryPrimitives.ReadUInt64LittleEndian(element.Value) >= SmallestNumber) traces.Add(element.Value.ToArray());
                break;
        }
    }

    private static void AddInteger(long number, ReadOnlySpan<byte> bytes, List<byte[]> traces)
    {
        if (number is > -SmallestNumber and < SmallestNumber) return;
        traces.Add(bytes.ToArray());
        traces.Add(Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
    }

    private static string? Locate(BsonReader document, string prefix, ReadOnlySpan<byte> trace)
    {
        while (document.Read())
        {
            if (document.Value.IndexOf(trace) < 0) continue;
            var path = prefix + document.GetName();
            return document.Type is BsonType.Document or BsonType.Array ? Locate(document.ReadDocument(), $"{path}.", trace) ?? path : path;
        }

        return null;
    }
}
