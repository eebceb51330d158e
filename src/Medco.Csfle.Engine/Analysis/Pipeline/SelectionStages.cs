using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>Stages that choose documents, order them or report about the collection, and leave the documents as they are.</summary>
internal static class SelectionStages
{
    private static readonly CommandFields SampleFields = CommandFields.OfStatement("size");

    private static readonly CommandFields GeoNearFields = CommandFields.OfStatement(
        "near", "distanceField", "spherical", "maxDistance", "minDistance", "query", "distanceMultiplier", "includeLocs", "key", "uniqueDocs");

    /// <summary><c>$match</c>: a filter under the schema that the stages before it leave.</summary>
    public static PlainNode Match(in PipelineScope pipeline, in BsonReader stage)
    {
        MatchAnalyzer.Analyze(pipeline.Scope, SharedArguments.DocumentOf(pipeline.Scope, stage));
        return pipeline.Input;
    }

    /// <summary><c>$limit</c> and <c>$skip</c>.</summary>
    public static PlainNode Number(in PipelineScope pipeline, in BsonReader stage)
    {
        RequireNumber(pipeline, stage);
        return pipeline.Input;
    }

    /// <summary><c>$sample</c>.</summary>
    public static PlainNode Sample(in PipelineScope pipeline, in BsonReader stage)
    {
        var sample = SharedArguments.DocumentOf(pipeline.Scope, stage);
        SampleFields.Check(pipeline.Scope, sample);
        while (sample.Read()) RequireNumber(pipeline, sample);
        return pipeline.Input;
    }

    /// <summary><c>$sort</c>: by plain fields.</summary>
    public static PlainNode Sort(in PipelineScope pipeline, in BsonReader stage)
    {
        SharedArguments.CheckSort(pipeline.Scope, stage);
        return pipeline.Input;
    }

    /// <summary><c>$collStats</c> and <c>$indexStats</c>, which put out no documents of the collection.</summary>
    public static PlainNode Statistics(in PipelineScope pipeline, in BsonReader stage)
    {
        SharedArguments.DocumentOf(pipeline.Scope, stage);
        return TrackedSchema.Plain;
    }

    /// <summary><c>$geoNear</c>: a filter, and plain fields.</summary>
    public static PlainNode GeoNear(in PipelineScope pipeline, in BsonReader stage)
    {
        var scope = pipeline.Scope;
        var arguments = SharedArguments.DocumentOf(scope, stage);
        GeoNearFields.Check(scope, arguments);
        var mark = scope.Plan.BeginDocument(arguments.Start);
        while (arguments.Read())
        {
            var name = arguments.Name;
            if (name.SequenceEqual("query"u8)) MatchAnalyzer.Analyze(scope, SharedArguments.DocumentOf(scope, arguments));
            else if (name.SequenceEqual("key"u8) || name.SequenceEqual("distanceField"u8) || name.SequenceEqual("includeLocs"u8)) FieldReference.RequirePlain(pipeline, arguments, "$geoNear");
            else ExpressionAnalyzer.Analyze(scope, arguments, ExpressionUse.Computation);
        }

        scope.Plan.EndDocument(mark, arguments);
        return pipeline.Input;
    }

    private static void RequireNumber(in PipelineScope pipeline, in BsonReader element)
    {
        if (element.Type is BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128) return;
        throw pipeline.Scope.Malformed(element.Name, "a number");
    }
}
