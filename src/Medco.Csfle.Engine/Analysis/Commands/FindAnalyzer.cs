using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>find</c>: the constants of the filter are encrypted; whatever else could carry one is checked.</summary>
internal static class FindAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand(
        "find", "filter", "projection", "sort", "skip", "limit", "batchSize", "singleBatch", "hint", "collation", "let", "min", "max",
        "returnKey", "showRecordId", "tailable", "awaitData", "noCursorTimeout", "allowDiskUse", "allowPartialResults");

    /// <summary>Plans the encryption of the filter's constants.</summary>
    /// <exception cref="QueryAnalysisException">The query cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var filter = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            var name = command.Name;
            if (name.SequenceEqual("filter"u8))
            {
                filter.AnalyzeFilter(scope, command);
            }
            else if (name.SequenceEqual("projection"u8))
            {
                SharedArguments.CheckProjection(scope, command);
            }
            else if (name.SequenceEqual("sort"u8))
            {
                SharedArguments.CheckSort(scope, command);
            }
            else if (name.SequenceEqual("min"u8) || name.SequenceEqual("max"u8))
            {
                SharedArguments.RequirePlainPaths(scope, command, "The bounds of an index are not encrypted: put the condition into the filter.");
            }
            else if (name.SequenceEqual("let"u8))
            {
                SharedArguments.RequireEmpty(scope, command);
            }
            else if (name.SequenceEqual("collation"u8))
            {
                filter.ReadCollation(scope, command);
            }
            else if (name.SequenceEqual("hint"u8))
            {
                SharedArguments.CheckHint(scope, command);
            }
        }

        filter.Check(scope);
        scope.Plan.EndDocument(mark, command);
    }
}
