using System.Buffers.Binary;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Wire;

/// <summary>
/// OP_MSG: <c>{ header | flagBits uint32 | section+ | checksum uint32? }</c>. A section is <c>{ 0x00 | document }</c>, the command,
/// of which there is one, or <c>{ 0x01 | size int32 | identifier cstring | document* }</c>, a sequence that becomes an array of the
/// identifier's name in the command. Source: MongoDB manual, "MongoDB Wire Protocol".
/// </summary>
/// <param name="Command">The command with its sequences folded in; its content below the first level is not looked at.</param>
/// <param name="ExpectsReply">False where the sender said that more is to come and does not read an answer.</param>
internal readonly record struct OpMsg(ReadOnlyMemory<byte> Command, bool ExpectsReply)
{
    private const int SectionsOffset = MessageHeader.Length + sizeof(uint);
    private const uint ChecksumPresent = 1 << 0;
    private const uint MoreToCome = 1 << 1;

    // The lower half must be understood by the receiver; the upper half, exhaustAllowed among it, may be ignored.
    private const uint RequiredFlags = 0xFFFF;

    /// <summary>Reads a whole message.</summary>
    /// <exception cref="MalformedMessageException">It is not one.</exception>
    /// <exception cref="BsonFormatException">A document in it is not BSON.</exception>
    public static OpMsg Read(ReadOnlyMemory<byte> message)
    {
        var flags = ReadFlags(message.Span);
        if ((flags & ChecksumPresent) != 0) message = VerifyChecksum(message);

        var bytes = message.Span;
        Range? body = null;
        var sequences = new List<Sequence>();
        var offset = SectionsOffset;
        while (offset < bytes.Length)
        {
            var kind = bytes[offset++];
            var start = offset;
            if (kind == 0)
            {
                if (body is not null) throw new MalformedMessageException("OP_MSG has more than one body");
                offset = new BsonReader(bytes, start, 0).End;
                body = start..offset;
            }
            else if (kind == 1)
            {
                if (sequences.Count == Sequence.MaxCount) throw new MalformedMessageException($"OP_MSG has more than {Sequence.MaxCount} document sequences");
                sequences.Add(Sequence.Read(bytes, start));
                offset = sequences[^1].End;
            }
            else
            {
                throw new MalformedMessageException($"OP_MSG has a section of unknown kind {kind}");
            }
        }

        if (body is not { } range) throw new MalformedMessageException("OP_MSG has no body");
        return new OpMsg(sequences.Count == 0 ? message[range] : Fold(bytes, bytes[range], sequences), (flags & MoreToCome) == 0);
    }

    /// <summary>Writes a reply.</summary>
    public static byte[] WriteReply(int requestId, int responseTo, ReadOnlySpan<byte> document)
    {
        var message = new byte[SectionsOffset + 1 + document.Length];
        new MessageHeader(message.Length, requestId, responseTo, OpCode.Msg).Write(message);
        document.CopyTo(message.AsSpan(SectionsOffset + 1));
        return message;
    }

    private static uint ReadFlags(ReadOnlySpan<byte> message)
    {
        if (message.Length < SectionsOffset) throw new MalformedMessageException("OP_MSG has no flags");
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(message[MessageHeader.Length..]);
        var unknown = flags & RequiredFlags & ~(ChecksumPresent | MoreToCome);
        return unknown == 0 ? flags : throw new MalformedMessageException($"OP_MSG has unknown required flags 0x{unknown:X}");
    }

    private static ReadOnlyMemory<byte> VerifyChecksum(ReadOnlyMemory<byte> message)
    {
        var bytes = message.Span;
        var contentLength = bytes.Length - sizeof(uint);
        if (contentLength < SectionsOffset) throw new MalformedMessageException("OP_MSG has no room for its checksum");
        return Crc32C.Compute(bytes[..contentLength]) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[contentLength..])
            ? message[..contentLength]
            : throw new MalformedMessageException("OP_MSG checksum does not match contents");
    }

    private static byte[] Fold(ReadOnlySpan<byte> message, ReadOnlySpan<byte> body, List<Sequence> sequences)
    {
        using var command = new BsonWriter(message.Length);
        command.StartDocument();
        command.WriteElements(body);
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        for (var i = 0; i < sequences.Count; i++)
        {
            if (IsTaken(message, body, sequences, i)) throw new MalformedMessageException("a document sequence has a name that stands in OP_MSG twice");
            command.StartArray(message[sequences[i].Name]);
            var offset = sequences[i].Documents;
            for (var count = 0; offset < sequences[i].End; count++)
            {
                var end = new BsonReader(message[..sequences[i].End], offset, 0).End;
                command.WriteDocument(BsonIndex.Format(count, index), message[offset..end]);
                offset = end;
            }

            command.EndDocument();
        }

        command.EndDocument();
        return command.ToArray();
    }

    private static bool IsTaken(ReadOnlySpan<byte> message, ReadOnlySpan<byte> body, List<Sequence> sequences, int index)
    {
        var name = message[sequences[index].Name];
        for (var i = 0; i < index; i++)
        {
            if (message[sequences[i].Name].SequenceEqual(name)) return true;
        }

        return new BsonReader(body).ReadTo(name);
    }

    /// <summary>Where the parts of a document sequence stand in the message.</summary>
    private readonly record struct Sequence(Range Name, int Documents, int End)
    {
        // A command has one or two; what a hostile message has costs the square of their number.
        public const int MaxCount = 16;

        public static Sequence Read(ReadOnlySpan<byte> message, int start)
        {
            if (message.Length - start < sizeof(int)) throw new MalformedMessageException("a document sequence is cut off");
            var size = BinaryPrimitives.ReadInt32LittleEndian(message[start..]);
            if (size < sizeof(int) + 1 || size > message.Length - start) throw new MalformedMessageException("the size of a document sequence does not fit");
            var end = start + size;
            var name = start + sizeof(int);
            var nameLength = message[name..end].IndexOf((byte)0);
            return nameLength >= 0
                ? new Sequence(name..(name + nameLength), name + nameLength + 1, end)
                : throw new MalformedMessageException("the identifier of a document sequence has no terminator");
        }
    }
}
