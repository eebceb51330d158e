using System.Text;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>
/// The encryption schema of the documents between two stages of a pipeline. It is made of the same immutable nodes as the
/// schema of a collection, and of <see cref="UnknownNode"/>: a change is a new root that shares everything else.
/// </summary>
/// <remarks>
/// Nodes are shared and never walked as a whole, so that a document that a pipeline nests into itself again and again costs
/// no more than its stages do. A name that a listed one overrides need not be remembered unless one of both is encrypted.
/// </remarks>
internal static class TrackedSchema
{
    private const string Location = "(pipeline)";

    /// <summary>Documents without anything encrypted.</summary>
    public static readonly PlainNode Plain = new(Location, [], [], null);

    /// <summary>Documents of which nothing is known.</summary>
    public static readonly PlainNode Unknown = new(Location, [], [], UnknownNode.Instance);

    /// <summary>A document with the given fields.</summary>
    public static PlainNode Of(IReadOnlyList<SchemaProperty> fields) => fields.Count == 0 ? Plain : new PlainNode(Location, fields, [], null);

    /// <summary>
    /// What is left when a stage writes new documents. Names that were encrypted are remembered as unknown: a filter behind
    /// the stage that still asks for one would find nothing, and would show its constant in clear.
    /// </summary>
    public static PlainNode Forget(PlainNode document)
    {
        if (!document.HasEncryption) return document;
        return new PlainNode(
            Location,
            [.. document.Properties.Select(property => property with { Node = Forgotten(property.Node) })],
            [.. document.PatternProperties.Select(pattern => pattern with { Node = Forgotten(pattern.Node) })],
            document.AdditionalProperties is { } additional ? Forgotten(additional) : null);
    }

    /// <summary>What a path is once a stage took it away.</summary>
    public static SchemaNode Forgotten(SchemaNode node) => node.HasEncryption ? UnknownNode.Instance : node;

    /// <summary>The document with another value at a dotted path.</summary>
    /// <param name="document">The document that is changed.</param>
    /// <param name="origin">
    /// The document that the stage reads: where <paramref name="document"/> has forgotten a document on the way to the path,
    /// this says which names that one had.
    /// </param>
    /// <param name="path">Components joined by dots.</param>
    /// <param name="value">The value; null where nothing of it is encrypted.</param>
    /// <param name="changes">Counts what the change costs.</param>
    public static PlainNode Assign(PlainNode document, PlainNode? origin, ReadOnlySpan<byte> path, SchemaNode? value, PipelineContext changes)
    {
        var dot = path.IndexOf((byte)'.');
        var name = dot < 0 ? path : path[..dot];
        var current = document.Find(name);
        if (current is not { HasEncryption: true } && value is not { HasEncryption: true }) return document;
        if (dot < 0) return Replace(document, name, value ?? Plain, changes);

        var source = origin?.Find(name) as PlainNode;
        if (Open(current, source) is not { } inner) return document;
        var changed = Assign(inner, source, path[(dot + 1)..], value, changes);
        return ReferenceEquals(changed, current) ? document : Replace(document, name, changed, changes);
    }

    // Null where the value is unknown, and stays so whatever is written into it.
    private static PlainNode? Open(SchemaNode? current, PlainNode? source) => current switch
    {
        PlainNode plain => plain,
        null => Plain,
        _ => source is null ? null : Forget(source),
    };

    private static PlainNode Replace(PlainNode document, ReadOnlySpan<byte> name, SchemaNode value, PipelineContext changes)
    {
        changes.CountChange();
        var text = Encoding.UTF8.GetString(name);
        return new PlainNode(
            Location,
            [.. document.Properties.Where(property => property.Name != text), new SchemaProperty(text, value)],
            document.PatternProperties,
            document.AdditionalProperties);
    }
}
