using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Medco.Csfle.Engine;

namespace Medco.Csfle.KeyRace;

/// <summary>Runs commands on a server over one connection of its own: OP_MSG with one section, one command at a time.</summary>
internal sealed class TcpCommandRunner(int port) : IMongoCommandRunner, IDisposable
{
    private const int OpMsg = 2013;
    private const int HeaderLength = 16;
    private const int BodyOffset = HeaderLength + sizeof(uint) + 1;

    private readonly TcpClient _client = new("127.0.0.1", port);

    public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        var stream = _client.GetStream();
        stream.Write(Message(databaseName, command.Span));
        var header = new byte[HeaderLength];
        stream.ReadExactly(header);
        var rest = new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - HeaderLength];
        stream.ReadExactly(rest);
        return rest[(BodyOffset - HeaderLength)..];
    }

    public async ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        var stream = _client.GetStream();
        await stream.WriteAsync(Message(databaseName, command.Span), cancellationToken);
        var header = new byte[HeaderLength];
        await stream.ReadExactlyAsync(header, cancellationToken);
        var rest = new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - HeaderLength];
        await stream.ReadExactlyAsync(rest, cancellationToken);
        return rest[(BodyOffset - HeaderLength)..];
    }

    public void Dispose() => _client.Dispose();

    private static byte[] Message(string databaseName, ReadOnlySpan<byte> command)
    {
        // The command with $db behind its own elements.
        var name = Encoding.UTF8.GetBytes(databaseName);
        byte[] element = [2, .. "$db"u8, 0, .. BitConverter.GetBytes(name.Length + 1), .. name, 0];
        byte[] message = [.. new byte[BodyOffset], .. command[..^1], .. element, 0];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), 1);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(12), OpMsg);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(BodyOffset), message.Length - BodyOffset);
        return message;
    }
}
