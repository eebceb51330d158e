using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Tests.Protocol;

/// <summary>A client that puts bytes together by hand, so that nothing of the server's own writing is trusted.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    public RawClient(InProcessMongoServer server)
    {
        _client = new TcpClient("127.0.0.1", server.Port) { ReceiveTimeout = 10_000 };
        _stream = _client.GetStream();
    }

    public static byte[] Body(string json) => [0, .. Bson.Bytes(json)];

    public static byte[] Sequence(string identifier, params string[] documents)
    {
        byte[] content = [.. Encoding.UTF8.GetBytes(identifier), 0, .. documents.SelectMany(Bson.Bytes)];
        return [1, .. Int32(4 + content.Length), .. content];
    }

    /// <summary>A whole OP_MSG.</summary>
    public static byte[] Msg(uint flags, params byte[][] sections) => Message(2013, [.. BitConverter.GetBytes(flags), .. sections.SelectMany(section => section)]);

    /// <summary>A whole OP_MSG with this checksum, or the right one.</summary>
    public static byte[] MsgWithChecksum(byte[] section, uint? checksum = null)
    {
        var message = Message(2013, [1, 0, 0, 0, .. section, 0, 0, 0, 0]);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(message.Length - 4), checksum ?? Crc32C.Compute(message.AsSpan(0, message.Length - 4)));
        return message;
    }

    /// <summary>A whole OP_QUERY.</summary>
    public static byte[] Query(string ns, string json)
        => Message(2004, [0, 0, 0, 0, .. Encoding.UTF8.GetBytes(ns), 0, 0, 0, 0, 0, .. Int32(-1), .. Bson.Bytes(json)]);

    public static byte[] Message(int opCode, byte[] content) => [.. Int32(16 + content.Length), .. Int32(77), .. Int32(0), .. Int32(opCode), .. content];

    public void Send(byte[] bytes) => _stream.Write(bytes);

    /// <summary>Sends nothing more, as a client that leaves in the middle of something.</summary>
    public void EndSending() => _client.Client.Shutdown(SocketShutdown.Send);

    public Document RoundTrip(byte[] message)
    {
        Send(message);
        return ReadMsg();
    }

    public Document RoundTrip(string json) => RoundTrip(Msg(0, Body(json)));

    public Document ReadMsg()
    {
        var message = ReadMessage(2013);
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(16)));
        Assert.Equal(0, message[20]);
        return Document.Parse(message.AsMemory(21));
    }

    public Document ReadReply()
    {
        var message = ReadMessage(1);
        Assert.Equal(0L, BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(20)));
        Assert.Equal(1, BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(32)));
        return Document.Parse(message.AsMemory(36));
    }

    /// <summary>Whether the server has closed the connection, without a further answer.</summary>
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
        Assert.Equal(77, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)));
        Assert.Equal(opCode, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12)));
        var message = new byte[BinaryPrimitives.ReadInt32LittleEndian(header)];
        header.CopyTo(message, 0);
        _stream.ReadExactly(message.AsSpan(16));
        return message;
    }

    private static byte[] Int32(int value) => BitConverter.GetBytes(value);
}
