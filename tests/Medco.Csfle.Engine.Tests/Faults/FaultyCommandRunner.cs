using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>The way to a server, which a test can cut before a command arrives or before its answer comes back, and change answers on.</summary>
internal sealed class FaultyCommandRunner(IMongoCommandRunner inner) : IMongoCommandRunner
{
    /// <summary>Which command is cut off, counted from 0 since it was set; null for none.</summary>
    public int? CutAt { get; set; }

    /// <summary>Whether the command that is cut off has its effect.</summary>
    public bool ArrivesAllTheSame { get; set; }

    /// <summary>Whether nothing gets through at all.</summary>
    public bool IsDown { get; set; }

    /// <summary>What becomes of an answer on its way back.</summary>
    public Func<byte[], byte[]> OnReply { get; set; } = reply => reply;

    /// <summary>Runs before a command leaves.</summary>
    public Func<CancellationToken, Task> Delay { get; set; } = _ => Task.CompletedTask;

    /// <summary>The commands that left, as JSON.</summary>
    public List<string> Sent { get; } = [];

    public byte[] RunCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        Sent.Add(ExtendedJson.ToJson(command.Span));
        if (IsDown) throw new IOException("No route to host");
        if (CutAt is not { } left) return OnReply(inner.RunCommand(databaseName, command, cancellationToken));
        CutAt = left - 1;
        if (left == 0 && !ArrivesAllTheSame) throw new IOException("Connection refused");
        var reply = inner.RunCommand(databaseName, command, cancellationToken);
        return left == 0 ? throw new IOException("Connection reset by peer") : OnReply(reply);
    }

    public async ValueTask<byte[]> RunCommandAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        await Delay(cancellationToken);
        return RunCommand(databaseName, command, cancellationToken);
    }
}
