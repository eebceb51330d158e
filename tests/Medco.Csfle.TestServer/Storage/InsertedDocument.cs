using System.Buffers.Binary;
using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>Makes of a document that is inserted the one that is stored.</summary>
internal static class InsertedDocument
{
    /// <summary>The most levels of nesting (manual, "MongoDB Limits and Thresholds"), the document itself included.</summary>
    private const int MaxDepth = 100;

    private static readonly byte[] ProcessBytes = RandomNumberGenerator.GetBytes(5);
    private static int _counter = RandomNumberGenerator.GetInt32(0x100_0000);
    private static int _increment;

    /// <summary>
    /// The document with <c>_id</c> in front, a new ObjectId where it has none, and the current time for an empty timestamp at
    /// its top level. Everything else, and the whole document where nothing of this is needed, keeps its very bytes.
    /// </summary>
    /// <exception cref="ServerException">It cannot be stored.</exception>
    public static Document Prepare(Document document)
    {
        if (document.Bytes.Length > WireLimits.MaxDocumentBytes)
        {
            throw ServerException.BadValue($"object to insert too large. size in bytes: {document.Bytes.Length}, max size: {WireLimits.MaxDocumentBytes}");
        }

        if (IsDeeperThan(MaxDepth, document)) throw new ServerException(ErrorCode.Overflow, $"object to insert exceeds {MaxDepth} levels of nesting");
        CheckId(document);
        var hasIdInFront = document.Count > 0 && document[0].Name == "_id";
        if (hasIdInFront && !document.Elements.Any(IsEmptyTimestamp)) return document;

        IEnumerable<Element> id = [new("_id", document.Find("_id") ?? NewObjectId())];
        return new Document(id.Concat(document.Elements
            .Where(element => element.Name != "_id")
            .Select(element => IsEmptyTimestamp(element) ? element with { Value = CurrentTimestamp() } : element)));
    }

    private static void CheckId(Document document)
    {
        if (document.Elements.Count(element => element.Name == "_id") > 1)
        {
            throw ServerException.BadValue("can't have multiple _id fields in one document");
        }

        var id = document.Find("_id");
        if (id is { Type: BsonType.Array or BsonType.RegularExpression or BsonType.Undefined })
        {
            throw new ServerException(ErrorCode.InvalidIdField, $"The '_id' value cannot be of type {id.Type.Alias()}");
        }

        if (id is { IsDocument: true } && id.Document.Elements.FirstOrDefault(element => element.Name.StartsWith('$')) is { Name: { } name })
        {
            throw new ServerException(ErrorCode.DollarPrefixedFieldName, $"_id fields may not contain '$'-prefixed fields: {name} is not valid for storage.");
        }
    }

    private static bool IsDeeperThan(int depth, Document document)
        => depth == 0 || document.Elements.Any(element => (element.Value.IsDocument || element.Value.IsArray) && IsDeeperThan(depth - 1, element.Value.Document));

    private static bool IsEmptyTimestamp(Element element)
        => element.Name != "_id" && element.Value is { Type: BsonType.Timestamp, Int64: 0 };

    /// <summary>Seconds since the Unix epoch (4 bytes), this process (5) and a counter (3), big-endian.</summary>
    private static Value NewObjectId()
    {
        var bytes = new byte[12];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Seconds());
        ProcessBytes.CopyTo(bytes, 4);
        var counter = unchecked((uint)Interlocked.Increment(ref _counter));
        bytes[9] = (byte)((counter >> 16) & 0xFF);
        bytes[10] = (byte)((counter >> 8) & 0xFF);
        bytes[11] = (byte)(counter & 0xFF);
        return new Value(BsonType.ObjectId, bytes);
    }

    /// <summary>Seconds since the Unix epoch in the upper half, an increment in the lower.</summary>
    private static Value CurrentTimestamp()
    {
        var bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, ((ulong)Seconds() << 32) | unchecked((uint)Interlocked.Increment(ref _increment)));
        return new Value(BsonType.Timestamp, bytes);
    }

    private static uint Seconds() => unchecked((uint)DateTimeOffset.UtcNow.ToUnixTimeSeconds());
}
