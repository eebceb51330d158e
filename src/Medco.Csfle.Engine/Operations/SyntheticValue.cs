using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations;

/// <summary>A value that nobody else has, put at an encrypted path to see what becomes of it.</summary>
/// <param name="Document">The document it stands in, counted from 0.</param>
/// <param name="Steps">The element names that lead to it.</param>
/// <param name="Node">What the schema says about the path.</param>
/// <param name="KeyId">The data key that it must be encrypted with.</param>
/// <param name="Type">Its type.</param>
/// <param name="Bytes">Its raw BSON.</param>
/// <param name="Trace">
/// Bytes that show it wherever they occur; empty where the type has too few values for that (a boolean).
/// </param>
internal sealed record SyntheticValue(int Document, IReadOnlyList<string> Steps, EncryptedNode Node, Guid KeyId, BsonType Type, byte[] Bytes, byte[] Trace)
{
    private static readonly BsonType[] AllTypes =
    [
        BsonType.String, BsonType.Int32, BsonType.Int64, BsonType.Double, BsonType.Decimal128, BsonType.Boolean, BsonType.DateTime,
        BsonType.Timestamp, BsonType.ObjectId, BsonType.Binary, BsonType.Document, BsonType.Array, BsonType.RegularExpression,
        BsonType.JavaScript, BsonType.JavaScriptWithScope, BsonType.Symbol, BsonType.DbPointer,
    ];

    /// <summary>The path, as MongoDB writes it.</summary>
    public string Path => string.Join('.', Steps);

    /// <summary>The types that a value may have at a path.</summary>
    public static IReadOnlyList<BsonType> TypesFor(EncryptedNode node)
        => [.. AllTypes.Where(type => node.Types.Contains(type) && !EncryptedNode.IsProhibited(node.Algorithm, type))];

    /// <summary>Makes up a value of that type.</summary>
    public static SyntheticValue Create(int document, IReadOnlyList<string> steps, EncryptedNode node, Guid keyId, BsonType type)
    {
        const string Name = "v";
        using var writer = new BsonWriter();
        writer.StartDocument();
        var trace = Write(writer, Encoding.UTF8.GetBytes(Name), type);
        writer.EndDocument();
        var reader = new BsonReader(writer.WrittenSpan);
        reader.Read();
        return new SyntheticValue(document, steps, node, keyId, type, reader.Value.ToArray(), trace switch
        {
            // Four bytes may occur anywhere by chance; behind their name they do not.
            { Length: sizeof(int) } => [.. Encoding.UTF8.GetBytes(steps[^1]), 0, .. trace],
            _ => trace,
        });
    }

    // Returns what is unmistakable of the value.
    private static byte[] Write(BsonWriter writer, ReadOnlySpan<byte> name, BsonType type)
    {
        var text = Encoding.UTF8.GetBytes($"csfle-proof-{Convert.ToHexString(RandomNumberGenerator.GetBytes(16))}");
        var bytes = RandomNumberGenerator.GetBytes(16);
        switch (type)
        {
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                writer.WriteText(type, name, text);
                return text;
            case BsonType.Document:
                writer.StartDocument(name);
                writer.WriteString("proof"u8, text);
                writer.EndDocument();
                return text;
            case BsonType.Array:
                writer.StartArray(name);
                writer.WriteString("0"u8, text);
                writer.EndDocument();
                return text;
            case BsonType.RegularExpression:
                writer.WriteRegularExpression(name, text, "i"u8);
                return text;
            case BsonType.JavaScriptWithScope:
                writer.WriteScopedCode(name, text, [5, 0, 0, 0, 0]);
                return text;
            case BsonType.DbPointer:
                writer.WriteDbPointer(name, text, bytes.AsSpan(0, 12));
                return text;
            case BsonType.Binary:
                writer.WriteBinary(name, BinarySubtype.Generic, bytes);
                return bytes;
            case BsonType.ObjectId:
                writer.WriteRaw(type, name, bytes.AsSpan(0, 12));
                return bytes[..12];
            case BsonType.Boolean:
                writer.WriteBoolean(name, true);
                return [];
            case BsonType.Int32:
                writer.WriteRaw(type, name, bytes.AsSpan(0, sizeof(int)));
                return bytes[..sizeof(int)];
            case BsonType.Decimal128:
                // An integer of 63 bits with the exponent 0, so that whoever reads it can.
                bytes[7] &= 0x7F;
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), 0x3040_0000_0000_0000);
                writer.WriteRaw(type, name, bytes);
                return bytes;
            case BsonType.DateTime:
                // Between 1970 and about 4200.
                bytes[6] = bytes[7] = 0;
                bytes[5] &= 0x3F;
                goto default;
            case BsonType.Double:
                // Neither infinite nor NaN.
                bytes[7] = 0x40;
                bytes[6] &= 0x7F;
                goto default;
            default:
                // 64-bit integers and timestamps; Timestamp(0, 0) would mean something else.
                bytes[0] |= 1;
                writer.WriteRaw(type, name, bytes.AsSpan(0, sizeof(long)));
                return bytes[..sizeof(long)];
        }
    }
}
