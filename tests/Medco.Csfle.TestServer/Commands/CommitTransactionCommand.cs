using Medco.Csfle.TestServer.Transactions;

namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>commitTransaction</c>: of one that is committed already it is no error.</summary>
internal static class CommitTransactionCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        arguments.Optional("recoveryToken");
        arguments.RefuseOthers();
        if (context.Database != "admin") throw new ServerException(ErrorCode.Unauthorized, "commitTransaction may only be run against the admin database.");
        if (context.Transaction is not { } transaction) throw new ServerException(ErrorCode.CommandFailed, "commitTransaction must be run within a transaction");
        if (transaction.State == TransactionState.InProgress) context.ReplicaSet!.Commit(transaction);
    }
}
