using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Pipeline;

/// <summary>
/// A path of which a pipeline's stages leave open whether it is encrypted: the array that a join makes, a choice between an
/// encrypted and another value, and what an encrypted field was before a stage dropped it. It may be passed on, but nothing
/// may be compared with it.
/// </summary>
internal sealed class UnknownNode : SchemaNode
{
    /// <summary>The only one.</summary>
    public static readonly UnknownNode Instance = new();

    private UnknownNode()
    {
    }

    /// <inheritdoc/>
    public override bool HasEncryption => true;

    /// <inheritdoc/>
    public override bool EncryptsLike(SchemaNode other) => other is UnknownNode;
}
