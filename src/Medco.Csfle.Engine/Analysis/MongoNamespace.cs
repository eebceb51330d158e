using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>A namespace, <c>database.collection</c>. A database's name has no dot, so that the first dot divides.</summary>
/// <param name="Database">The database.</param>
/// <param name="Collection">The collection; may contain dots.</param>
internal readonly record struct MongoNamespace(string Database, string Collection)
{
    /// <summary>Reads a namespace that somebody configured.</summary>
    /// <param name="text">The namespace.</param>
    /// <param name="remedy">What to write instead, for the error.</param>
    /// <exception cref="NamespaceException">No server would take it.</exception>
    public static MongoNamespace Parse(string text, string remedy)
        => NamespaceName.IsValid(text) && Utf8Text.IsWellFormed(text)
            ? Split(text)
            : throw new NamespaceException($"'{text}' does not name a collection", remedy);

    /// <summary>Divides a namespace without judging its parts, which are empty where there is nothing.</summary>
    public static MongoNamespace Split(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? new MongoNamespace(text, "") : new MongoNamespace(text[..dot], text[(dot + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Database}.{Collection}";
}
