using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>What happened.</summary>
internal enum ChangeKind
{
    Create,
    Insert,
    Update,
    Replace,
    Delete,
    Drop,
    Rename,
    DropDatabase,
}

/// <summary>One change of the catalog: of a document, of a collection, or of a database.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Database">Where.</param>
/// <param name="Collection">The collection; empty where a whole database was dropped.</param>
internal sealed record Change(ChangeKind Kind, string Database, string Collection)
{
    /// <summary>The document as it was.</summary>
    public Document? Before { get; init; }

    /// <summary>The document as it became.</summary>
    public Document? After { get; init; }

    /// <summary>The options of a collection that was created.</summary>
    public CollectionOptions? Options { get; init; }

    /// <summary>Where a collection was renamed to.</summary>
    public (string Database, string Collection)? To { get; init; }

    /// <summary>The <c>_id</c> of the document.</summary>
    public Value Id => (After ?? Before)![0].Value;
}
