using System.Diagnostics;
using System.Globalization;
using Medco.Csfle.TestServer;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// A client as small as can be: it sends commands to the in-process server, through an engine where it encrypts, and keeps what
/// it sent and received as the events that a driver would publish. What the engine asks the server for itself (schemas, data
/// keys) goes the same way but past the engine.
/// </summary>
/// <param name="server">The server.</param>
/// <param name="isAsync">Which of the engine's two paths to use.</param>
internal sealed class SpecClient(InProcessMongoServer server, bool isAsync) : IMongoCommandRunner, IDisposable
{
    private readonly List<SpecEvent> _events = [];
    private Deadline? _deadline;

    /// <summary>Encrypts and decrypts; null for a client without.</summary>
    public SpecEncryption? Encryption { get; init; }

    /// <summary>How long an operation may take, all it does included; null for as long as it wants.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Commands that are left out of the events.</summary>
    public IReadOnlySet<string> IgnoredCommands { get; init; } = new HashSet<string>();

    public bool IsAsync => isAsync;

    public IReadOnlyList<SpecEvent> Events => _events;

    /// <summary>Stops an operation after <see cref="Timeout"/>.</summary>
    public async ValueTask<T> LimitAsync<T>(Func<ValueTask<T>> operation)
    {
        if (Timeout is not { } timeout) return await operation();
        using var deadline = new Deadline(timeout);
        _deadline = deadline;
        try
        {
            return await operation();
        }
        catch (OperationCanceledException) when (deadline.Token.IsCancellationRequested)
        {
            throw new SpecTimeoutException();
        }
        finally
        {
            _deadline = null;
        }
    }

    /// <summary>Encrypts, sends, decrypts.</summary>
    /// <returns>The reply, which is no error.</returns>
    public async ValueTask<Document> RunAsync(string database, Document command)
    {
        ReadOnlyMemory<byte> sent = command.Bytes;
        if (Encryption is { EncryptsCommands: true } encryption)
        {
            sent = isAsync
                ? await encryption.Engine.EncryptCommandAsync(database, sent, Token)
                : encryption.Engine.EncryptCommand(database, sent, Token);
        }

        ReadOnlyMemory<byte> reply = Send(database, sent, Token);
        if (Encryption is { } decryption)
        {
            reply = isAsync ? await decryption.Engine.DecryptReplyAsync(reply, Token) : decryption.Engine.DecryptReply(reply, Token);
        }

        var parsed = Document.Parse(reply);
        SpecServerException.ThrowIfError(parsed);
        return parsed;
    }

    /// <summary>Runs a command that returns a cursor, and reads it to its end.</summary>
    public async ValueTask<Value> IterateAsync(string database, Document command)
    {
        var found = new List<Value>();
        var batchSize = command.Find("batchSize") ?? command.OptionalDocument("cursor")?.Find("batchSize");
        var cursor = (await RunAsync(database, command)).OptionalDocument("cursor") ?? throw new SpecFailure($"no cursor came back from {command[0].Name}");
        found.AddRange(cursor.Find("firstBatch")!.Items);
        while (cursor.Find("id")!.Whole() != 0)
        {
            var ns = cursor.Text("ns");
            var more = SpecDocuments.Of(
                new Element("getMore", cursor.Find("id")!),
                new Element("collection", SpecDocuments.Value(ns[(ns.IndexOf('.', StringComparison.Ordinal) + 1)..])));
            if (batchSize is not null) more = more.With(new Element("batchSize", batchSize));
            cursor = (await RunAsync(database, more)).OptionalDocument("cursor")!;
            found.AddRange(cursor.Find("nextBatch")!.Items);
        }

        return SpecDocuments.Array(found);
    }

    byte[] IMongoCommandRunner.RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        if (isAsync) throw new SpecFailure("the asynchronous path ran a command synchronously");
        return Send(databaseName, command, cancellationToken);
    }

    async ValueTask<byte[]> IMongoCommandRunner.RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        if (!isAsync) throw new SpecFailure("the synchronous path ran a command asynchronously");
        await Task.Yield();
        return Send(databaseName, command, cancellationToken);
    }

    public void Dispose() => Encryption?.Dispose();

    private CancellationToken Token => _deadline?.Token ?? CancellationToken.None;

    private byte[] Send(string database, ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        var document = Document.Parse(command);
        if (_deadline is { } deadline) document = document.With(new Element("maxTimeMS", Value.FromInt64(deadline.RemainingMilliseconds())));
        var name = document[0].Name;
        Publish("commandStartedEvent", name, database, document.With(new Element("$db", SpecDocuments.Value(database))));
        var reply = server.RunCommand(database, document.Bytes, cancellationToken);
        _deadline?.Check();
        var parsed = Document.Parse(reply);
        Publish(parsed.Find("ok")!.IsTrue ? "commandSucceededEvent" : "commandFailedEvent", name, database, parsed);
        return reply;
    }

    private void Publish(string kind, string command, string database, Document body)
    {
        if (!IgnoredCommands.Contains(command)) _events.Add(new SpecEvent(kind, command, database, body));
    }

    /// <summary>The moment by which an operation has to be done.</summary>
    private sealed class Deadline(TimeSpan timeout) : IDisposable
    {
        private readonly CancellationTokenSource _source = new(timeout);
        private readonly Stopwatch _watch = Stopwatch.StartNew();

        public CancellationToken Token => _source.Token;

        public long RemainingMilliseconds()
        {
            Check();
            return Math.Max(1, (long)(timeout - _watch.Elapsed).TotalMilliseconds);
        }

        // On a busy machine the timer can be late; the clock is not.
        public void Check()
        {
            if (_watch.Elapsed >= timeout) _source.Cancel();
            _source.Token.ThrowIfCancellationRequested();
        }

        public void Dispose() => _source.Dispose();
    }
}

/// <summary>One event of command monitoring.</summary>
/// <param name="Kind">As the test files name it.</param>
/// <param name="Command">The command's name.</param>
/// <param name="Database">The database it ran in.</param>
/// <param name="Body">The command with <c>$db</c>, or the reply.</param>
internal sealed record SpecEvent(string Kind, string Command, string Database, Document Body)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} {Body.Json()}");
}
