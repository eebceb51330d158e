using System.Buffers.Binary;

namespace Medco.Csfle.Engine.Wire;

/// <summary>
/// What every message starts with: <c>{ messageLength int32 | requestId int32 | responseTo int32 | opCode int32 }</c>,
/// little-endian; the length counts the header. Source: MongoDB manual, "MongoDB Wire Protocol".
/// </summary>
internal readonly record struct MessageHeader(int MessageLength, int RequestId, int ResponseTo, int OpCode)
{
    /// <summary>Its own length in bytes.</summary>
    public const int Length = 4 * sizeof(int);

    /// <summary>The longest message, in bytes, header included: what <c>hello</c> announces as <c>maxMessageSizeBytes</c>.</summary>
    public const int MaxMessageLength = 48_000_000;

    /// <summary>Whether a message can have this length.</summary>
    public bool IsPossible => MessageLength is >= Length and <= MaxMessageLength;

    /// <summary>Reads the header of a message.</summary>
    public static MessageHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]));

    /// <summary>Writes the header of a message.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, MessageLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], RequestId);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], ResponseTo);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], OpCode);
    }
}

/// <summary>The kinds of messages that are read and written.</summary>
internal static class OpCode
{
    /// <summary>The old reply, in answer to <see cref="Query"/>.</summary>
    public const int Reply = 1;

    /// <summary>The old query, with which drivers say their first hello.</summary>
    public const int Query = 2004;

    /// <summary>Every command and every reply to it.</summary>
    public const int Msg = 2013;
}

/// <summary>Bytes that are no message; whoever sends them is hung up on. It does not leave the connection that it happens on.</summary>
internal sealed class MalformedMessageException(string what) : Exception(what);
