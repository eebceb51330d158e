using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>What an update makes of a document.</summary>
internal abstract class DocumentUpdate
{
    /// <summary>The updated document; its <c>_id</c> may be missing where the old one had none.</summary>
    /// <param name="document">The document, or what an upsert starts from.</param>
    /// <param name="filter">What found it.</param>
    /// <param name="isInsert">Whether an upsert makes a new document.</param>
    public abstract Document Apply(Document document, MatchExpression filter, bool isInsert);
}

/// <summary>A whole document that takes the place of another, but for the <c>_id</c> where it has none.</summary>
internal sealed class Replacement(Document replacement) : DocumentUpdate
{
    public override Document Apply(Document document, MatchExpression filter, bool isInsert)
        => replacement.Find("_id") is null && document.Find("_id") is { } id
            ? new Document(replacement.Elements.Prepend(new Element("_id", id)))
            : replacement;
}
