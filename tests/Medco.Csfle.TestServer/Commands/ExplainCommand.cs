using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// <c>explain</c>: the plan of a command, which on this server is always to look at every document. The command itself is not
/// run, and no more of it is checked than what it works on.
/// </summary>
internal static class ExplainCommand
{
    private static readonly HashSet<string> Explained = ["aggregate", "count", "delete", "distinct", "find", "findAndModify", "findandmodify", "update"];

    public static void Run(CommandContext context)
    {
        var arguments = context.Arguments;
        if (arguments.First is not { IsDocument: true, Document: { Count: > 0 } command }) throw ServerException.TypeMismatch("explain command requires a nested object");
        var verbosity = arguments.OptionalText("verbosity");
        arguments.RefuseOthers();
        if (verbosity is not (null or "queryPlanner" or "executionStats" or "allPlansExecution"))
        {
            throw ServerException.FailedToParse("verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}");
        }

        var (name, collection) = command[0];
        if (!Explained.Contains(name)) throw new ServerException(ErrorCode.CommandNotFound, $"Explain failed due to unknown command: {name}");
        if (!collection.IsText) throw new ServerException(ErrorCode.InvalidNamespace, $"collection name has invalid type {collection.Type.Alias()}");
        NamespaceRules.CheckCollection(context.Database, collection.Text);
        if (command.Find("filter") is { IsDocument: true } filter) MatchParser.Parse(filter.Document);

        var reply = context.Reply;
        reply.WriteString("explainVersion"u8, "1");
        reply.StartDocument("queryPlanner"u8);
        reply.WriteString("namespace"u8, $"{context.Database}.{collection.Text}");
        reply.StartDocument("winningPlan"u8);
        reply.WriteString("stage"u8, "COLLSCAN");
        reply.EndDocument();
        reply.EndDocument();
        reply.WriteDocument("command"u8, command.Bytes.Span);
    }
}
