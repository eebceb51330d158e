using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>
/// The pipeline that every driver's <c>countDocuments</c> sends:
/// <c>[{$match: filter}, {$skip: n}, {$limit: n}, {$group: {_id: 1, n: {$sum: 1}}}]</c>, the first three where they are
/// needed. Source: MongoDB specifications, CRUD, "Count API Details".
/// </summary>
internal static class CountPipeline
{
    /// <summary>Plans the encryption of the filter's constants.</summary>
    /// <exception cref="QueryAnalysisException">The pipeline has another shape, or its filter cannot work.</exception>
    public static void Analyze(in AnalysisScope scope, in BsonReader element, ref CollatedFilter filter)
    {
        if (element.Type != BsonType.Array) throw scope.Malformed(element.Name, "an array of stages");
        var stages = element.ReadDocument();
        var mark = scope.Plan.BeginDocument(stages.Start);
        var next = Stage.Match;
        while (stages.Read())
        {
            if (stages.Type != BsonType.Document) throw scope.Malformed(element.Name, "an array of stages");
            var stage = stages.ReadDocument();
            var stageMark = scope.Plan.BeginDocument(stage.Start);
            if (!stage.Read()) throw scope.Malformed(element.Name, "an array of stages, each with one name");
            var kind = KindOf(stage.Name);
            if (kind is null || kind < next) throw NotYet(scope, stage.GetName());
            AnalyzeStage(scope, stage, kind.Value, ref filter);
            next = kind.Value + 1;
            if (stage.Read()) throw scope.Malformed(element.Name, "an array of stages, each with one name");
            scope.Plan.EndDocument(stageMark, stage);
        }

        if (next <= Stage.Group) throw NotYet(scope, "aggregate");
        scope.Plan.EndDocument(mark, stages);
    }

    /// <summary>The stages in the order in which they have to stand.</summary>
    private enum Stage
    {
        Match,
        Skip,
        Limit,
        Group,
    }

    private static Stage? KindOf(ReadOnlySpan<byte> name)
        => name.SequenceEqual("$match"u8) ? Stage.Match
            : name.SequenceEqual("$skip"u8) ? Stage.Skip
            : name.SequenceEqual("$limit"u8) ? Stage.Limit
            : name.SequenceEqual("$group"u8) ? Stage.Group
            : null;

    private static void AnalyzeStage(in AnalysisScope scope, in BsonReader stage, Stage kind, ref CollatedFilter filter)
    {
        switch (kind)
        {
            case Stage.Match:
                filter.AnalyzeFilter(scope, stage);
                break;
            case Stage.Skip or Stage.Limit:
                if (!IsNumber(stage.Type)) throw scope.Malformed(stage.Name, "a number");
                break;
            default:
                AnalyzeGroup(scope, SharedArguments.DocumentOf(scope, stage));
                break;
        }
    }

    // {_id: constant, n: {$sum: constant}}. Beside a placeholder the constants are sent as {$const: 1}, which means the same and
    // is what the official tests expect.
    private static void AnalyzeGroup(in AnalysisScope scope, BsonReader group)
    {
        var mark = scope.Plan.BeginDocument(group.Start);
        if (!group.Read() || !group.Name.SequenceEqual("_id"u8) || !(IsNumber(group.Type) || group.Type == BsonType.Null)) throw NotYet(scope, "$group");
        scope.Plan.WrapInConstant(group);
        if (!group.Read() || !group.Name.SequenceEqual("n"u8) || group.Type != BsonType.Document) throw NotYet(scope, "$group");
        var sum = group.ReadDocument();
        var sumMark = scope.Plan.BeginDocument(sum.Start);
        if (!sum.Read() || !sum.Name.SequenceEqual("$sum"u8) || !IsNumber(sum.Type)) throw NotYet(scope, "$group");
        scope.Plan.WrapInConstant(sum);
        if (sum.Read() || group.Read()) throw NotYet(scope, "$group");
        scope.Plan.EndDocument(sumMark, sum);
        scope.Plan.EndDocument(mark, group);
    }

    private static bool IsNumber(BsonType type) => type is BsonType.Int32 or BsonType.Int64 or BsonType.Double;

    private static QueryAnalysisException NotYet(in AnalysisScope scope, string @operator) => scope.Refuse(
        CsfleErrorCode.CommandNotSupported,
        "Of 'aggregate', an encrypted collection takes only what counts documents ($match, $skip, $limit, then $group with _id and n: {$sum: 1}); any other pipeline is not supported yet",
        "Use find, count or distinct, or aggregate what is not encrypted through a client without encryption.", @operator: @operator);
}
