using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>What an index is: its name, its key and its options, read from <c>createIndexes</c>.</summary>
internal sealed class IndexSpecification
{
    // What a partial index may be limited by (manual, "Partial Indexes").
    private static readonly HashSet<string> PartialOperators = ["$eq", "$in", "$exists", "$gt", "$gte", "$lt", "$lte", "$type", "$and", "$or"];

    private static readonly HashSet<string> Unsupported =
    [
        "expireAfterSeconds", "hidden", "storageEngine", "weights", "default_language", "language_override", "textIndexVersion",
        "2dsphereIndexVersion", "bits", "min", "max", "bucketSize", "wildcardProjection", "clustered", "prepareUnique",
    ];

    private IndexSpecification(Document key, string name, bool isUnique, bool isSparse, Document? partialFilter)
    {
        Key = key;
        Name = name;
        IsUnique = isUnique;
        IsSparse = isSparse;
        PartialFilter = partialFilter;
        Shown = Show();
    }

    /// <summary>The index that every collection has.</summary>
    public static IndexSpecification Id { get; }
        = new(new Document([new Element("_id", Value.FromInt32(1))]), "_id_", isUnique: true, isSparse: false, partialFilter: null);

    public Document Key { get; }

    public string Name { get; }

    public bool IsUnique { get; }

    /// <summary>Documents without any of the fields are left out.</summary>
    public bool IsSparse { get; }

    /// <summary>Only documents that match are in the index; null for all.</summary>
    public Document? PartialFilter { get; }

    /// <summary>Whether the index leaves documents out, so that not every query may use it.</summary>
    public bool IsIncomplete => IsSparse || PartialFilter is not null;

    /// <summary>The index as <c>listIndexes</c> shows it.</summary>
    public Document Shown { get; }

    /// <summary>Reads the specification of one index.</summary>
    /// <exception cref="ServerException">It is none, or asks for what this server does not have.</exception>
    public static IndexSpecification Parse(Document specification)
    {
        Document? key = null;
        Document? partialFilter = null;
        string? name = null;
        var isUnique = false;
        var isSparse = false;
        foreach (var (option, value) in specification.Elements)
        {
            switch (option)
            {
                case "key":
                    key = value.IsDocument ? value.Document : throw WrongType(option, value, "object");
                    break;
                case "name":
                    name = value.Type == BsonType.String ? value.Text : throw WrongType(option, value, "string");
                    break;
                case "unique":
                    isUnique = Boolean(option, value);
                    break;
                case "sparse":
                    isSparse = Boolean(option, value);
                    break;
                case "partialFilterExpression":
                    partialFilter = value.IsDocument ? value.Document : throw WrongType(option, value, "object");
                    break;
                case "v":
                    if (!ValueOrder.AreEqual(value, Value.FromInt32(2))) throw ServerException.NotImplemented("an index version other than 2");
                    break;
                case "background":
                    // It says how the index is built, and is ignored since MongoDB 4.2.
                    Boolean(option, value);
                    break;
                case "collation":
                    if (!(value.IsDocument && value.Document.Find("locale") is { Type: BsonType.String, Text: "simple" })) throw ServerException.NotImplemented("a collation other than { locale: \"simple\" }");
                    break;
                default:
                    if (!Unsupported.Contains(option)) throw new ServerException(ErrorCode.InvalidIndexSpecificationOption, $"The field '{option}' is not valid for an index specification. Specification: {ValueText.Of(specification)}");
                    if (value.IsTrue) throw ServerException.NotImplemented($"the index option '{option}'");
                    break;
            }
        }

        if (key is null) throw Missing("key");
        if (name is null) throw Missing("name");
        if (name.Length == 0 || name == "*") throw ServerException.BadValue($"The index name '{name}' is not valid.");
        CheckKey(key);
        if (partialFilter is not null)
        {
            if (isSparse) throw CannotCreate("cannot mix \"partialFilterExpression\" and \"sparse\" options");
            CheckPartialFilter(partialFilter);
            MatchParser.Parse(partialFilter);
        }

        if (!Id.HasKey(key))
        {
            return name == Id.Name
                ? throw CannotCreate("The index name '_id_' is reserved for the _id index")
                : new IndexSpecification(key, name, isUnique, isSparse, partialFilter);
        }

        // The index on _id has one form; asking for it again changes nothing.
        return isSparse || partialFilter is not null ? throw CannotCreate("_id index cannot be a sparse or a partial index") : Id;
    }

