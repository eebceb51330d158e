namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>endSessions</c>: sessions carry no state here, so that there is nothing to end.</summary>
internal static class EndSessionsCommand
{
    public static void Run(CommandContext context)
    {
        context.Arguments.Documents("endSessions");
        context.Arguments.RefuseOthers();
    }
}
