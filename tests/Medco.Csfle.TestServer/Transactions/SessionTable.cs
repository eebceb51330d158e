using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Commands;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Transactions;

/// <summary>
/// The sessions that have written with a transaction number, and what each did last under its number: a retryable write, or a
/// transaction. As the driver specifications "Transactions" and "Retryable Writes" have it.
/// </summary>
/// <param name="catalog">What is committed.</param>
/// <param name="open">Receives the transactions in progress.</param>
internal sealed class SessionTable(Catalog catalog, ICollection<Transaction> open)
{
    private static readonly string[] ReservedDatabases = ["admin", "config", "local"];

    private readonly Dictionary<string, Session> _sessions = [];

    /// <summary>Finds out in which transaction a command runs, and starts it where the command does.</summary>
    /// <returns>The transaction or null, and the log for the statements of the command.</returns>
    /// <exception cref="ServerException">The command may not run so.</exception>
    public (Transaction? Transaction, StatementLog Statements) Enter(CommandDefinition definition, string database, CommandArguments arguments)
    {
        AbortTooOld();
        var number = Number(arguments);
        var starts = Only(arguments, "startTransaction", expected: true);
        var isTransaction = Only(arguments, "autocommit", expected: false);
        if (number is null)
        {
            if (starts || isTransaction) throw Invalid("'startTransaction' and 'autocommit' need a 'txnNumber'");
            if (definition.EndsTransactions) throw new ServerException(ErrorCode.CommandFailed, $"{definition.Name} must be run within a transaction");
            return (null, new StatementLog(isRetryable: false));
        }

        var lsid = arguments.OptionalDocument("lsid") ?? throw Invalid("Transaction number requires a session ID to also be specified");
        if (number < 0) throw Invalid("Transaction number cannot be negative");
        if (starts && !isTransaction) throw Invalid("'startTransaction' needs 'autocommit: false'");
        var session = SessionOf(lsid);
        if (number < session.Number)
        {
            throw new ServerException(ErrorCode.TransactionTooOld, $"Cannot start transaction {number} on session because a newer transaction {session.Number} has already started on this session.");
        }

        return isTransaction
            ? (EnterTransaction(session, number.Value, starts, lsid, definition, database, arguments), new StatementLog(isRetryable: false))
            : (null, EnterWrite(session, number.Value, definition));
    }

    /// <summary>Aborts the transactions that have lasted too long.</summary>
    public void AbortTooOld()
    {
        foreach (var old in open.Where(transaction => transaction.IsTooOld).ToArray()) old.Abort();
    }

    /// <summary>Ends sessions, and with them their transactions.</summary>
    public void End(IEnumerable<Document> sessions)
    {
        foreach (var lsid in sessions)
        {
            if (_sessions.Remove(KeyOf(lsid), out var session)) session.Transaction?.Abort();
        }
    }

    private Transaction EnterTransaction(
        Session session, long number, bool starts, Document lsid, CommandDefinition definition, string database, CommandArguments arguments)
    {
        var current = session.Number == number ? session.Transaction : null;
        if (starts && session.Number == number)
        {
            throw new ServerException(ErrorCode.ConflictingOperationInProgress, $"Cannot start a transaction at given transaction number {number}: the number is used already");
        }

        if (!starts) CheckState(current, number, session, definition);
        try
        {
            CheckCommand(definition, database, starts);
            CheckConcerns(definition, arguments, starts);
        }
        catch (ServerException)
        {
            current?.Abort();
            throw;
        }

        if (starts)
        {
            session.Transaction?.Abort();
            session.Number = number;
            session.Statements = null;
            session.Transaction = current = new Transaction(number, lsid, catalog, open);
        }

        if (arguments.First.Type == BsonType.String) current!.Use($"{database}.{arguments.First.Text}");
        return current!;
    }

    private static void CheckState(Transaction? current, long number, Session session, CommandDefinition definition)
    {
        if (current is null)
        {
            throw new ServerException(
                ErrorCode.NoSuchTransaction, $"Given transaction number {number} does not match any in-progress transactions. The active transaction number is {session.Number}");
        }

        if (current.State == TransactionState.Aborted) throw new ServerException(ErrorCode.NoSuchTransaction, $"Transaction {number} has been aborted.");
        if (current.State == TransactionState.Committed && definition.Name != "commitTransaction")
        {
            throw new ServerException(ErrorCode.TransactionCommitted, $"Transaction {number} has been committed.");
        }
    }

    private static void CheckCommand(CommandDefinition definition, string database, bool starts)
    {
        var problem = (definition.InTransactions, starts) switch
        {
            (InTransactions.Never, _) => $"Cannot run '{definition.Name}' in a multi-document transaction.",
            (InTransactions.NotFirst, true) => $"Cannot run '{definition.Name}' as the first operation of a multi-document transaction.",
            (InTransactions.Always, _) when ReservedDatabases.Contains(database) => $"Cannot run command against the '{database}' database in a transaction.",
            _ => null,
        };
        if (problem is not null) throw new ServerException(ErrorCode.OperationNotSupportedInTransaction, problem);
    }

    private static void CheckConcerns(CommandDefinition definition, CommandArguments arguments, bool starts)
    {
        if (!starts && arguments.OptionalDocument("readConcern") is { Count: > 0 }) throw Invalid("Only the first command in a transaction may specify a readConcern");
        if (!definition.EndsTransactions && arguments.OptionalDocument("writeConcern") is not null) throw Invalid("writeConcern is not allowed within a multi-statement transaction");
    }

    private static StatementLog EnterWrite(Session session, long number, CommandDefinition definition)
    {
        if (!definition.IsRetryable)
        {
            throw Invalid($"txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and {definition.Name} is not a retryable write command.");
        }

        if (number == session.Number)
        {
            return session.Statements
                ?? throw new ServerException(ErrorCode.ConflictingOperationInProgress, $"The transaction number {number} is that of a transaction");
        }

        session.Transaction?.Abort();
        session.Transaction = null;
        session.Number = number;
        return session.Statements = new StatementLog(isRetryable: true);
    }

    private Session SessionOf(Document lsid)
    {
        var key = KeyOf(lsid);
        if (!_sessions.TryGetValue(key, out var session)) _sessions[key] = session = new Session();
        return session;
    }

    private static string KeyOf(Document lsid)
        => lsid.Find("id") is { Type: BsonType.Binary } id ? Convert.ToHexString(id.Binary) : throw ServerException.TypeMismatch("BSON field 'lsid.id' must be a UUID");

    private static long? Number(CommandArguments arguments)
        => arguments.Optional("txnNumber") switch
        {
            null => null,
            { Type: BsonType.Int64 } value => value.Int64,
            var value => throw arguments.WrongType("txnNumber", value, "long"),
        };

    /// <returns>Whether the field is there; it has one value only.</returns>
    private static bool Only(CommandArguments arguments, string name, bool expected)
    {
        if (arguments.Optional(name) is null) return false;
        return arguments.Boolean(name, otherwise: expected) == expected ? true : throw Invalid($"'{name}' may only be {(expected ? "true" : "false")}");
    }

    private static ServerException Invalid(string message) => new(ErrorCode.InvalidOptions, message);

    /// <summary>One session: the last number it used, and for what.</summary>
    private sealed class Session
    {
        public long Number { get; set; } = -1;

        public Transaction? Transaction { get; set; }

        public StatementLog? Statements { get; set; }
    }
}
