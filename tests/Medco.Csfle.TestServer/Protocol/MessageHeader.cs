using System.Buffers.Binary;

namespace Medco.Csfle.TestServer.Protocol;

/// <summary>
/// What every message starts with: <c>{ messageLength int32 | requestId int32 | responseTo int32 | opCode int32 }</c>,
/// little-endian; the length counts the header.
/// </summary>
internal readonly record struct MessageHeader(int MessageLength, int RequestId, int ResponseTo, int OpCode)
{
    public const int Length = 16;

    public static MessageHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, MessageLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], RequestId);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], ResponseTo);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], OpCode);
    }
}
