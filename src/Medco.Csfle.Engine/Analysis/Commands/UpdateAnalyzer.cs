using Medco.Csfle.Engine.Analysis.Update;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>update</c>: of every statement the filter and the modification.</summary>
internal static class UpdateAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand("update", "updates", "ordered", "bypassDocumentValidation", "let");

    private static readonly CommandFields StatementFields = CommandFields.OfStatement(
        "q", "u", "c", "upsert", "multi", "collation", "arrayFilters", "hint", "sort");

    /// <summary>Plans the encryption of all statements.</summary>
    /// <exception cref="QueryAnalysisException">One of them cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("updates"u8)) SharedArguments.AnalyzeEach(scope, command, AnalyzeStatement);
            else if (command.Name.SequenceEqual("let"u8)) SharedArguments.RequireEmpty(scope, command);
        }

        scope.Plan.EndDocument(mark, command);
    }

    private static void AnalyzeStatement(in AnalysisScope scope, BsonReader statement)
    {
        StatementFields.Check(scope, statement);
        var upsert = SharedArguments.IsSet(scope, statement, "upsert"u8);
        var filter = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(statement.Start);
        while (statement.Read())
        {
            var name = statement.Name;
            if (name.SequenceEqual("q"u8))
            {
                filter.AnalyzeFilter(scope, statement);
            }
            else if (name.SequenceEqual("u"u8))
            {
                ModificationAnalyzer.Analyze(scope, statement, upsert);
            }
            else if (name.SequenceEqual("c"u8))
            {
                // Constants of a pipeline, which is refused.
                SharedArguments.RequireEmpty(scope, statement);
            }
            else if (name.SequenceEqual("collation"u8))
            {
                filter.ReadCollation(scope, statement);
            }
            else if (name.SequenceEqual("hint"u8))
            {
                SharedArguments.CheckHint(scope, statement);
            }
            else if (name.SequenceEqual("arrayFilters"u8))
            {
                SharedArguments.CheckArrayFilters(scope, statement);
            }
            else if (name.SequenceEqual("sort"u8))
            {
                SharedArguments.CheckSort(scope, statement);
            }
        }

        filter.Check(scope);
        scope.Plan.EndDocument(mark, statement);
    }
}
