using System.Diagnostics;
using System.Text;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Replication;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Transactions;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// Runs commands, one at a time: a command sees and changes the storage as if it were alone. One that has to wait for another lets
/// it go first and is run again. Whatever happens, there is a reply.
/// </summary>
/// <param name="replicaSet">The replica set that the server is; null for a standalone.</param>
internal sealed class CommandDispatcher(ReplicaSet? replicaSet)
{
    /// <summary>How long a command waits before it looks whether it was cancelled, or what it waits for has become too old.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    /// <summary>After which errors a driver starts a transaction over (specification "Transactions", "TransientTransactionError").</summary>
    private static readonly int[] TransientErrors = [ErrorCode.WriteConflict, ErrorCode.NoSuchTransaction, ErrorCode.InterruptedAtShutdown];

    // A Lock cannot be waited on.
    private readonly object _lock = new();
    private readonly Catalog _catalog = replicaSet?.Catalog ?? new Catalog(Journal.None);
    private readonly CursorTable _cursors = new();
    private readonly FailCommand _failCommand = new();
    private bool _isStopping;

    /// <summary>Runs a command.</summary>
    /// <returns>Its reply, or the error as a reply.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up while the fail point held the command back.</exception>
    public byte[] Run(string database, Document command, int connectionId, CancellationToken cancellationToken = default)
    {
        try
        {
            if (command.Count == 0) throw new ServerException(ErrorCode.CommandNotFound, "no such command: ''");
            var definition = CommandTable.Find(command[0].Name);
            NamespaceRules.CheckDatabase(database);
            var arguments = new CommandArguments(command);
            GenericArguments.Check(definition, arguments, replicaSet is not null);
            _failCommand.Take(definition.Name)?.Happen(cancellationToken);
            lock (_lock) return Run(definition, database, command, connectionId, cancellationToken);
        }
        catch (ServerException e)
        {
            return Error(e, command);
        }
        catch (BsonFormatException e)
        {
            return Error(new ServerException(ErrorCode.InvalidBson, e.Message), command);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            // A mistake in this server is told to the one who met it; the others go on.
            return Error(new ServerException(ErrorCode.InternalError, $"{e.GetType().Name}: {e.Message}"), command);
        }
    }

    /// <summary>Lets the commands that wait for another fail.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopping = true;
            Monitor.PulseAll(_lock);
        }
    }

    private byte[] Run(CommandDefinition definition, string database, Document command, int connectionId, CancellationToken cancellationToken)
    {
        var arguments = new CommandArguments(command);
        var (transaction, statements) = replicaSet?.Sessions.Enter(definition, database, arguments) ?? (null, new StatementLog(isRetryable: false));
        var limit = arguments.OptionalCount("maxTimeMS") is > 0 and var milliseconds ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, int.MaxValue)) : Timeout.InfiniteTimeSpan;
        var waiting = Stopwatch.StartNew();
        var waited = TimeSpan.Zero;
        while (true)
        {
            try
            {
                using var reply = new BsonWriter();
                reply.StartDocument();
                definition.Run(new CommandContext(database, new CommandArguments(command), transaction?.Catalog ?? _catalog, _cursors, _failCommand, connectionId, reply)
                {
                    ReplicaSet = replicaSet,
                    Transaction = transaction,
                    Statements = statements,
                    Waited = waited,
                });
                reply.WriteDouble("ok"u8, 1);
                replicaSet?.WriteTimes(reply);
                reply.EndDocument();

                // Whatever it did, somebody may have waited for it.
                Monitor.PulseAll(_lock);
                return reply.ToArray();
            }
            catch (NotYetException e)
            {
                Monitor.Wait(_lock, Patience);
                waited = waiting.Elapsed;
                cancellationToken.ThrowIfCancellationRequested();
                if (_isStopping) throw new ServerException(ErrorCode.InterruptedAtShutdown, "interrupted at shutdown");
                if (e.IsLimited && limit != Timeout.InfiniteTimeSpan && waited > limit) throw new ServerException(ErrorCode.MaxTimeMSExpired, "operation exceeded time limit");
                replicaSet?.Sessions.AbortTooOld();
            }
            catch (Exception) when (transaction is not null)
            {
                transaction.Abort();
                Monitor.PulseAll(_lock);
                throw;
            }
        }
    }

    /// <summary>The reply that tells an error.</summary>
    public static byte[] Error(ServerException error) => Error(error, replicaSet: null, isInTransaction: false);

    private byte[] Error(ServerException error, Document command)
    {
        // The log of changes, which the time comes from, grows under the lock.
        lock (_lock) return Error(error, replicaSet, isInTransaction: replicaSet is not null && command.Find("autocommit") is not null);
    }

    private static byte[] Error(ServerException error, ReplicaSet? replicaSet, bool isInTransaction)
    {
        using var reply = new BsonWriter();
        reply.StartDocument();
        reply.WriteDouble("ok"u8, 0);
        reply.WriteString("errmsg"u8, error.Message);
        reply.WriteInt32("code"u8, error.Code);
        reply.WriteString("codeName"u8, ErrorCode.NameOf(error.Code));
        foreach (var (name, value) in error.Details) reply.WriteRaw(value.Type, Encoding.UTF8.GetBytes(name), value.Bytes.Span);
        if (isInTransaction && TransientErrors.Contains(error.Code) && error.Details.All(detail => detail.Name != "errorLabels"))
        {
            reply.StartArray("errorLabels"u8);
            reply.WriteString("0"u8, "TransientTransactionError");
            reply.EndDocument();
        }

        replicaSet?.WriteTimes(reply);
        reply.EndDocument();
        return reply.ToArray();
    }
}
