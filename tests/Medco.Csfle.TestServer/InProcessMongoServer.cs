using System.Net;
using System.Net.Sockets;
using Medco.Csfle.Engine;
using Medco.Csfle.TestServer.Commands;
using Medco.Csfle.TestServer.Protocol;
using Medco.Csfle.TestServer.Replication;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer;

/// <summary>
/// A MongoDB server in this process, for tests and samples: a standalone, or a replica set of one member, of wire version 21
/// (MongoDB 7.0) that keeps its data in memory. It speaks MongoDB's wire protocol on a loopback port of its own, and runs the same commands directly, without the
/// socket, as an <see cref="IMongoCommandRunner"/>. What it does not know is an error with MongoDB's code, never ignored.
/// </summary>
public sealed class InProcessMongoServer : IMongoCommandRunner, IAsyncDisposable, IDisposable
{
    private readonly CommandDispatcher _dispatcher;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _lock = new();
    private readonly Dictionary<int, (ClientConnection Connection, Task Served)> _connections = [];
    private readonly List<ReceivedCommand> _commands = [];
    private readonly Task _accepting;
    private int _lastConnectionId;
    private volatile bool _isStopping;

    private InProcessMongoServer(string? replicaSet)
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        ConnectionString = $"mongodb://127.0.0.1:{Port}{(replicaSet is null ? "" : $"/?replicaSet={replicaSet}")}";
        _dispatcher = new CommandDispatcher(replicaSet is null ? null : new ReplicaSet(replicaSet, $"127.0.0.1:{Port}"));
        _accepting = StartThread(Accept);
    }

    /// <summary>Raised for every command before it runs, on the thread that runs it.</summary>
    public event EventHandler<ReceivedCommand>? CommandReceived;

    /// <summary>The port on 127.0.0.1 that the server listens on.</summary>
    public int Port { get; }

    /// <summary>What a driver connects to.</summary>
    public string ConnectionString { get; }

    /// <summary>Whether received commands are kept in <see cref="Commands"/>; true unless a long run turns it off.</summary>
    public bool KeepsCommands { get; set; } = true;

    /// <summary>The commands received so far, in the order they came.</summary>
    public IReadOnlyList<ReceivedCommand> Commands
    {
        get
        {
            lock (_lock) return [.. _commands];
        }
    }

    /// <summary>Starts a standalone without any data on a free port.</summary>
    /// <returns>The server, which listens already.</returns>
    public static InProcessMongoServer Start() => new(replicaSet: null);

    /// <summary>
    /// Starts a replica set of one member without any data on a free port. Beyond what a standalone does it has retryable writes,
    /// multi-document transactions and change streams, without pre- and post-images.
    /// </summary>
    /// <param name="name">The name of the set: letters, digits, <c>-</c> and <c>_</c>.</param>
    /// <returns>The server, which listens already.</returns>
    public static InProcessMongoServer StartReplicaSet(string name = "rs0")
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? new(name)
            : throw new ArgumentException("A replica set is named with letters, digits, - and _ here.", nameof(name));
    }

    /// <summary>Forgets the commands received so far.</summary>
    public void ClearCommands()
    {
        lock (_lock) _commands.Clear();
    }

    /// <inheritdoc/>
    public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isStopping, this);
        cancellationToken.ThrowIfCancellationRequested();

        Document parsed;
        try
        {
            // The caller may use its memory again; what is stored must not change with it.
            parsed = Document.Parse(command.ToArray());
        }
        catch (BsonFormatException e)
        {
            return CommandDispatcher.Error(new ServerException(ErrorCode.InvalidBson, e.Message));
        }

        return parsed.Find("$db") is null
            ? Run(databaseName, parsed, connectionId: 0, cancellationToken)
            : CommandDispatcher.Error(ServerException.BadValue("a command that is run directly carries no $db"));
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        try
        {
            return ValueTask.FromResult(RunCommand(databaseName, command, cancellationToken));
        }
        catch (OperationCanceledException)
        {
            return ValueTask.FromCanceled<byte[]>(cancellationToken);
        }
    }

    /// <summary>Stops listening, closes every connection, and waits until the last command has ended.</summary>
    public ValueTask DisposeAsync() => new(Task.WhenAll(Stop()));

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => Task.WaitAll(Stop());

    private byte[] Run(string database, Document command, int connectionId, CancellationToken cancellationToken)
    {
        try
        {
            Record(database, command);
        }
        catch (Exception e)
        {
            // What a listener throws is told to the client, so that a test sees it and the server goes on.
            return CommandDispatcher.Error(new ServerException(ErrorCode.InternalError, $"a listener of {nameof(CommandReceived)} threw: {e.Message}"));
        }

        return _dispatcher.Run(database, command, connectionId, cancellationToken);
    }

    private void Record(string database, Document command)
    {
        var listeners = CommandReceived;
        if (!KeepsCommands && listeners is null) return;

        var received = new ReceivedCommand(database, command.Count > 0 ? command[0].Name : "", command.Bytes);
        if (KeepsCommands)
        {
            lock (_lock) _commands.Add(received);
        }

        listeners?.Invoke(this, received);
    }

    private void Accept()
    {
        while (true)
        {
            try
            {
                Serve(_listener.AcceptSocket());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                if (_isStopping) return;
                // A client that left while it was being accepted; the next one may stay.
            }
        }
    }

    private void Serve(Socket socket)
    {
        lock (_lock)
        {
            if (_isStopping)
            {
                socket.Dispose();
                return;
            }

            var id = ++_lastConnectionId;
            var connection = new ClientConnection(id, socket, (database, command, connectionId) => Run(database, command, connectionId, CancellationToken.None));
            var served = StartThread(() =>
            {
                connection.Serve();
                lock (_lock) _connections.Remove(id);
            });
            _connections.Add(id, (connection, served));
        }
    }

    /// <summary>Closes everything.</summary>
    /// <returns>What still runs for a moment.</returns>
    private Task[] Stop()
    {
        _dispatcher.Stop();
        lock (_lock)
        {
            _isStopping = true;
            _listener.Stop();
            foreach (var (connection, _) in _connections.Values) connection.Dispose();
            return [_accepting, .. _connections.Values.Select(entry => entry.Served)];
        }
    }

    private static Task StartThread(Action run)
        => Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
