using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Transactions;

/// <summary>What one statement of a write command did.</summary>
/// <param name="Matched">How many documents it found, inserted or removed.</param>
/// <param name="Modified">How many it changed.</param>
/// <param name="UpsertedId">The <c>_id</c> of the document it inserted as an update.</param>
/// <param name="Reply">What <c>findAndModify</c> answered.</param>
internal sealed record StatementResult(int Matched = 0, int Modified = 0, Value? UpsertedId = null, IReadOnlyList<Element>? Reply = null);

/// <summary>
/// The statements of a write command that have been executed, so that none is a second time: not when the command had to wait in
/// between, and not when a driver sends a retryable write again.
/// </summary>
/// <param name="isRetryable">Whether the command may be sent again; a statement then concerns one document at most.</param>
internal sealed class StatementLog(bool isRetryable)
{
    private readonly Dictionary<int, StatementResult> _executed = [];

    public bool IsRetryable { get; } = isRetryable;

    /// <summary>Executes a statement that was not, and tells what it did.</summary>
    public StatementResult Run(int statement, Func<StatementResult> execute)
    {
        if (!_executed.TryGetValue(statement, out var result)) _executed[statement] = result = execute();
        return result;
    }
}
