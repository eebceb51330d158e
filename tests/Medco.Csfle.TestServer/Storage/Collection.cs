using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>The documents of one collection in the order they were inserted, unique by <c>_id</c>.</summary>
internal sealed class Collection(string database, string name, CollectionOptions options)
{
    private readonly SortedDictionary<Value, Document> _byId = new(ValueOrder.Instance);
    private readonly List<Document> _documents = [];

    public string Name { get; } = name;

    public string FullName { get; } = $"{database}.{name}";

    public Guid Uuid { get; } = Guid.NewGuid();

    public CollectionOptions Options { get; } = options;

    /// <summary>Adds a document whose <c>_id</c> is its first field.</summary>
    /// <exception cref="ServerException">Its <c>_id</c> is taken.</exception>
    public void Insert(Document document)
    {
        var id = document[0].Value;
        if (!_byId.TryAdd(id, document)) throw DuplicateId(id);
        _documents.Add(document);
    }

    /// <summary>The documents that match, in the order they were inserted.</summary>
    public IEnumerable<Document> Find(Document filter)
    {
        var expression = MatchParser.Parse(filter);
        return Candidates(filter).Where(expression.Matches);
    }

    /// <summary>All documents, or the one there can be where the filter asks for an <c>_id</c>.</summary>
    private IEnumerable<Document> Candidates(Document filter)
    {
        var id = filter.Find("_id");
        if (id is { IsDocument: true, Document: { Count: 1 } operators } && operators[0].Name == "$eq") id = operators[0].Value;

        // Null also asks for documents without the field, and the other three are more than an equality.
        if (id is null or { Type: BsonType.Null or BsonType.RegularExpression or BsonType.Array } || MatchParser.IsOperators(id)) return _documents;
        return _byId.TryGetValue(id, out var document) ? [document] : [];
    }

    private ServerException DuplicateId(Value id) => new(
        ErrorCode.DuplicateKey,
        $"E11000 duplicate key error collection: {FullName} index: _id_ dup key: {{ _id: {ValueText.Of(id)} }}",
        [
            new("keyPattern", new Value(new Document([new Element("_id", Value.FromInt32(1))]))),
            new("keyValue", new Value(new Document([new Element("_id", id)]))),
        ]);
}
