using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary><c>$lookup</c> and <c>$graphLookup</c>: documents of another collection, or of the same one.</summary>
internal static class JoinStages
{
    private static readonly CommandFields LookupFields = CommandFields.OfStatement("from", "localField", "foreignField", "let", "pipeline", "as");

    private static readonly CommandFields GraphLookupFields = CommandFields.OfStatement(
        "from", "startWith", "connectFromField", "connectToField", "as", "maxDepth", "depthField", "restrictSearchWithMatch");

    /// <summary><c>$lookup</c>: its pipeline is analysed under the schema of the joined collection.</summary>
    public static PlainNode Lookup(in PipelineScope pipeline, in BsonReader stage)
    {
        var scope = pipeline.Scope;
        var arguments = SharedArguments.DocumentOf(scope, stage);
        LookupFields.Check(scope, arguments);
        var collection = JoinedCollection(pipeline, arguments, "$lookup");
        var foreign = pipeline.Context.SchemaOf(scope, collection, "$lookup");
        var joined = new PipelineScope(scope.In(collection, foreign), foreign, pipeline.Context);

        var result = foreign;
        var mark = scope.Plan.BeginDocument(arguments.Start);
        while (arguments.Read())
        {
            var name = arguments.Name;
            if (name.SequenceEqual("pipeline"u8)) result = PipelineAnalyzer.Analyze(joined, arguments);
            else if (name.SequenceEqual("let"u8)) SharedArguments.RequireEmpty(scope, arguments);
            else if (name.SequenceEqual("localField"u8)) FieldReference.RequirePlain(pipeline, arguments, "$lookup");
            else if (name.SequenceEqual("foreignField"u8)) FieldReference.RequirePlain(joined, arguments, "$lookup");
        }

        scope.Plan.EndDocument(mark, arguments);
        return AssignJoined(pipeline, stage, result);
    }

    /// <summary><c>$graphLookup</c>: within one collection, along plain fields.</summary>
    public static PlainNode GraphLookup(in PipelineScope pipeline, in BsonReader stage)
    {
        var scope = pipeline.Scope;
        var arguments = SharedArguments.DocumentOf(scope, stage);
        GraphLookupFields.Check(scope, arguments);
        if (JoinedCollection(pipeline, arguments, "$graphLookup") != scope.Collection)
        {
            throw scope.Refuse(CsfleErrorCode.UnsupportedOnEncryptedCollection, "Pipeline over an encrypted collection cannot reference additional collections",
                "Let $graphLookup stay within its collection, or use $lookup.", @operator: "$graphLookup");
        }

        var joined = new PipelineScope(scope.Under(pipeline.Stored), pipeline.Stored, pipeline.Context);
        var mark = scope.Plan.BeginDocument(arguments.Start);
        while (arguments.Read())
        {
            var name = arguments.Name;
            if (name.SequenceEqual("startWith"u8)) ExpressionAnalyzer.Analyze(scope, arguments, ExpressionUse.Computation);
            else if (name.SequenceEqual("connectFromField"u8) || name.SequenceEqual("connectToField"u8) || name.SequenceEqual("depthField"u8)) FieldReference.RequirePlain(joined, arguments, "$graphLookup");
            else if (name.SequenceEqual("restrictSearchWithMatch"u8)) MatchAnalyzer.Analyze(joined.Scope, SharedArguments.DocumentOf(scope, arguments));
        }

        scope.Plan.EndDocument(mark, arguments);
        return AssignJoined(pipeline, stage, pipeline.Stored);
    }

    private static string JoinedCollection(in PipelineScope pipeline, BsonReader arguments, string stage)
    {
        if (!arguments.ReadTo("from"u8) || arguments.Type != BsonType.String || arguments.GetUtf8().IsEmpty)
        {
            throw pipeline.Scope.Refuse(CsfleErrorCode.MalformedCommand, "'from' must be the name of a collection of the same database",
                "Name the collection as a string.", @operator: stage);
        }

        return pipeline.Context.Namespace(arguments.GetString());
    }

    // An array of documents: which of its values are encrypted is known, but not to a path that leads into it.
    private static PlainNode AssignJoined(in PipelineScope pipeline, in BsonReader stage, PlainNode documents)
    {
        var arguments = stage.ReadDocument();
        if (!arguments.ReadTo("as"u8)) throw pipeline.Scope.Malformed("as"u8, "a string");
        var path = pipeline.TextOf(arguments);
        UnknownNode? value = documents.HasEncryption ? UnknownNode.Instance : null;
        FieldReference.CheckTarget(pipeline.Scope, path, value, stage.GetName());
        return TrackedSchema.Assign(pipeline.Input, pipeline.Input, path, value, pipeline.Context);
    }
}
