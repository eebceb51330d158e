using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>Analyses one stage.</summary>
/// <param name="pipeline">The pipeline in front of the stage.</param>
/// <param name="stage">A reader at the element that is the stage's name and specification.</param>
/// <returns>The schema of the documents that the stage puts out.</returns>
internal delegate PlainNode StageAnalysis(in PipelineScope pipeline, in BsonReader stage);

/// <summary>
/// Walks a pipeline stage by stage, plans the encryption of its constants, and keeps track of which fields are encrypted
/// between the stages.
/// </summary>
internal static class PipelineAnalyzer
{
    /// <summary>Analyses the pipeline in an element.</summary>
    /// <returns>The schema of the documents that the pipeline puts out.</returns>
    /// <exception cref="QueryAnalysisException">A stage is not allowed, cannot work, or is not known to be safe.</exception>
    public static PlainNode Analyze(in PipelineScope pipeline, in BsonReader element)
    {
        var scope = pipeline.Scope;
        if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array of stages");
        var stages = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(stages.Start);
        var current = pipeline.Input;
        var isFirst = true;
        while (stages.Read())
        {
            if (stages.Type != BsonType.Document) throw scope.Malformed(element.Name, "an array of stages");
            pipeline.Context.CountStage();
            var stage = stages.ReadDocument();
            var stageMark = scope.Plan.BeginDocument(stage.Start);
            if (!stage.Read()) throw scope.Malformed(element.Name, "an array of stages, each with one name");
            current = AnalyzeStage(pipeline.Behind(current), stage, isFirst);
            if (stage.Read()) throw scope.Malformed(element.Name, "an array of stages, each with one name");
            scope.Plan.EndDocument(stageMark, stage);
            isFirst = false;
        }

        scope.Plan.EndDocument(mark, stages);
        return current;
    }

    private static PlainNode AnalyzeStage(in PipelineScope pipeline, in BsonReader stage, bool isFirst)
    {
        var name = stage.GetName();
        if (!PipelineStages.All.TryGetValue(name, out var rule))
        {
            throw pipeline.Scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection,
                $"Aggregation stage {name} is not allowed or supported with automatic encryption",
                name == "$changeStream"
                    ? "Watch the collection through a client without automatic encryption, and read the documents that its events name through this one."
                    : "Use the stages that docs/operators.md lists.", @operator: name);
        }

        if (rule.Position == StagePosition.First && !isFirst)
        {
            throw pipeline.Scope.Refuse(CsfleErrorCode.MalformedCommand, $"'{name}' is only valid as the first stage of a pipeline",
                "Put it first.", @operator: name);
        }

        return rule.Analyze(pipeline, stage);
    }
}
