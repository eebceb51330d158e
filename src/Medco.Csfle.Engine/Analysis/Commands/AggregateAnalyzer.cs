using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>aggregate</c>: the pipeline that counts documents, and no other yet.</summary>
internal static class AggregateAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand(
        "aggregate", "pipeline", "cursor", "collation", "hint", "let", "allowDiskUse");

    /// <summary>Plans the encryption of the constants in the pipeline's <c>$match</c>.</summary>
    /// <exception cref="QueryAnalysisException">The pipeline is another, or its filter cannot work.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command)
    {
        Fields.Check(scope, command);
        var filter = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("pipeline"u8)) CountPipeline.Analyze(scope, command, ref filter);
            else if (command.Name.SequenceEqual("let"u8)) SharedArguments.RequireEmpty(scope, command);
            else if (command.Name.SequenceEqual("collation"u8)) filter.ReadCollation(scope, command);
        }

        filter.Check(scope);
        scope.Plan.EndDocument(mark, command);
    }
}
