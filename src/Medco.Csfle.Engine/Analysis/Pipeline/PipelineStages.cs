namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>Where in a pipeline a stage may stand.</summary>
internal enum StagePosition
{
    /// <summary>Anywhere.</summary>
    Any,

    /// <summary>Only as the first stage.</summary>
    First,
}

/// <summary>A stage that is allowed.</summary>
/// <param name="Analyze">Checks the stage and says what comes out of it.</param>
/// <param name="Position">Where it may stand.</param>
internal readonly record struct StageRule(StageAnalysis Analyze, StagePosition Position = StagePosition.Any);

/// <summary>
/// The stages that may be used where something is encrypted. What is not named here is refused, aliases ($set, $unset,
/// $replaceWith) included. Source: MongoDB manual, "Supported Operations for Automatic Encryption", aggregation stages.
/// </summary>
internal static class PipelineStages
{
    /// <summary>Every allowed stage.</summary>
    public static readonly IReadOnlyDictionary<string, StageRule> All = new Dictionary<string, StageRule>(StringComparer.Ordinal)
    {
        ["$addFields"] = new(FieldStages.AddFields),
        ["$bucket"] = new(GroupingStages.Bucket),
        ["$bucketAuto"] = new(GroupingStages.BucketAuto),
        ["$collStats"] = new(SelectionStages.Statistics, StagePosition.First),
        ["$count"] = new(GroupingStages.Count),
        ["$geoNear"] = new(SelectionStages.GeoNear, StagePosition.First),
        ["$graphLookup"] = new(JoinStages.GraphLookup),
        ["$group"] = new(GroupingStages.Group),
        ["$indexStats"] = new(SelectionStages.Statistics, StagePosition.First),
        ["$limit"] = new(SelectionStages.Number),
        ["$lookup"] = new(JoinStages.Lookup),
        ["$match"] = new(SelectionStages.Match),
        ["$project"] = new(FieldStages.Project),
        ["$redact"] = new(ShapeStages.Redact),
        ["$replaceRoot"] = new(ShapeStages.ReplaceRoot),
        ["$sample"] = new(SelectionStages.Sample),
        ["$skip"] = new(SelectionStages.Number),
        ["$sort"] = new(SelectionStages.Sort),
        ["$sortByCount"] = new(GroupingStages.SortByCount),
        ["$unwind"] = new(ShapeStages.Unwind),
    };
}
