using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>Stages that put groups of documents into one: <c>$group</c> and what is made of it.</summary>
internal static class GroupingStages
{
    private static readonly CommandFields BucketFields = CommandFields.OfStatement("groupBy", "boundaries", "default", "output");

    private static readonly CommandFields BucketAutoFields = CommandFields.OfStatement("groupBy", "buckets", "output", "granularity");

    /// <summary><c>$group</c>: by plain or deterministic fields.</summary>
    public static PlainNode Group(in PipelineScope pipeline, in BsonReader stage)
    {
        var scope = pipeline.Scope;
        var fields = SharedArguments.DocumentOf(scope, stage);
        var names = new UniqueNames();
        var output = TrackedSchema.Forget(pipeline.Input);
        var mark = scope.Plan.BeginDocument(fields.Start);
        var hasKey = false;
        while (fields.Read())
        {
            names.Add(scope, fields);
            var isKey = fields.Name.SequenceEqual("_id"u8);
            hasKey |= isKey;
            output = Put(pipeline, output, fields.Name, isKey ? AnalyzeKey(pipeline, fields, "$group") : Accumulators.Analyze(pipeline, fields), "$group");
        }

        if (!hasKey) throw scope.Malformed(stage.Name, "a document with '_id'");
        scope.Plan.EndDocument(mark, fields);
        return output;
    }

    /// <summary><c>$sortByCount</c>: a <c>$group</c> by the expression.</summary>
    public static PlainNode SortByCount(in PipelineScope pipeline, in BsonReader stage)
    {
        var output = Put(pipeline, TrackedSchema.Forget(pipeline.Input), "_id"u8, AnalyzeKey(pipeline, stage, "$sortByCount"), "$sortByCount");
        return Put(pipeline, output, "count"u8, null, "$sortByCount");
    }

    /// <summary><c>$count</c>: one document with one number.</summary>
    public static PlainNode Count(in PipelineScope pipeline, in BsonReader stage)
    {
        var name = pipeline.TextOf(stage);
        if (name is [] or [(byte)'$', ..] || name.Contains((byte)'.') || name.Contains((byte)0)) throw pipeline.Scope.Malformed(stage.Name, "the name of a field");
        return Put(pipeline, TrackedSchema.Forget(pipeline.Input), name, null, "$count");
    }

    /// <summary><c>$bucket</c>: by what can be put in order, so that it has to be plain.</summary>
    public static PlainNode Bucket(in PipelineScope pipeline, in BsonReader stage) => AnalyzeBuckets(pipeline, stage, BucketFields);

    /// <summary><c>$bucketAuto</c>: as <c>$bucket</c>.</summary>
    public static PlainNode BucketAuto(in PipelineScope pipeline, in BsonReader stage) => AnalyzeBuckets(pipeline, stage, BucketAutoFields);

    private static PlainNode AnalyzeBuckets(in PipelineScope pipeline, in BsonReader stage, CommandFields allowed)
    {
        var scope = pipeline.Scope;
        var arguments = SharedArguments.DocumentOf(scope, stage);
        allowed.Check(scope, arguments);
        var output = Put(pipeline, TrackedSchema.Forget(pipeline.Input), "_id"u8, null, stage.GetName());
        var hasOutput = false;
        var mark = scope.Plan.BeginDocument(arguments.Start);
        while (arguments.Read())
        {
            if (arguments.Name.SequenceEqual("output"u8))
            {
                output = AnalyzeOutput(pipeline, arguments, output, stage.GetName());
                hasOutput = true;
            }
            else
            {
                ExpressionAnalyzer.Analyze(scope, arguments, ExpressionUse.Computation);
            }
        }

        scope.Plan.EndDocument(mark, arguments);
        return hasOutput ? output : Put(pipeline, output, "count"u8, null, stage.GetName());
    }

    private static PlainNode AnalyzeOutput(in PipelineScope pipeline, in BsonReader element, PlainNode output, string stage)
    {
        var fields = SharedArguments.DocumentOf(pipeline.Scope, element);
        var names = new UniqueNames();
        var mark = pipeline.Scope.Plan.BeginDocument(fields.Start);
        while (fields.Read())
        {
            names.Add(pipeline.Scope, fields);
            output = Put(pipeline, output, fields.Name, Accumulators.Analyze(pipeline, fields), stage);
        }

        pipeline.Scope.Plan.EndDocument(mark, fields);
        return output;
    }

    private static SchemaNode? AnalyzeKey(in PipelineScope pipeline, in BsonReader element, string stage)
    {
        var scope = pipeline.Scope;
        if (Accumulators.IsScalarConstant(element))
        {
            scope.Plan.WrapInConstant(element);
            return null;
        }

        var key = ExpressionAnalyzer.Analyze(scope, element, ExpressionUse.GroupKey);
        if (key is UnknownNode) throw FieldReference.RefuseGrouping(scope, element.Name, stage);
        if (key is not null) pipeline.Context.NoteEncryptedComparison();
        return key;
    }

    private static PlainNode Put(in PipelineScope pipeline, PlainNode output, ReadOnlySpan<byte> name, SchemaNode? value, string stage)
    {
        if (name is [] or [(byte)'$', ..] || name.Contains((byte)'.'))
        {
            throw pipeline.Scope.Refuse(CsfleErrorCode.MalformedCommand, "The name of an output field is empty, has a dot, or starts with '$'",
                "Give it a plain name.", name, stage);
        }

        FieldReference.CheckTarget(pipeline.Scope.Under(TrackedSchema.Plain), name, value, stage);
        return TrackedSchema.Assign(output, null, name, value, pipeline.Context);
    }
}
