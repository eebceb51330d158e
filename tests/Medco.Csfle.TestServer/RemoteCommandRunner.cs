using System.Net.Sockets;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Protocol;

namespace Medco.Csfle.TestServer;

/// <summary>
/// Runs commands on a MongoDB server elsewhere, over one connection, without a driver: enough for samples and tests of the
/// engine alone. One host, no authentication, no TLS; for anything more there is MongoDB.Driver.
/// </summary>
public sealed class RemoteCommandRunner : IMongoCommandRunner, IDisposable
{
    private readonly TcpClient _client;
    private readonly object _lock = new();
    private int _requestId;

    private RemoteCommandRunner(TcpClient client) => _client = client;

    /// <summary>Connects.</summary>
    /// <param name="connectionString"><c>mongodb://host[:port][/...]</c>.</param>
    /// <exception cref="NotSupportedException">The connection string asks for what this client does not have.</exception>
    /// <exception cref="SocketException">There is no server.</exception>
    public static RemoteCommandRunner Connect(string connectionString)
    {
        ArgumentNullException.ThrowIfNull(connectionString);
        const int DefaultPort = 27017;
        if (!Uri.TryCreate(connectionString, UriKind.Absolute, out var uri)
            || uri.Scheme != "mongodb" || uri.UserInfo.Length > 0 || uri.Host.Contains(',', StringComparison.Ordinal)
            || uri.Query.Contains("tls=true", StringComparison.OrdinalIgnoreCase) || uri.Query.Contains("ssl=true", StringComparison.OrdinalIgnoreCase))
        {
            throw new NotSupportedException("This client takes mongodb://host:port, one host without authentication and TLS.");
        }

        return new RemoteCommandRunner(new TcpClient(uri.Host, uri.Port > 0 ? uri.Port : DefaultPort));
    }

    /// <inheritdoc/>
    public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        using var writer = new BsonWriter(command.Length + 64);
        writer.StartDocument();
        writer.WriteElements(command.Span);
        writer.WriteString("$db"u8, databaseName);
        writer.EndDocument();

        // One command at a time: a reply follows its request on the same connection.
        lock (_lock)
        {
            using var registration = cancellationToken.Register(_client.Close);
            var stream = _client.GetStream();
            stream.Write(OpMsg.WriteReply(++_requestId, 0, writer.WrittenSpan));
            var header = new byte[MessageHeader.Length];
            stream.ReadExactly(header);
            var length = MessageHeader.Read(header).MessageLength;
            if (length < MessageHeader.Length || length > WireLimits.MaxMessageBytes) throw new ProtocolException($"a reply of {length} bytes");
            var message = new byte[length];
            header.CopyTo(message, 0);
            stream.ReadExactly(message.AsSpan(MessageHeader.Length));
            return OpMsg.Read(message).Command.Bytes.ToArray();
        }
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
        => new(Task.Run(() => RunCommand(databaseName, command, cancellationToken), cancellationToken));

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();
}
