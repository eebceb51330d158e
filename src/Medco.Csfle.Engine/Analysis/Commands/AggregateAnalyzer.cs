using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary><c>aggregate</c>: the constants of the pipeline.</summary>
internal static class AggregateAnalyzer
{
    private static readonly CommandFields Fields = CommandFields.OfCommand(
        "aggregate", "pipeline", "cursor", "collation", "hint", "let", "allowDiskUse", "explain");

    /// <summary>Plans the encryption of the constants that a pipeline compares with encrypted fields.</summary>
    /// <exception cref="QueryAnalysisException">The pipeline cannot work, or is not known to be safe.</exception>
    public static void Analyze(in AnalysisScope scope, BsonReader command, PipelineContext context)
    {
        Fields.Check(scope, command);
        var comparison = default(CollatedFilter);
        var mark = scope.Plan.BeginDocument(command.Start);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("pipeline"u8)) PipelineAnalyzer.Analyze(new PipelineScope(scope, scope.Schema, context), command);
            else if (command.Name.SequenceEqual("let"u8)) SharedArguments.RequireEmpty(scope, command);
            else if (command.Name.SequenceEqual("collation"u8)) comparison.ReadCollation(scope, command);
            else if (command.Name.SequenceEqual("hint"u8)) SharedArguments.CheckHint(scope, command);
        }

        if (context.ComparesEncrypted || scope.Plan.HasPlaceholders) comparison.NoteEncryptedComparison();
        comparison.Check(scope);
        scope.Plan.EndDocument(mark, command);
    }
}
