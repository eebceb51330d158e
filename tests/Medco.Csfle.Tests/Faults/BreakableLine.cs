using System.Net;
using System.Net.Sockets;

namespace Medco.Csfle.Tests.Faults;

/// <summary>A line between a client and a server on this machine that a test can cut and mend.</summary>
internal sealed class BreakableLine : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _lock = new();
    private readonly List<Socket> _sockets = [];
    private readonly int _serverPort;
    private bool _isCut;

    public BreakableLine(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>The port that the line begins at.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Ends every connection, and every new one at once, until it is mended.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            _isCut = true;
            foreach (var socket in _sockets) socket.Close(timeout: 0);
            _sockets.Clear();
        }
    }

    /// <summary>Lets new connections through.</summary>
    public void Mend()
    {
        lock (_lock) _isCut = false;
    }

    public void Dispose()
    {
        _listener.Stop();
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) Connect(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The line is disposed.
        }
    }

    private void Connect(Socket client)
    {
        lock (_lock)
        {
            if (_isCut)
            {
                client.Close(timeout: 0);
                return;
            }

            var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            server.Connect(IPAddress.Loopback, _serverPort);
            client.NoDelay = true;
            _sockets.Add(client);
            _sockets.Add(server);
            _ = PassOnAsync(client, server);
            _ = PassOnAsync(server, client);
        }
    }

    private static async Task PassOnAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var length) await to.SendAsync(buffer.AsMemory(0, length));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut, or hung up.
        }

        from.Dispose();
        to.Dispose();
    }
}
