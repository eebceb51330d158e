using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>An index with the keys of all its documents; that of one that is not unique only knows whether a document has keys at all.</summary>
internal sealed class CollectionIndex
{
    private readonly SortedDictionary<Value[], long> _entries;
    private readonly string[][] _paths;
    private readonly FieldPath[] _fields;
    private readonly MatchExpression? _partialFilter;

    public CollectionIndex(IndexSpecification specification)
        : this(specification, new SortedDictionary<Value[], long>(IndexKeys.KeyOrder))
    {
    }

    private CollectionIndex(IndexSpecification specification, SortedDictionary<Value[], long> entries)
    {
        _entries = entries;
        Specification = specification;
        _paths = [.. specification.Key.Elements.Select(element => element.Name.Split('.'))];
        _fields = [.. specification.Key.Elements.Select(element => new FieldPath(element.Name))];
        _partialFilter = specification.PartialFilter is { } filter ? MatchParser.Parse(filter) : null;
    }

    public IndexSpecification Specification { get; }

    /// <summary>The same index, to be changed by itself.</summary>
    public CollectionIndex Copy() => new(Specification, new SortedDictionary<Value[], long>(_entries, IndexKeys.KeyOrder));

    /// <summary>The record with this key in a unique index, or null.</summary>
    public long? Find(params Value[] key) => _entries.TryGetValue(key, out var record) ? record : null;

    /// <summary>Checks that a document can take its place.</summary>
    /// <exception cref="ServerException">One of its keys is another record's, or it has two arrays in the index.</exception>
    public void Check(string collection, Document document, long record)
    {
        var keys = KeysOf(document);
        if (!Specification.IsUnique) return;
        foreach (var key in keys)
        {
            if (_entries.TryGetValue(key, out var owner) && owner != record) throw DuplicateKey(collection, key);
        }
    }

    public void Add(Document document, long record)
    {
        if (!Specification.IsUnique) return;
        foreach (var key in KeysOf(document)) _entries[key] = record;
    }

    public void Remove(Document document)
    {
        if (!Specification.IsUnique) return;
        foreach (var key in KeysOf(document)) _entries.Remove(key);
    }

    private IReadOnlyList<Value[]> KeysOf(Document document)
    {
        var isLeftOut = _partialFilter?.Matches(document) == false || (Specification.IsSparse && !IndexKeys.HasAny(document, _fields));
        return isLeftOut ? [] : IndexKeys.Of(document, _paths);
    }

    private ServerException DuplicateKey(string collection, Value[] key)
    {
        var values = new Document(Specification.Key.Elements.Select((element, i) => element with { Value = key[i] }));
        return new ServerException(
            ErrorCode.DuplicateKey,
            $"E11000 duplicate key error collection: {collection} index: {Specification.Name} dup key: {ValueText.Of(values)}",
            [new("keyPattern", new Value(Specification.Key)), new("keyValue", new Value(values))]);
    }
}
