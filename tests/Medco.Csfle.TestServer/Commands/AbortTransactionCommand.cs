namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>abortTransaction</c>.</summary>
internal static class AbortTransactionCommand
{
    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        arguments.Optional("recoveryToken");
        arguments.RefuseOthers();
        if (context.Database != "admin") throw new ServerException(ErrorCode.Unauthorized, "abortTransaction may only be run against the admin database.");
        if (context.Transaction is not { } transaction) throw new ServerException(ErrorCode.CommandFailed, "abortTransaction must be run within a transaction");
        transaction.Abort();
    }
}
