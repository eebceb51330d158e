using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Wire;

namespace Medco.Csfle.Engine.Tests.Wire;

/// <summary>A client that puts messages together by hand, so that nothing of the endpoint's own writing is trusted.</summary>
internal sealed class EndpointClient : IDisposable
{
    private const int RequestId = 77;

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    public EndpointClient(QueryAnalysisEndpoint endpoint)
    {
        _client = new TcpClient("127.0.0.1", endpoint.Port) { ReceiveTimeout = 30_000 };
        _stream = _client.GetStream();
    }

    public static byte[] Body(string json) => [0, .. ExtendedJson.ToBson(json)];

    public static byte[] Sequence(string identifier, params string[] documents)
    {
        byte[] content = [.. Encoding.UTF8.GetBytes(identifier), 0, .. documents.SelectMany(ExtendedJson.ToBson)];
        return [1, .. Int32(4 + content.Length), .. content];
    }

    /// <summary>A whole OP_MSG.</summary>
    public static byte[] Msg(uint flags, params byte[][] sections) => Message(2013, [.. BitConverter.GetBytes(flags), .. sections.SelectMany(section => section)]);

    /// <summary>A whole OP_MSG with a checksum, the right one unless given.</summary>
    public static byte[] MsgWithChecksum(byte[] section, uint? checksum = null)
    {
        var message = Message(2013, [1, 0, 0, 0, .. section, 0, 0, 0, 0]);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(message.Length - 4), checksum ?? Crc32C.Compute(message.AsSpan(0, message.Length - 4)));
        return message;
    }

    /// <summary>A whole OP_QUERY.</summary>
    public static byte[] Query(string ns, string json)
        => Message(2004, [0, 0, 0, 0, .. Encoding.UTF8.GetBytes(ns), 0, 0, 0, 0, 0, .. Int32(-1), .. ExtendedJson.ToBson(json)]);

    public static byte[] Message(int opCode, byte[] content) => [.. Int32(16 + content.Length), .. Int32(RequestId), .. Int32(0), .. Int32(opCode), .. content];

    public void Send(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    /// <summary>Sends nothing more, as a client that leaves in the middle of something.</summary>
    public void EndSending() => _client.Client.Shutdown(SocketShutdown.Send);

    public byte[] RoundTrip(byte[] message)
    {
        Send(message);
        return ReadMsg();
    }

    public byte[] RoundTrip(string json) => RoundTrip(Msg(0, Body(json)));

    public byte[] ReadMsg()
    {
        var message = ReadMessage(2013);
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(16)));
        Assert.Equal(0, message[20]);
        return message[21..];
    }

    public byte[] ReadReply()
    {
        var message = ReadMessage(1);
        Assert.Equal(0L, BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(20)));
        Assert.Equal(1, BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(32)));
        return message[36..];
    }

    /// <summary>Whether the endpoint hangs up without a further answer. A byte that it sends instead is lost.</summary>
    public bool IsClosed()
    {
        try
        {
            return _stream.ReadByte() == -1;
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted })
        {
            return true;
        }
    }

    public void Dispose() => _client.Dispose();

    private byte[] ReadMessage(int opCode)
    {
        var header = new byte[16];
        _stream.ReadExactly(header);
        Assert.Equal(RequestId, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)));
        Assert.Equal(opCode, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12)));
        var message = new byte[BinaryPrimitives.ReadInt32LittleEndian(header)];
        header.CopyTo(message, 0);
        _stream.ReadExactly(message.AsSpan(16));
        return message;
    }

    private static byte[] Int32(int value) => BitConverter.GetBytes(value);
}
