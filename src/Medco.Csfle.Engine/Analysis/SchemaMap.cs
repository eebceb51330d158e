using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>Which collections are encrypted, and how. Namespaces are case-sensitive, as MongoDB's are.</summary>
internal sealed class SchemaMap
{
    private readonly Dictionary<string, EncryptionSchema> _schemas;
    private readonly IReadOnlyDictionary<string, EncryptionSchema?>? _found;
    private readonly SchemaMap _local;
    private readonly SchemaMap?[] _blank = new SchemaMap?[2];

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

        _local = this;
        EncryptsAnything = _schemas.Values.Any(schema => schema.EncryptsAnything);
    }

    private SchemaMap(SchemaMap local, IReadOnlyDictionary<string, EncryptionSchema?> found)
    {
        _local = local;
        _schemas = local._schemas;
        _found = found;
        EncryptsAnything = local.EncryptsAnything || found.Values.Any(schema => schema is { EncryptsAnything: true });
    }

    /// <summary>Whether any collection has an encrypted field.</summary>
    public bool EncryptsAnything { get; }

    /// <summary>
    /// This map, and behind it what a server was asked for: a schema, or null where it has none. A namespace in neither is not
    /// known to be unencrypted, and an error to ask for.
    /// </summary>
    public SchemaMap With(IReadOnlyDictionary<string, EncryptionSchema?> found) => new(this, found);

    /// <summary>
    /// The same collections under schemas that encrypt nothing: for a client that another engine encrypts for, of which only
    /// where it may write is to be known.
    /// </summary>
    /// <param name="withEncrypted">False leaves those out that encrypt something, as if nobody had registered them.</param>
    public SchemaMap Blank(bool withEncrypted)
    {
        if (_found is null)
        {
            return _blank[withEncrypted ? 1 : 0] ??= new SchemaMap(_schemas.Where(each => withEncrypted || !each.Value.EncryptsAnything)
                .Select(each => KeyValuePair.Create(each.Key, EncryptionSchema.Nothing)));
        }

        return _local.Blank(withEncrypted).With(_found.ToDictionary(
            each => each.Key, each => each.Value is { } schema && (withEncrypted || !schema.EncryptsAnything) ? EncryptionSchema.Nothing : null, StringComparer.Ordinal));
    }

    /// <summary>Whether the map itself has a schema for a namespace.</summary>
    public bool Contains(string collection) => _schemas.ContainsKey(collection);

    /// <summary>Whether it was said of a namespace what its schema is, or that it has none.</summary>
    public bool IsKnown(string collection) => _schemas.ContainsKey(collection) || _found?.ContainsKey(collection) == true;

    /// <summary>The schema of a namespace, or null.</summary>
    /// <exception cref="QueryAnalysisException">The server was asked for schemas, but not for this one.</exception>
    public EncryptionSchema? Find(string collection)
    {
        if (_schemas.TryGetValue(collection, out var local)) return local;
        if (_found is null) return null;
        return _found.TryGetValue(collection, out var found)
            ? found
            : throw new QueryAnalysisException(CsfleErrorCode.CommandNotSupported, "The command refers to a collection whose encryption schema is not known",
                "Register the schema of the collection, or run the command through a client without encryption.", collection);
    }
}
