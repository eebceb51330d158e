using System.Buffers.Binary;
using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Protocol;

/// <summary>
/// The old OP_QUERY, which is left for one purpose: a driver's first hello. <c>{ header | flags int32 | namespace cstring |
/// numberToSkip int32 | numberToReturn int32 | query document | fields document? }</c>.
/// </summary>
internal static class OpQuery
{
    private const int AwaitCapable = 8;

    /// <summary>Reads a whole message.</summary>
    /// <returns>The command in it.</returns>
    /// <exception cref="ProtocolException">It is not one.</exception>
    /// <exception cref="Medco.Csfle.Engine.BsonFormatException">A document in it is not BSON.</exception>
    /// <exception cref="ServerException">It asks for anything but hello.</exception>
    public static Document Read(ReadOnlyMemory<byte> message)
    {
        var offset = MessageHeader.Length + sizeof(int);
        var nameLength = offset <= message.Length ? message.Span[offset..].IndexOf((byte)0) : -1;
        if (nameLength < 0) throw new ProtocolException("OP_QUERY has no namespace");
        var ns = Encoding.UTF8.GetString(message.Span.Slice(offset, nameLength));
        offset += nameLength + 1 + 2 * sizeof(int);
        if (offset > message.Length) throw new ProtocolException("OP_QUERY is cut off");

        var end = new BsonReader(message.Span, offset, 0).End;
        var query = Document.Parse(message[offset..end]);
        if (end < message.Length) Document.Parse(message[end..]);

        // A read preference wraps the command.
        var command = query.Find("$query") is { IsDocument: true } wrapped ? wrapped.Document : query;
        var name = command.Count > 0 ? command[0].Name : "";
        return ns == "admin.$cmd" && name is ("hello" or "isMaster" or "ismaster")
            ? command
            : throw new ServerException(ErrorCode.UnsupportedOpQueryCommand, $"Unsupported OP_QUERY command: {name}. The client driver may require an upgrade.");
    }

    /// <summary>
    /// Writes a reply: <c>{ header | responseFlags int32 | cursorId int64 | startingFrom int32 | numberReturned int32 |
    /// document }</c>.
    /// </summary>
    public static byte[] WriteReply(int requestId, int responseTo, ReadOnlySpan<byte> document)
    {
        const int Fields = sizeof(int) + sizeof(long) + sizeof(int) + sizeof(int);
        var message = new byte[MessageHeader.Length + Fields + document.Length];
        new MessageHeader(message.Length, requestId, responseTo, OpCode.Reply).Write(message);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(MessageHeader.Length), AwaitCapable);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(MessageHeader.Length + Fields - sizeof(int)), 1);
        document.CopyTo(message.AsSpan(MessageHeader.Length + Fields));
        return message;
    }
}
