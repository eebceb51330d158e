using System.Text;
using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>Stages that take documents apart: <c>$unwind</c>, <c>$replaceRoot</c> and <c>$redact</c>.</summary>
internal static class ShapeStages
{
    private static readonly CommandFields UnwindFields = CommandFields.OfStatement("path", "includeArrayIndex", "preserveNullAndEmptyArrays");

    private static readonly CommandFields ReplaceRootFields = CommandFields.OfStatement("newRoot");

    /// <summary><c>$unwind</c>: a plain array.</summary>
    public static PlainNode Unwind(in PipelineScope pipeline, in BsonReader stage)
    {
        if (stage.Type == BsonType.String)
        {
            RequirePlainArray(pipeline, stage);
            return pipeline.Input;
        }

        var arguments = SharedArguments.DocumentOf(pipeline.Scope, stage);
        UnwindFields.Check(pipeline.Scope, arguments);
        while (arguments.Read())
        {
            if (arguments.Name.SequenceEqual("path"u8)) RequirePlainArray(pipeline, arguments);
            else if (arguments.Name.SequenceEqual("includeArrayIndex"u8)) FieldReference.RequirePlain(pipeline, arguments, "$unwind");
        }

        return pipeline.Input;
    }

    /// <summary><c>$replaceRoot</c>: what the expression gives.</summary>
    public static PlainNode ReplaceRoot(in PipelineScope pipeline, in BsonReader stage)
    {
        var scope = pipeline.Scope;
        var arguments = SharedArguments.DocumentOf(scope, stage);
        ReplaceRootFields.Check(scope, arguments);
        var mark = scope.Plan.BeginDocument(arguments.Start);
        if (!arguments.Read()) throw scope.Malformed(stage.Name, "a document with 'newRoot'");
        var root = ExpressionAnalyzer.Analyze(scope, arguments, ExpressionUse.Copy);
        arguments.Read();
        scope.Plan.EndDocument(mark, arguments);
        return root switch
        {
            null => TrackedSchema.Plain,
            PlainNode plain => plain,
            UnknownNode => TrackedSchema.Unknown,
            _ => throw scope.Refuse(CsfleErrorCode.UnsupportedQuery, "A ciphertext cannot become a document", "Use a plain document.", default, "$replaceRoot"),
        };
    }

    /// <summary>
    /// <c>$redact</c>: an expression that looks at nothing encrypted, neither at the top nor in the documents that
    /// <c>$$DESCEND</c> applies it to.
    /// </summary>
    public static PlainNode Redact(in PipelineScope pipeline, in BsonReader stage)
    {
        if (pipeline.Input.HasEncryption)
        {
            var names = new NestedNames(pipeline.Input);
            RefuseNested(pipeline, stage, names);
        }

        ExpressionAnalyzer.Analyze(pipeline.Scope, stage, ExpressionUse.Computation);
        return pipeline.Input;
    }

    private static void RequirePlainArray(in PipelineScope pipeline, in BsonReader element)
    {
        var path = pipeline.TextOf(element);
        if (path is not [(byte)'$', not (byte)'$', ..]) throw pipeline.Scope.Malformed(element.Name, "a path that starts with '$'");
        FieldReference.RequirePlain(pipeline.Scope, path[1..], "$unwind");
    }

    private static void RefuseNested(in PipelineScope pipeline, in BsonReader element, NestedNames names)
    {
        if (element.Type == BsonType.String && element.GetUtf8() is [(byte)'$', ..] text)
        {
            var path = text[1..];
            if (path.StartsWith("$CURRENT."u8)) path = path["$CURRENT."u8.Length..];
            if (path is [] or [(byte)'$', ..] || !names.MayContain(FieldReference.FirstComponent(path))) return;
            throw pipeline.Scope.Refuse(CsfleErrorCode.UnsupportedQuery,
                $"Invalid reference to an encrypted field within aggregate expression: {Encoding.UTF8.GetString(path)}, in a document that $$DESCEND leads to",
                "Let $redact look at plain fields only.", path, "$redact");
        }

        if (element.Type is not (BsonType.Document or BsonType.Array)) return;
        var children = element.ReadDocument();
        while (children.Read()) RefuseNested(pipeline, children, names);
    }

    /// <summary>The names of what is encrypted below the top of a document, whatever their case.</summary>
    private sealed class NestedNames
    {
        private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
        private readonly bool _any;

        public NestedNames(PlainNode root)
        {
            var seen = new HashSet<SchemaNode>(ReferenceEqualityComparer.Instance);
            var waiting = new Stack<SchemaNode>(Children(root));
            while (waiting.TryPop(out var node))
            {
                // Of an unknown value it is not known which names it has.
                if (node is UnknownNode) _any = true;
                if (node is not PlainNode { HasEncryption: true } plain || !seen.Add(plain)) continue;
                _any |= plain.EncryptsUnlistedNames;
                _names.UnionWith(plain.Properties.Where(property => property.Node.HasEncryption).Select(property => property.Name));
                foreach (var child in Children(plain)) waiting.Push(child);
            }
        }

        public bool MayContain(ReadOnlySpan<byte> name) => _any || _names.Contains(Encoding.UTF8.GetString(name));

        private static IEnumerable<SchemaNode> Children(PlainNode node)
            => node.Properties.Select(property => property.Node)
                .Concat(node.PatternProperties.Select(pattern => pattern.Node))
                .Concat(node.AdditionalProperties is { } additional ? [additional] : []);
    }
}
