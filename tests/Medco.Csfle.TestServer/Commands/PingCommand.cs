namespace Medco.Csfle.TestServer.Commands;

/// <summary><c>ping</c>: the server is there.</summary>
internal static class PingCommand
{
    public static void Run(CommandContext context) => context.Arguments.RefuseOthers();
}
