using Medco.Csfle.Engine.Analysis.Update;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>findAndModify</c>: the filter and the modification, if it has one.</summary>
internal static class FindAndModifyAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand(
        "findAndModify", "query", "update", "remove", "new", "upsert", "fields", "sort", "arrayFilters", "collation", "hint", "let",
        "bypassDocumentValidation");

    /// <summary>Plans the encryption of the filter's constants and of what is written.</summary>
    /// <exception cref="QueryAnalysisException">The command cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var upsert = SharedArguments.IsSet(scope, command, "upsert"u8);
        var filter = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            var name = command.Name;
            if (name.SequenceEqual("query"u8))
            {
                filter.AnalyzeFilter(scope, command);
            }
            else if (name.SequenceEqual("update"u8))
            {
                ModificationAnalyzer.Analyze(scope, command, upsert);
            }
            else if (name.SequenceEqual("fields"u8))
            {
                SharedArguments.CheckProjection(scope, command);
            }
            else if (name.SequenceEqual("sort"u8))
            {
                SharedArguments.CheckSort(scope, command);
            }
            else if (name.SequenceEqual("arrayFilters"u8))
            {
                SharedArguments.CheckArrayFilters(scope, command);
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
