using System.Buffers.Binary;
using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Protocol;

/// <summary>
/// OP_MSG: <c>{ header | flagBits uint32 | section+ | checksum uint32? }</c>. A section is <c>{ 0x00 | document }</c>, the command,
/// of which there is one, or <c>{ 0x01 | size int32 | identifier cstring | document* }</c>, a sequence that is part of the command as
/// an array of the identifier's name.
/// </summary>
/// <param name="Command">The command with its sequences folded in.</param>
/// <param name="ExpectsReply">False where the sender said that more is to come and does not read an answer.</param>
internal sealed record OpMsg(Document Command, bool ExpectsReply)
{
    private const uint ChecksumPresent = 1 << 0;
    private const uint MoreToCome = 1 << 1;

    // The lower half must be understood by the receiver; the upper half, exhaustAllowed among it, may be ignored.
    private const uint RequiredFlags = 0xFFFF;
    private const int ChecksumLength = sizeof(uint);

    /// <summary>Reads a whole message.</summary>
    /// <exception cref="ProtocolException">It is not one.</exception>
    /// <exception cref="Medco.Csfle.Engine.BsonFormatException">A document in it is not BSON.</exception>
    public static OpMsg Read(ReadOnlyMemory<byte> message)
    {
        var flags = ReadFlags(message.Span);
        if ((flags & ChecksumPresent) != 0) message = VerifyChecksum(message);

        Document? body = null;
        var sequences = new List<Element>();
        var offset = MessageHeader.Length + sizeof(uint);
        while (offset < message.Length)
        {
            switch (message.Span[offset++])
            {
                case 0:
                    if (body is not null) throw new ProtocolException("OP_MSG has more than one body");
                    body = ReadDocument(message, ref offset, message.Length);
                    break;
                case 1:
                    sequences.Add(ReadSequence(message, ref offset));
                    break;
                case var kind:
                    throw new ProtocolException($"OP_MSG has a section of unknown kind {kind}");
            }
        }

        if (body is null) throw new ProtocolException("OP_MSG has no body");
        return new OpMsg(Fold(body, sequences), (flags & MoreToCome) == 0);
    }

    /// <summary>Writes a reply.</summary>
    public static byte[] WriteReply(int requestId, int responseTo, ReadOnlySpan<byte> document)
    {
        var message = new byte[MessageHeader.Length + sizeof(uint) + 1 + document.Length];
        new MessageHeader(message.Length, requestId, responseTo, OpCode.Msg).Write(message);
        document.CopyTo(message.AsSpan(MessageHeader.Length + sizeof(uint) + 1));
        return message;
    }

    private static uint ReadFlags(ReadOnlySpan<byte> message)
    {
        if (message.Length < MessageHeader.Length + sizeof(uint)) throw new ProtocolException("OP_MSG has no flags");
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(message[MessageHeader.Length..]);
        var unknown = flags & RequiredFlags & ~(ChecksumPresent | MoreToCome);
        return unknown == 0 ? flags : throw new ProtocolException($"OP_MSG has unknown required flags 0x{unknown:X}");
    }

    private static ReadOnlyMemory<byte> VerifyChecksum(ReadOnlyMemory<byte> message)
    {
        if (message.Length < MessageHeader.Length + sizeof(uint) + ChecksumLength) throw new ProtocolException("OP_MSG has no room for its checksum");
        var content = message[..^ChecksumLength];
        return Crc32C.Compute(content.Span) == BinaryPrimitives.ReadUInt32LittleEndian(message.Span[^ChecksumLength..])
            ? content
            : throw new ProtocolException("OP_MSG checksum does not match contents");
    }

    private static Element ReadSequence(ReadOnlyMemory<byte> message, ref int offset)
    {
        if (message.Length - offset < sizeof(int)) throw new ProtocolException("a document sequence is cut off");
        var size = BinaryPrimitives.ReadInt32LittleEndian(message.Span[offset..]);
        if (size < sizeof(int) + 1 || size > message.Length - offset) throw new ProtocolException("the size of a document sequence does not fit");
        var end = offset + size;
        offset += sizeof(int);

        var nameLength = message.Span[offset..end].IndexOf((byte)0);
        if (nameLength < 0) throw new ProtocolException("the identifier of a document sequence has no terminator");
        var name = Encoding.UTF8.GetString(message.Span.Slice(offset, nameLength));
        offset += nameLength + 1;

        var documents = new List<Value>();
        while (offset < end) documents.Add(new Value(ReadDocument(message, ref offset, end)));
        return new Element(name, Value.FromArray(documents));
    }

    private static Document ReadDocument(ReadOnlyMemory<byte> message, ref int offset, int end)
    {
        var start = offset;
        offset = new BsonReader(message.Span[..end], start, 0).End;
        return Document.Parse(message[start..offset]);
    }

    private static Document Fold(Document body, List<Element> sequences)
    {
        if (sequences.Count == 0) return body;
        var names = body.Elements.Select(element => element.Name).ToHashSet();
        foreach (var (name, _) in sequences)
        {
            if (!names.Add(name)) throw new ProtocolException($"'{name}' stands in OP_MSG twice");
        }

        return new Document(body.Elements.Concat(sequences));
    }
}
