using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>count</c>: the constants of the filter.</summary>
internal static class CountAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand("count", "query", "limit", "skip", "hint", "collation");

    /// <summary>Plans the encryption of the filter's constants.</summary>
    /// <exception cref="QueryAnalysisException">The filter cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var filter = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("query"u8)) filter.AnalyzeFilter(scope, command);
            else if (command.Name.SequenceEqual("collation"u8)) filter.ReadCollation(scope, command);
            else if (command.Name.SequenceEqual("hint"u8)) SharedArguments.CheckHint(scope, command);
        }

        filter.Check(scope);
        scope.Plan.EndDocument(mark, command);
    }
}
