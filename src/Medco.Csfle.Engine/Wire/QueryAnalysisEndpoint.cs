using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Medco.Csfle.Engine.Wire;

/// <summary>
/// Query analysis as a process of MongoDB's own would offer it: drivers that encrypt with libmongocrypt connect here instead of to
/// mongocryptd, and get their commands back with markings. It listens on 127.0.0.1 alone, holds no keys, and stops with its
/// owner: once it is disposed of, nothing listens, no connection is open and nothing runs.
/// </summary>
/// <remarks>
/// A driver is pointed here with the options <c>mongocryptdURI</c> (<see cref="ConnectionString"/>) and
/// <c>mongocryptdBypassSpawn: true</c>. Whoever may connect to the machine's loopback can have commands analysed, and learns
/// nothing that it did not send.
/// </remarks>
internal sealed class QueryAnalysisEndpoint : IAsyncDisposable, IDisposable
{
    // After a failed accept: without file descriptors the next one would fail at once.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly QueryAnalysisEndpointOptions _options;
    private readonly ILogger _logger;
    private readonly EndpointReplies _replies;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<EndpointConnection, Task> _connections = [];
    private readonly Task _accepting;

    private QueryAnalysisEndpoint(QueryAnalysisEndpointOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _replies = new EndpointReplies(options.TimeProvider, logger);
        _listener = Listen(options.Port);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        logger.EndpointListens(Port);
        _accepting = AcceptAsync();
    }

    /// <summary>The port on 127.0.0.1 that it listens on.</summary>
    public int Port { get; }

    /// <summary>What a driver connects to.</summary>
    public string ConnectionString => $"mongodb://127.0.0.1:{Port}";

    /// <summary>How many clients are connected.</summary>
    public int ConnectionCount
    {
        get
        {
            lock (_connections) return _connections.Count;
        }
    }

    /// <summary>Starts to listen.</summary>
    /// <param name="options">Port and limits; the defaults where null.</param>
    /// <param name="logger">Receives ports and counts; null for none.</param>
    /// <exception cref="EndpointException">The port cannot be listened on.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static QueryAnalysisEndpoint Start(QueryAnalysisEndpointOptions? options = null, ILogger? logger = null)
    {
        options ??= new QueryAnalysisEndpointOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Port, IPEndPoint.MaxPort);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConnections, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.IdleTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.MessageTimeout, TimeSpan.Zero);
        return new QueryAnalysisEndpoint(options, logger ?? NullLogger.Instance);
    }

    /// <summary>Stops listening, hangs up on every client, and waits until the last command has been analysed.</summary>
    public async ValueTask DisposeAsync() => await Stop().ConfigureAwait(false);

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => Stop().GetAwaiter().GetResult();

    private static Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Elsewhere a port has one listener anyhow.
            if (OperatingSystem.IsWindows()) listener.ExclusiveAddressUse = true;
            listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            listener.Listen();
            return listener;
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new EndpointException(port, e);
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Serve(await _listener.AcceptAsync(_stopping.Token).ConfigureAwait(false));
            }
            catch (SocketException)
            {
                await Task.Delay(Pause, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Serve(Socket socket)
    {
        var connection = new EndpointConnection(socket, _replies, _options);
        lock (_connections)
        {
            if (!_stopping.IsCancellationRequested && _connections.Count < _options.MaxConnections)
            {
                _connections.Add(connection, Task.Run(() => ServeAsync(connection)));
                return;
            }
        }

        connection.Dispose();
        _logger.EndpointConnectionRefused(Port, _options.MaxConnections);
    }

    private async Task ServeAsync(EndpointConnection connection)
    {
        try
        {
            await connection.ServeAsync().ConfigureAwait(false);
        }
        finally
        {
            lock (_connections) _connections.Remove(connection);
        }
    }

    private Task Stop()
    {
        lock (_connections)
        {
            _stopping.Cancel();
            _listener.Dispose();
            foreach (var connection in _connections.Keys) connection.Dispose();
            return Task.WhenAll([_accepting, .. _connections.Values]);
        }
    }
}
