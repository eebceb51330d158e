using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// MongoDB's fail point <c>failCommand</c>: makes the commands it names slow, or fail, as often as it was told to. One per server.
/// </summary>
internal sealed class FailCommand
{
    private readonly Lock _lock = new();
    private HashSet<string> _commands = [];
    private Fault? _fault;
    private long _times;

    /// <summary>Lets a fault happen to commands; null for none.</summary>
    public void Configure(Fault? fault, IEnumerable<string> commands, long times)
    {
        lock (_lock)
        {
            _fault = fault;
            _commands = [.. commands];
            _times = times;
        }
    }

    /// <summary>What happens to a command that is about to run.</summary>
    public Fault? Take(string command)
    {
        lock (_lock)
        {
            if (_times == 0 || !_commands.Contains(command)) return null;
            _times--;
            return _fault;
        }
    }

    /// <summary>What happens to a command.</summary>
    /// <param name="Delay">How long it is held back.</param>
    /// <param name="ErrorCode">The code it then fails with; null where it goes on.</param>
    /// <param name="ErrorLabels">The labels of that error.</param>
    internal sealed record Fault(TimeSpan Delay, int? ErrorCode, IReadOnlyList<Value> ErrorLabels)
    {
        /// <exception cref="ServerException">The command fails.</exception>
        /// <exception cref="OperationCanceledException">The caller gave up waiting.</exception>
        public void Happen(CancellationToken cancellationToken)
        {
            if (Delay > TimeSpan.Zero) cancellationToken.WaitHandle.WaitOne(Delay);
            cancellationToken.ThrowIfCancellationRequested();
            if (ErrorCode is not { } code) return;
            throw new ServerException(code, "Failing command via 'failCommand' failpoint",
                ErrorLabels.Count == 0 ? null : [new("errorLabels", Value.FromArray(ErrorLabels))]);
        }
    }
}
