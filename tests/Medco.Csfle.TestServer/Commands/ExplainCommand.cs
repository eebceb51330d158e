using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Storage;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Commands;

/// <summary>
/// <c>explain</c>: the plan of a command, which on this server is always to look at every document, and how many documents a
/// <c>find</c> returns where more than the plan is asked for. Other commands are not run, and no more of them is checked than
/// what they work on.
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
        if (name == "find" && verbosity != "queryPlanner") WriteStatistics(context, collection.Text, command);
        reply.WriteDocument("command"u8, command.Bytes.Span);
    }

    private static void WriteStatistics(CommandContext context, string name, Document find)
    {
        // Only what decides how many there are is looked at.
        var arguments = new CommandArguments(find);
        var filter = arguments.OptionalDocument("filter") ?? Document.Empty;
        var limit = arguments.OptionalCount("limit") ?? 0;
        var collection = context.Catalog.Find(context.Database, name);
        var found = Math.Max(0, (collection?.Find(filter).LongCount() ?? 0) - (arguments.OptionalCount("skip") ?? 0));

        var reply = context.Reply;
        reply.StartDocument("executionStats"u8);
        reply.WriteBoolean("executionSuccess"u8, true);
        reply.WriteInt32("nReturned"u8, (int)(limit == 0 ? found : Math.Min(found, limit)));
        reply.WriteInt32("executionTimeMillis"u8, 0);
        reply.WriteInt32("totalKeysExamined"u8, 0);
        reply.WriteInt32("totalDocsExamined"u8, collection?.Find(Document.Empty).Count() ?? 0);
        reply.EndDocument();
    }
}
