using System.Buffers.Binary;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Interop.Tests.LibMongoCryptTests;

/// <summary>
/// Of code, and of the namespace of a DBPointer, libmongocrypt keeps what stands before a NUL wherever it copies the value. The
/// engine keeps all of it, so that the two cannot be compared there.
/// </summary>
internal static class CutOffAtNul
{
    /// <summary>Whether a value is one of these.</summary>
    public static bool Is(BsonType type, ReadOnlySpan<byte> value) => type switch
    {
        BsonType.JavaScript or BsonType.DbPointer => HoldsNul(value),
        BsonType.JavaScriptWithScope => HoldsNul(value[sizeof(int)..]),
        _ => false,
    };

    /// <summary>Whether a document holds such a value anywhere.</summary>
    public static bool IsIn(BsonReader document)
    {
        while (document.Read())
        {
            if (Is(document.Type, document.Value)) return true;
            if (document.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope && IsIn(document.ReadDocument())) return true;
        }

        return false;
    }

    private static bool HoldsNul(ReadOnlySpan<byte> text) => text.Slice(sizeof(int), BinaryPrimitives.ReadInt32LittleEndian(text) - 1).Contains((byte)0);
}
