using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>
/// Is asked before a catalog changes, and told afterwards. This one lets everything pass and keeps nothing, as a standalone does.
/// </summary>
internal class Journal
{
    public static Journal None { get; } = new();

    /// <summary>A document is about to be inserted, changed or removed.</summary>
    public virtual void Reserve(Collection collection, Value id)
    {
    }

    /// <summary>A collection as a whole is about to be changed or to go.</summary>
    public virtual void ReserveAll(Collection collection)
    {
    }

    /// <summary>Something has changed.</summary>
    public virtual void Record(Change change)
    {
    }
}
