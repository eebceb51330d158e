using System.Buffers.Binary;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Wire;

/// <summary>
/// The old OP_QUERY, which is left for one purpose: a driver's first hello. <c>{ header | flags int32 | namespace cstring |
/// numberToSkip int32 | numberToReturn int32 | query document | fields document? }</c>. Source: MongoDB manual, "Legacy Opcodes".
/// </summary>
internal static class OpQuery
{
    private const int AwaitCapable = 8;

    /// <summary>Reads a whole message.</summary>
    /// <returns>The command in it, or an empty document where it is no command.</returns>
    /// <exception cref="MalformedMessageException">It is not one.</exception>
    /// <exception cref="BsonFormatException">A document in it is not BSON.</exception>
    public static ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> message)
    {
        var bytes = message.Span;
        var name = MessageHeader.Length + sizeof(int);
        var nameLength = name <= bytes.Length ? bytes[name..].IndexOf((byte)0) : -1;
        if (nameLength < 0) throw new MalformedMessageException("OP_QUERY has no namespace");
        var query = name + nameLength + 1 + 2 * sizeof(int);
        if (query > bytes.Length) throw new MalformedMessageException("OP_QUERY is cut off");

        var reader = new BsonReader(bytes, query, 0);
        if (reader.End < bytes.Length && new BsonReader(bytes, reader.End, 0).End < bytes.Length) throw new MalformedMessageException("OP_QUERY is longer than its parts");
        if (!bytes.Slice(name, nameLength).SequenceEqual("admin.$cmd"u8)) return NoCommand;

        // A read preference wraps the command.
        var wrapped = new BsonReader(bytes, query, 0);
        return wrapped.ReadTo("$query"u8) && wrapped.Type == BsonType.Document ? message[wrapped.ValueStart..wrapped.ValueEnd] : message[query..reader.End];
    }

    /// <summary>
    /// Writes a reply: <c>{ header | responseFlags int32 | cursorId int64 | startingFrom int32 | numberReturned int32 |
    /// document }</c>.
    /// </summary>
    public static byte[] WriteReply(int requestId, int responseTo, ReadOnlySpan<byte> document)
    {
        const int Count = MessageHeader.Length + sizeof(int) + sizeof(long) + sizeof(int);
        var message = new byte[Count + sizeof(int) + document.Length];
        new MessageHeader(message.Length, requestId, responseTo, OpCode.Reply).Write(message);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(MessageHeader.Length), AwaitCapable);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(Count), 1);
        document.CopyTo(message.AsSpan(Count + sizeof(int)));
        return message;
    }

    private static readonly byte[] NoCommand = [5, 0, 0, 0, 0];
}
