using System.Text;
using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary><c>$project</c> and <c>$addFields</c>: fields are kept, dropped, or computed.</summary>
internal static class FieldStages
{
    /// <summary><c>$project</c>: keeps the named fields and computes others, or drops the named ones.</summary>
    public static PlainNode Project(in PipelineScope pipeline, in BsonReader stage)
    {
        var projection = SharedArguments.DocumentOf(pipeline.Scope, stage);
        var kind = ProjectionKind.Unsaid;
        FindKind(pipeline, projection, isTop: true, ref kind);
        if (kind == ProjectionKind.Unsaid)
        {
            var named = projection;
            if (!named.Read()) throw pipeline.Scope.Malformed(stage.Name, "a document that names at least one field");
            kind = IsIncluded(pipeline, named) ? ProjectionKind.Inclusion : ProjectionKind.Exclusion;
        }

        if (kind == ProjectionKind.Exclusion) return Exclude(pipeline, projection, default, pipeline.Input);

        var output = TrackedSchema.Forget(pipeline.Input);
        var id = projection;
        if (!id.ReadTo("_id"u8)) output = Assign(pipeline, output, "_id"u8, pipeline.Input.Find("_id"u8));
        return Write(pipeline, projection, default, output, includes: true);
    }

    /// <summary><c>$addFields</c>: computes fields and keeps all others.</summary>
    public static PlainNode AddFields(in PipelineScope pipeline, in BsonReader stage)
        => Write(pipeline, SharedArguments.DocumentOf(pipeline.Scope, stage), default, pipeline.Input, includes: false);

    private enum ProjectionKind
    {
        Unsaid,
        Inclusion,
        Exclusion,
    }

    // _id alone says nothing about the others.
    private static void FindKind(in PipelineScope pipeline, BsonReader projection, bool isTop, ref ProjectionKind kind)
    {
        while (projection.Read())
        {
            if (isTop && projection.Name.SequenceEqual("_id"u8) && IsFlag(projection.Type)) continue;
            if (IsNested(projection))
            {
                FindKind(pipeline, projection.ReadDocument(), isTop: false, ref kind);
                continue;
            }

            var said = IsFlag(projection.Type) && !IsIncluded(pipeline, projection) ? ProjectionKind.Exclusion : ProjectionKind.Inclusion;
            if (kind == ProjectionKind.Unsaid) kind = said;
            if (kind == said) continue;
            throw pipeline.Scope.Refuse(CsfleErrorCode.MalformedCommand, "A $project cannot both include and exclude fields",
                "Write two stages.", projection.Name, "$project");
        }
    }

    private static PlainNode Exclude(in PipelineScope pipeline, BsonReader projection, ReadOnlySpan<byte> parent, PlainNode output)
    {
        while (projection.Read())
        {
            var path = Join(parent, projection.Name);
            if (IsNested(projection))
            {
                output = Exclude(pipeline, projection.ReadDocument(), path, output);
            }
            else if (!IsIncluded(pipeline, projection)
                && PathLookup.Resolve(pipeline.Input, path).State is PathState.Encrypted or PathState.PrefixOfEncrypted)
            {
                output = Assign(pipeline, output, path, UnknownNode.Instance);
            }
        }

        return output;
    }

    private static PlainNode Write(in PipelineScope pipeline, BsonReader fields, ReadOnlySpan<byte> parent, PlainNode output, bool includes)
    {
        var scope = pipeline.Scope;
        var names = new UniqueNames();
        var mark = scope.Plan.BeginDocument(fields.Start);
        while (fields.Read())
        {
            names.Add(scope, fields);
            var path = Join(parent, fields.Name);
            if (IsNested(fields))
            {
                output = Write(pipeline, fields.ReadDocument(), path, output, includes);
            }
            else if (includes && IsFlag(fields.Type))
            {
                // Only _id may be excluded here.
                if (IsIncluded(pipeline, fields)) output = Assign(pipeline, output, path, FieldReference.Read(scope, path, ExpressionUse.Copy, "$project"));
            }
            else
            {
                var value = ExpressionAnalyzer.Analyze(scope, fields, ExpressionUse.Copy);
                FieldReference.CheckTarget(scope, path, value, includes ? "$project" : "$addFields");
                output = Assign(pipeline, output, path, value);
            }
        }

        scope.Plan.EndDocument(mark, fields);
        return output;
    }

    private static PlainNode Assign(in PipelineScope pipeline, PlainNode output, ReadOnlySpan<byte> path, SchemaNode? value)
        => TrackedSchema.Assign(output, pipeline.Input, path, value, pipeline.Context);

    // {a: {b: 1}} says the same as {"a.b": 1}; {a: {$op: ...}} is an expression, and {a: {}} a constant.
    private static bool IsNested(in BsonReader element)
    {
        if (element.Type != BsonType.Document) return false;
        var first = element.ReadDocument();
        return first.Read() && first.Name is not [(byte)'$', ..];
    }

    private static bool IsFlag(BsonType type) => type is BsonType.Int32 or BsonType.Int64 or BsonType.Double or BsonType.Decimal128 or BsonType.Boolean;

    private static bool IsIncluded(in PipelineScope pipeline, in BsonReader element) => element.Type switch
    {
        BsonType.Int32 => element.GetInt32() != 0,
        BsonType.Int64 => element.GetInt64() != 0,
        BsonType.Double => element.GetDouble() != 0,
        BsonType.Boolean => element.GetBoolean(),
        _ => throw pipeline.Scope.Malformed(element.Name, "an integer or a boolean"),
    };

    private static ReadOnlySpan<byte> Join(ReadOnlySpan<byte> parent, ReadOnlySpan<byte> name)
        => parent.IsEmpty ? name : Encoding.UTF8.GetBytes($"{Encoding.UTF8.GetString(parent)}.{Encoding.UTF8.GetString(name)}");
}
