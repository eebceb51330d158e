using System.Buffers.Binary;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Replication;

/// <summary>What a resume token stands behind.</summary>
internal enum TokenKind : byte
{
    /// <summary>Everything up to a time.</summary>
    Time = 0,

    /// <summary>The event of a change.</summary>
    Event = 1,

    /// <summary>The event that ended a stream after the change.</summary>
    Invalidate = 2,
}

/// <summary>
/// A place in a change stream, <c>{ _data: hexadecimal text }</c> as MongoDB's are. What is in it is this server's own:
/// <c>{ clusterTime 8, big-endian | index 4, big-endian | kind 1 }</c>.
/// </summary>
internal readonly record struct ResumeToken(ulong ClusterTime, uint Index, TokenKind Kind)
{
    private const int Length = sizeof(ulong) + sizeof(uint) + 1;

    public static ResumeToken UpTo(ulong clusterTime) => new(clusterTime, uint.MaxValue, TokenKind.Time);

    /// <exception cref="ServerException">It is none of this server's tokens.</exception>
    public static ResumeToken Parse(Document token)
    {
        if (token.Count != 1 || token.Find("_data") is not { Type: BsonType.String } data || !TryRead(data.Text, out var parsed))
        {
            throw new ServerException(ErrorCode.InvalidResumeToken, "Bad resume token: it is none of this server's");
        }

        return parsed;
    }

    public Document ToDocument()
    {
        var bytes = new byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ClusterTime);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(sizeof(ulong)), Index);
        bytes[^1] = (byte)Kind;
        return new Document([new Element("_data", Value.FromText(Convert.ToHexString(bytes)))]);
    }

    private static bool TryRead(string text, out ResumeToken token)
    {
        token = default;
        if (text.Length != 2 * Length || !text.All(char.IsAsciiHexDigit)) return false;
        var bytes = Convert.FromHexString(text);
        token = new ResumeToken(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(sizeof(ulong))), (TokenKind)bytes[^1]);
        return Enum.IsDefined(token.Kind);
    }
}
