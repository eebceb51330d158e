using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>What an accumulator does with encrypted values.</summary>
internal enum AccumulatorRule
{
    /// <summary>Collects them as they are.</summary>
    Collect,

    /// <summary>Collects each of them once: equal values have to have equal ciphertexts.</summary>
    CollectDistinct,

    /// <summary>Computes with them, or puts them in order, which ciphertext cannot be; harmless on any other value.</summary>
    PlaintextOnly,

    /// <summary>As <see cref="PlaintextOnly"/>, in an order that the paths of <c>sortBy</c> give.</summary>
    PlaintextSorted,
}

/// <summary>
/// The accumulators of <c>$group</c>, <c>$bucket</c> and <c>$bucketAuto</c>. What is not named here is refused. Source: MongoDB
/// manual, "Aggregation Operators", and "Supported Operations for Automatic Encryption".
/// </summary>
internal static class Accumulators
{
    /// <summary>Every accumulator that is known.</summary>
    public static readonly IReadOnlyDictionary<string, AccumulatorRule> All = new Dictionary<string, AccumulatorRule>(StringComparer.Ordinal)
    {
        ["$push"] = AccumulatorRule.Collect,
        ["$addToSet"] = AccumulatorRule.CollectDistinct,
        ["$accumulator"] = AccumulatorRule.PlaintextOnly,
        ["$avg"] = AccumulatorRule.PlaintextOnly,
        ["$bottom"] = AccumulatorRule.PlaintextSorted,
        ["$bottomN"] = AccumulatorRule.PlaintextSorted,
        ["$concatArrays"] = AccumulatorRule.PlaintextOnly,
        ["$count"] = AccumulatorRule.PlaintextOnly,
        ["$first"] = AccumulatorRule.PlaintextOnly,
        ["$firstN"] = AccumulatorRule.PlaintextOnly,
        ["$last"] = AccumulatorRule.PlaintextOnly,
        ["$lastN"] = AccumulatorRule.PlaintextOnly,
        ["$max"] = AccumulatorRule.PlaintextOnly,
        ["$maxN"] = AccumulatorRule.PlaintextOnly,
        ["$median"] = AccumulatorRule.PlaintextOnly,
        ["$mergeObjects"] = AccumulatorRule.PlaintextOnly,
        ["$min"] = AccumulatorRule.PlaintextOnly,
        ["$minN"] = AccumulatorRule.PlaintextOnly,
        ["$percentile"] = AccumulatorRule.PlaintextOnly,
        ["$setUnion"] = AccumulatorRule.PlaintextOnly,
        ["$stdDevPop"] = AccumulatorRule.PlaintextOnly,
        ["$stdDevSamp"] = AccumulatorRule.PlaintextOnly,
        ["$sum"] = AccumulatorRule.PlaintextOnly,
        ["$top"] = AccumulatorRule.PlaintextSorted,
        ["$topN"] = AccumulatorRule.PlaintextSorted,
    };

    /// <summary>Analyses <c>{$accumulator: expression}</c>.</summary>
    /// <param name="pipeline">The pipeline in front of the stage.</param>
    /// <param name="field">The field that the accumulator computes.</param>
    /// <returns>The schema of the result; null where nothing of it is encrypted.</returns>
    /// <exception cref="QueryAnalysisException">It is no accumulator, or cannot work.</exception>
    public static SchemaNode? Analyze(in PipelineScope pipeline, in BsonReader field)
    {
        var scope = pipeline.Scope;
        if (!ExpressionAnalyzer.IsOperator(field)) throw scope.Malformed(field.Name, "an accumulator, {$name: expression}");
        var accumulator = field.ReadDocument();
        var mark = scope.Plan.BeginDocument(accumulator.Start);
        accumulator.Read();
        var name = accumulator.GetName();
        if (!All.TryGetValue(name, out var rule))
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Unsupported accumulator for encryption",
                "Use an accumulator that docs/operators.md lists.", field.Name, name);
        }

        var result = Apply(pipeline, accumulator, rule, name);
        if (accumulator.Read()) throw scope.Malformed(field.Name, "one accumulator");
        scope.Plan.EndDocument(mark, accumulator);
        return result;
    }

    private static UnknownNode? Apply(in PipelineScope pipeline, in BsonReader accumulator, AccumulatorRule rule, string name)
    {
        var scope = pipeline.Scope;
        switch (rule)
        {
            case AccumulatorRule.Collect:
                return ExpressionAnalyzer.Analyze(scope, accumulator, ExpressionUse.Copy) is null ? null : UnknownNode.Instance;
            case AccumulatorRule.CollectDistinct:
                if (ExpressionAnalyzer.Analyze(scope, accumulator, ExpressionUse.Equality) is not { } value) return null;
                if (value is UnknownNode) throw FieldReference.RefuseUnknown(scope, default, name);
                pipeline.Context.NoteEncryptedComparison();
                return UnknownNode.Instance;
            case AccumulatorRule.PlaintextSorted:
                CheckOrder(scope, SharedArguments.DocumentOf(scope, accumulator));
                break;
        }

        AnalyzePlain(scope, accumulator, name);
        return null;
    }

    private static void AnalyzePlain(in AnalysisScope scope, in BsonReader accumulator, string name)
    {
        if (IsScalarConstant(accumulator))
        {
            scope.Plan.WrapInConstant(accumulator);
        }
        else if (ExpressionAnalyzer.Analyze(scope, accumulator, ExpressionUse.Copy) is not null)
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, $"Accumulator '{name}' cannot aggregate encrypted fields",
                "Aggregate plain fields, collect with $push, or compute after decryption.",
                accumulator.Type == BsonType.String ? accumulator.GetUtf8().TrimStart((byte)'$') : default, name);
        }
    }

    // {$top: {sortBy: {path: 1}, output: expression}}
    private static void CheckOrder(in AnalysisScope scope, BsonReader arguments)
    {
        while (arguments.ReadTo("sortBy"u8)) SharedArguments.CheckSort(scope, arguments);
    }

    /// <summary>
    /// Whether an element is a constant that is no string, document or array. Beside a placeholder these are sent as
    /// <c>{$const: 1}</c>, which means the same and is what the official tests expect.
    /// </summary>
    public static bool IsScalarConstant(in BsonReader element) => element.Type is not (BsonType.String or BsonType.Document or BsonType.Array);
}