    /// <summary>Whether two indexes are the same but for their names.</summary>
    public bool IsAlike(IndexSpecification other)
        => IsUnique == other.IsUnique
            && IsSparse == other.IsSparse
            && HasKey(other.Key)
            && (PartialFilter ?? Document.Empty).Bytes.Span.SequenceEqual((other.PartialFilter ?? Document.Empty).Bytes.Span);

    /// <summary>Whether the key is this one; 1 and 1.0 are the same.</summary>
    public bool HasKey(Document key) => ValueOrder.AreEqual(new Value(Key), new Value(key));

    private static void CheckKey(Document key)
    {
        if (key.Count == 0) throw CannotCreate("Index keys cannot be empty.");
        var seen = new HashSet<string>();
        foreach (var (path, direction) in key.Elements)
        {
            if (direction.Type == BsonType.String || path.Split('.').Any(part => part == "$**"))
            {
                throw ServerException.NotImplemented($"an index on '{path}: {ValueText.Of(direction)}'");
            }

            if (!direction.IsNumber || !direction.IsTrue || direction.Number.IsNaN)
            {
                throw CannotCreate($"Values in the index key pattern must be numbers other than 0 or strings, but '{path}' is {ValueText.Of(direction)}");
            }

            if (path.Split('.').Any(part => part.Length == 0 || part[0] == '$')) throw CannotCreate($"'{path}' is not a path to index");
            if (!seen.Add(path)) throw CannotCreate($"the index key has '{path}' twice");
        }
    }

    private static void CheckPartialFilter(Document filter)
    {
        foreach (var (name, value) in filter.Elements)
        {
            if (name.StartsWith('$'))
            {
                if (!PartialOperators.Contains(name)) throw CannotCreate($"Expression not supported in partial index: {name}");
                if (!value.IsArray) continue;
                foreach (var clause in value.Items.Where(item => item.IsDocument)) CheckPartialFilter(clause.Document);
            }
            else if (MatchParser.IsOperators(value))
            {
                foreach (var (operation, operand) in value.Document.Elements)
                {
                    if (!PartialOperators.Contains(operation) || (operation == "$exists" && !operand.IsTrue))
                    {
                        throw CannotCreate($"Expression not supported in partial index: {operation}: {ValueText.Of(operand)}");
                    }
                }
            }
        }
    }

    private Document Show()
    {
        var elements = new List<Element> { new("v", Value.FromInt32(2)), new("key", new Value(Key)), new("name", Value.FromText(Name)) };
        // Of the index on _id, being unique goes without saying.
        if (IsUnique && Name != "_id_") elements.Add(new Element("unique", Value.FromBoolean(true)));
        if (IsSparse) elements.Add(new Element("sparse", Value.FromBoolean(true)));
        if (PartialFilter is not null) elements.Add(new Element("partialFilterExpression", new Value(PartialFilter)));
        return new Document(elements);
    }

    private static bool Boolean(string option, Value value)
        => value.Type == BsonType.Boolean || value.IsNumber ? value.IsTrue : throw WrongType(option, value, "bool");

    private static ServerException CannotCreate(string message) => new(ErrorCode.CannotCreateIndex, message);

    private static ServerException Missing(string option)
        => ServerException.FailedToParse($"The '{option}' field is a required property of an index specification");

    private static ServerException WrongType(string option, Value value, string expected)
        => ServerException.TypeMismatch($"The field '{option}' of an index specification must be of type {expected}, but got {value.Type.Alias()}");
}
