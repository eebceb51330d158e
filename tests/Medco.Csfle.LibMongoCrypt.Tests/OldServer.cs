using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MongoDB.Bson;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>A server of MongoDB 3.6, as far as it says so: it answers everything with its version.</summary>
internal sealed class OldServer : IDisposable
{
    private const int OpReply = 1;
    private const int OpQuery = 2004;
    private const int OpMsg = 2013;

    private static readonly byte[] Hello = new BsonDocument
    {
        { "ismaster", true }, { "isWritablePrimary", true }, { "iscryptd", true }, { "minWireVersion", 0 }, { "maxWireVersion", 6 }, { "ok", 1 },
    }.ToBson();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public OldServer()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        var stream = connection.GetStream();
        try
        {
            while (true)
            {
                var header = new byte[16];
                await stream.ReadExactlyAsync(header);
                await stream.ReadExactlyAsync(new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - header.Length]);
                await stream.WriteAsync(Answer(BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4)), BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12))));
            }
        }
        catch (IOException)
        {
            // The driver hung up.
        }
    }

    private static byte[] Answer(int request, int operation)
    {
        // { flags 4 | cursor 8 | from 4 | count 4 } or { flags 4 | kind 1 }.
        byte[] start = operation == OpQuery ? [8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0] : [0, 0, 0, 0, 0];
        var message = new byte[16 + start.Length + Hello.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(8), request);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), operation == OpQuery ? OpReply : OpMsg);
        start.CopyTo(message, 16);
        Hello.CopyTo(message, 16 + start.Length);
        return message;
    }
}
