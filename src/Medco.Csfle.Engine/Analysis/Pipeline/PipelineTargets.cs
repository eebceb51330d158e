using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>
/// The namespaces that a pipeline writes to. Only <c>$out</c> and <c>$merge</c> write, and MongoDB takes them only as stages
/// of the command's own pipeline, never inside another stage.
/// </summary>
internal static class PipelineTargets
{
    /// <summary>The target of every writing stage in an aggregate command.</summary>
    /// <exception cref="QueryAnalysisException">It cannot be told.</exception>
    public static List<string> FindIn(BsonReader command, string databaseName)
    {
        var targets = new List<string>();
        while (command.ReadTo("pipeline"u8))
        {
            if (command.Type != BsonType.Array) continue;
            var stages = command.ReadDocument();
            while (stages.Read())
            {
                if (stages.Type != BsonType.Document) continue;
                var stage = stages.ReadDocument();
                while (stage.Read())
                {
                    if (stage.Name.SequenceEqual("$out"u8)) targets.Add(TargetOf(stage, databaseName, "$out"));
                    else if (stage.Name.SequenceEqual("$merge"u8)) targets.Add(TargetOfMerge(stage, databaseName));
                }
            }
        }

        return targets;
    }

    private static string TargetOfMerge(in BsonReader element, string databaseName)
    {
        if (element.Type != BsonType.Document) return TargetOf(element, databaseName, "$merge");
        var merge = element.ReadDocument();
        return merge.ReadTo("into"u8) ? TargetOf(merge, databaseName, "$merge") : throw Unknown("$merge");
    }

    // "coll", or {db: "db", coll: "coll"}.
    private static string TargetOf(in BsonReader element, string databaseName, string stage)
    {
        if (element.Type == BsonType.String) return $"{databaseName}.{element.GetString()}";
        if (element.Type != BsonType.Document) throw Unknown(stage);
        string? database = null;
        string? collection = null;
        var target = element.ReadDocument();
        while (target.Read())
        {
            if (target.Name.SequenceEqual("db"u8) && target.Type == BsonType.String && database is null) database = target.GetString();
            else if (target.Name.SequenceEqual("coll"u8) && target.Type == BsonType.String && collection is null) collection = target.GetString();
            else if (!target.Name.SequenceEqual("timeseries"u8)) throw Unknown(stage);
        }

        return database is not null && collection is not null ? $"{database}.{collection}" : throw Unknown(stage);
    }

    private static QueryAnalysisException Unknown(string stage) => new(CsfleErrorCode.MalformedCommand,
        "It cannot be told which collection this stage writes to", "Name it as \"coll\" or as {db: \"db\", coll: \"coll\"}.", @operator: stage);
}
