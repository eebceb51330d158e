using System.Collections.Concurrent;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests;

/// <summary>
/// A server that answers as a test wants, and keeps what it was asked. It knows which of its two paths was used: what is
/// synchronous has to stay so, and the other way round.
/// </summary>
internal sealed class ScriptedCommandRunner(Func<string, string, string> answer) : IMongoCommandRunner
{
    private readonly ConcurrentQueue<(string Database, string Command)> _received = new();
    private int _synchronous;
    private int _asynchronous;

    /// <summary>Answers one reply after the other; JSON.</summary>
    public ScriptedCommandRunner(params string[] answers)
        : this(Next(new ConcurrentQueue<string>(answers)))
    {
    }

    /// <summary>What was asked, as database and JSON.</summary>
    public IReadOnlyList<(string Database, string Command)> Received => [.. _received];

    public int Synchronous => _synchronous;

    public int Asynchronous => _asynchronous;

    /// <summary>Runs before every answer of the asynchronous path.</summary>
    public Func<CancellationToken, Task> Delay { get; set; } = async _ => await Task.Yield();

    public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _synchronous);
        return Answer(databaseName, command);
    }

    public async ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _asynchronous);
        await Delay(cancellationToken);
        return Answer(databaseName, command);
    }

    private static Func<string, string, string> Next(ConcurrentQueue<string> answers)
        => (_, command) => answers.TryDequeue(out var reply) ? reply : throw new InvalidOperationException($"no answer is left for {command}");

    private byte[] Answer(string databaseName, ReadOnlyMemory<byte> command)
    {
        var json = ExtendedJson.ToJson(command.Span);
        _received.Enqueue((databaseName, json));
        return ExtendedJson.ToBson(answer(databaseName, json));
    }
}
