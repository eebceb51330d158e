using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Replication;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>What a command works on.</summary>
/// <param name="Database">The database it runs in.</param>
/// <param name="Arguments">Its fields.</param>
/// <param name="Catalog">The collections of all databases.</param>
/// <param name="Cursors">The open cursors.</param>
/// <param name="FailCommand">The fail point.</param>
/// <param name="ConnectionId">The number of the connection it came on; 0 where it came on none.</param>
/// <param name="Reply">Where it writes the fields of its reply; <c>ok</c> is written for it.</param>
internal sealed record CommandContext(
    string Database, CommandArguments Arguments, Catalog Catalog, CursorTable Cursors, FailCommand FailCommand, int ConnectionId, BsonWriter Reply)
{
    /// <summary>The replica set that the server is; null for a standalone.</summary>
    public ReplicaSet? ReplicaSet { get; init; }

    /// <summary>The transaction the command runs in.</summary>
    public Transaction? Transaction { get; init; }

    /// <summary>The statements of the command that were executed already.</summary>
    public required StatementLog Statements { get; init; }

    /// <summary>How long the command has been waiting.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>A cursor over documents, which belongs to the transaction.</summary>
    public Cursor CreateCursor(string fullName, IReadOnlyList<Document> documents) => Cursors.Create(fullName, documents, Transaction);
}

/// <summary>Whether a command can be part of a transaction (manual, "Transactions and Operations").</summary>
internal enum InTransactions
{
    Never,
    NotFirst,
    Always,
}

/// <summary>One command of this server.</summary>
/// <param name="Name">Its name, case-sensitive.</param>
/// <param name="Run">Runs it; an error is a <see cref="ServerException"/>.</param>
internal sealed record CommandDefinition(string Name, Action<CommandContext> Run)
{
    public bool TakesReadConcern { get; init; }

    public bool TakesWriteConcern { get; init; }

    public InTransactions InTransactions { get; init; }

    /// <summary>Whether it commits or aborts a transaction.</summary>
    public bool EndsTransactions { get; init; }

    /// <summary>Whether a driver may send it again under the same transaction number.</summary>
    public bool IsRetryable { get; init; }
}
