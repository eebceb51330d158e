using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>Which collections are encrypted, and how. Namespaces are case-sensitive, as MongoDB's are.</summary>
internal sealed class SchemaMap
{
    private readonly Dictionary<string, EncryptionSchema> _schemas;

    /// <summary>A map with one schema for each namespace, <c>db.collection</c>.</summary>
    /// <exception cref="NamespaceException">One is not a namespace: its schema would never be found.</exception>
    /// <exception cref="ArgumentException">One stands twice.</exception>
    public SchemaMap(IEnumerable<KeyValuePair<string, EncryptionSchema>> schemas)
    {
        _schemas = new Dictionary<string, EncryptionSchema>(schemas, StringComparer.Ordinal);
        if (_schemas.Keys.FirstOrDefault(name => !NamespaceName.IsValid(name)) is { } wrong)
        {
            throw new NamespaceException($"'{wrong}' does not name a collection", "Give the schema of each collection under 'db.collection'.");
        }

        EncryptsAnything = _schemas.Values.Any(schema => schema.EncryptsAnything);
    }

    /// <summary>Whether any collection has an encrypted field.</summary>
    public bool EncryptsAnything { get; }

    /// <summary>The schema of a namespace, or null.</summary>
    public EncryptionSchema? Find(string collection) => _schemas.GetValueOrDefault(collection);
}
