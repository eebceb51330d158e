using Medco.Csfle.TestServer.Aggregation;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>An update with an aggregation pipeline of the stages that MongoDB allows there.</summary>
internal sealed class PipelineUpdate : DocumentUpdate
{
    private static readonly HashSet<string> AllowedStages = ["$set", "$addFields", "$unset", "$project", "$replaceRoot", "$replaceWith"];

    private readonly IReadOnlyList<Stage> _stages;

    private PipelineUpdate(IReadOnlyList<Stage> stages) => _stages = stages;

    /// <summary>Reads a pipeline.</summary>
    /// <exception cref="ServerException">It is none, or none that an update can have.</exception>
    public static PipelineUpdate Parse(Value pipeline, IReadOnlyList<Document> arrayFilters)
    {
        if (arrayFilters.Count > 0) throw ServerException.FailedToParse("arrayFilters may not be specified for pipeline-style updates");
        if (pipeline.Items.FirstOrDefault(stage => !stage.IsDocument) is not null) throw ServerException.FailedToParse("Each element of the 'pipeline' array must be an object");
        Document[] stages = [.. pipeline.Items.Select(stage => stage.Document)];
        foreach (var stage in stages)
        {
            if (stage.Count == 1 && !AllowedStages.Contains(stage[0].Name)) throw new ServerException(ErrorCode.InvalidOptions, $"{stage[0].Name} is not allowed to be used within an update");
        }

        return new PipelineUpdate(new PipelineParser(_ => null).Parse(stages));
    }

    public override Document Apply(Document document, MatchExpression filter, bool isInsert)
        => _stages.Aggregate((IEnumerable<Document>)[document], (documents, stage) => stage(documents)).Single();
}
