namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>endSessions</c>: aborts the transactions of sessions. On a standalone sessions carry no state.</summary>
internal static class EndSessionsCommand
{
    public static void Run(CommandContext context)
    {
        var sessions = context.Arguments.Documents("endSessions");
        context.Arguments.RefuseOthers();
        context.ReplicaSet?.Sessions.End(sessions);
    }
}
