using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>The documents of one collection in the order they were inserted, and its indexes, of which that on <c>_id</c> is always there.</summary>
internal sealed class Collection
{
    private readonly SortedDictionary<long, Document> _records;
    private readonly CollectionIndex _idIndex;
    private readonly List<CollectionIndex> _others;
    private long _nextRecord;

    public Collection(string database, string name, CollectionOptions options, Journal journal)
    {
        _records = [];
        _idIndex = new CollectionIndex(IndexSpecification.Id);
        _others = [];
        (Database, Name, Options, Journal, Uuid) = (database, name, options, journal, Guid.NewGuid());
    }

    private Collection(Collection other, Journal journal)
    {
        _records = new SortedDictionary<long, Document>(other._records);
        _idIndex = other._idIndex.Copy();
        _others = [.. other._others.Select(index => index.Copy())];
        _nextRecord = other._nextRecord;
        (Database, Name, Options, Journal, Uuid) = (other.Database, other.Name, other.Options, journal, other.Uuid);
    }

    public string Database { get; private set; }

    public string Name { get; private set; }

    public string FullName => $"{Database}.{Name}";

    public Guid Uuid { get; }

    public CollectionOptions Options { get; set; }

    /// <summary>Who is asked before a change and told after it.</summary>
    public Journal Journal { get; set; }

    /// <summary>The indexes in the order they were created.</summary>
    public IEnumerable<IndexSpecification> Indexes => AllIndexes.Select(index => index.Specification);

    public int Count => _records.Count;

    /// <summary>How many bytes the documents have.</summary>
    public long Size => _records.Values.Sum(document => (long)document.Bytes.Length);

    private IEnumerable<CollectionIndex> AllIndexes => _others.Prepend(_idIndex);

    /// <summary>Adds a document whose <c>_id</c> is its first field.</summary>
    /// <exception cref="ServerException">A key of it is taken.</exception>
    public void Insert(Document document)
    {
        Journal.Reserve(this, document[0].Value);
        foreach (var index in AllIndexes) index.Check(FullName, document, _nextRecord);
        foreach (var index in AllIndexes) index.Add(document, _nextRecord);
        _records.Add(_nextRecord++, document);
        Journal.Record(new Change(ChangeKind.Insert, Database, Name) { After = document });
    }

    /// <summary>Puts a document in the place of one with the same <c>_id</c>: an update or a replacement.</summary>
    /// <exception cref="ServerException">A key of it is taken; then nothing has changed.</exception>
    public void Replace(Document old, Document document, ChangeKind kind)
    {
        Journal.Reserve(this, old[0].Value);
        var record = RecordOf(old);
        foreach (var index in AllIndexes) index.Check(FullName, document, record);
        foreach (var index in AllIndexes)
        {
            index.Remove(old);
            index.Add(document, record);
        }

        _records[record] = document;
        Journal.Record(new Change(kind, Database, Name) { Before = old, After = document });
    }

    public void Remove(Document document)
    {
        Journal.Reserve(this, document[0].Value);
        _records.Remove(RecordOf(document));
        foreach (var index in AllIndexes) index.Remove(document);
        Journal.Record(new Change(ChangeKind.Delete, Database, Name) { Before = document });
    }

    /// <summary>Asks for all documents that one statement is about to change, before it changes the first.</summary>
    public void Reserve(IEnumerable<Document> documents)
    {
        foreach (var document in documents) Journal.Reserve(this, document[0].Value);
    }

    /// <summary>The document with this <c>_id</c>, or null.</summary>
    public Document? FindById(Value id) => _idIndex.Find(id) is { } record ? _records[record] : null;

    /// <summary>The same collection, to be changed by itself.</summary>
    public Collection Copy(Journal journal) => new(this, journal);

    /// <summary>The documents that match, in the order they were inserted. Who changes the collection meanwhile takes a copy first.</summary>
    public IEnumerable<Document> Find(Document filter)
    {
        var expression = MatchParser.Parse(filter);
        return Candidates(filter).Where(expression.Matches);
    }

    /// <summary>Builds an index over the documents there are.</summary>
    /// <exception cref="ServerException">They have duplicate keys, or two arrays in the index; then there is no index.</exception>
    public void CreateIndex(IndexSpecification specification)
    {
        var index = new CollectionIndex(specification);
        foreach (var (record, document) in _records)
        {
            index.Check(FullName, document, record);
            index.Add(document, record);
        }

        _others.Add(index);
    }

    /// <summary>Removes an index other than that on <c>_id</c>.</summary>
    public void DropIndex(IndexSpecification specification) => _others.RemoveAll(index => index.Specification == specification);

    /// <summary>Gives the collection another name.</summary>
    public void Rename(string toDatabase, string toName)
    {
        Database = toDatabase;
        Name = toName;
    }

    private long RecordOf(Document document)
        => _idIndex.Find(document[0].Value) ?? throw new InvalidOperationException("the document is not in the collection");

    /// <summary>All documents, or the one there can be where the filter asks for an <c>_id</c>.</summary>
    private IEnumerable<Document> Candidates(Document filter)
    {
        var id = filter.Find("_id");
        if (id is { IsDocument: true, Document: { Count: 1 } operators } && operators[0].Name == "$eq") id = operators[0].Value;

        // Null also asks for documents without the field, and the other three are more than an equality.
        if (id is null or { Type: BsonType.Null or BsonType.RegularExpression or BsonType.Array } || MatchParser.IsOperators(id)) return _records.Values;
        return _idIndex.Find(id) is { } record ? [_records[record]] : [];
    }
}
