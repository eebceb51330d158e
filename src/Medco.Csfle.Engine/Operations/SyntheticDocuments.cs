using System.Text;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations;

/// <summary>A data key and one of its names.</summary>
internal readonly record struct NamedDataKey(string Name, Guid Id);

/// <summary>An encrypted path that no synthetic value could be put at.</summary>
/// <param name="Collection">The namespace.</param>
/// <param name="Path">The path; a pattern stands between slashes, <c>*</c> for every other name.</param>
/// <param name="Reason">Why.</param>
internal sealed record UnprovenPath(string Collection, string Path, string Reason);

/// <summary>
/// Documents that hold a synthetic value at every encrypted path of a schema: as many as it takes for every path to have had
/// every type that it allows. Paths that a pattern or <c>additionalProperties</c> opens get a name that is made up.
/// </summary>
internal sealed class SyntheticDocuments
{
    private const string Marker = "csfleCanary";

    private readonly List<SyntheticValue> _values = [];
    private readonly List<UnprovenPath> _unproven = [];
    private readonly List<Branch> _documents = [];
    private readonly PlainNode _schema;
    private readonly NamedDataKey? _namedKey;

    private SyntheticDocuments(MongoNamespace @namespace, PlainNode schema, NamedDataKey? namedKey)
    {
        Namespace = @namespace;
        _schema = schema;
        _namedKey = namedKey;
    }

    /// <summary>The collection.</summary>
    public MongoNamespace Namespace { get; }

    /// <summary>The values, in no particular order.</summary>
    public IReadOnlyList<SyntheticValue> Values => _values;

    /// <summary>How many documents there are.</summary>
    public int Count => _documents.Count;

    /// <summary>The encrypted paths that no value was put at, and why.</summary>
    public IReadOnlyList<UnprovenPath> Unproven => _unproven;

    /// <summary>The name of the plain element that identifies the documents on a server; null where the schema leaves none plain.</summary>
    public string? MarkerName { get; private init; }

    /// <summary>Its value in each document.</summary>
    public IReadOnlyList<string> MarkerValues { get; private set; } = [];

    /// <summary>Makes up documents.</summary>
    /// <param name="collection">The namespace.</param>
    /// <param name="schema">Its schema.</param>
    /// <param name="namedKey">The data key for fields whose document names its key; null where there is none with a name.</param>
    public static SyntheticDocuments Create(string collection, EncryptionSchema schema, NamedDataKey? namedKey)
    {
        var root = schema.Root;
        var documents = new SyntheticDocuments(MongoNamespace.Parse(collection, "Name it 'database.collection'."), root, namedKey)
        {
            MarkerName = new[] { "_id", Marker }.FirstOrDefault(name => Find(root, name) is not { HasEncryption: true }),
        };
        var places = new List<(string[] Steps, EncryptedNode Node)>();
        documents.Collect(root, [], places);
        documents.RequireId(places);
        documents.Fill(places);
        return documents;
    }

    /// <summary>The insert of all documents, as a driver sends it.</summary>
    /// <param name="withDatabase">Whether it names the database, as what a driver hands to its encryption provider does.</param>
    public byte[] ToInsert(bool withDatabase)
    {
        using var writer = new BsonWriter(1024);
        writer.StartDocument();
        writer.WriteString("insert"u8, Namespace.Collection);
        writer.WriteBoolean("ordered"u8, true);
        if (withDatabase) writer.WriteString("$db"u8, Namespace.Database);
        writer.StartArray("documents"u8);
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        for (var i = 0; i < _documents.Count; i++)
        {
            writer.StartDocument(BsonIndex.Format(i, index));
            _documents[i].Write(writer);
            writer.EndDocument();
        }

        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static SchemaNode? Find(PlainNode schema, string name)
    {
        try
        {
            return schema.Find(Encoding.UTF8.GetBytes(name));
        }
        catch (EncryptionSchemaException)
        {
            // Patterns that disagree about the name: somebody may encrypt it.
            return schema;
        }
    }

    private void Collect(PlainNode node, string[] steps, List<(string[] Steps, EncryptedNode Node)> places)
    {
        foreach (var (name, child) in node.Properties)
        {
            if (child.HasEncryption) Descend(child, [.. steps, name], places);
        }

        foreach (var (pattern, child) in node.PatternProperties)
        {
            if (!child.HasEncryption) continue;
            var example = NameExample.For(pattern.Text)
                .FirstOrDefault(name => pattern.TryMatch(name, out var isMatch) && isMatch && IsFree(node, name) && Find(node, name) is { } found && found.EncryptsLike(child));
            if (example is not null)
            {
                Descend(child, [.. steps, example], places);
            }
            else
            {
                Skip([.. steps, $"/{pattern.Text}/"], "no name was found that this pattern decides about");
            }
        }

        if (node.AdditionalProperties is not { HasEncryption: true } additional) return;
        var other = Enumerable.Range(0, 10).Select(number => $"csfleProof{number}").FirstOrDefault(name => IsFree(node, name) && ReferenceEquals(Find(node, name), additional));
        if (other is not null)
        {
            Descend(additional, [.. steps, other], places);
        }
        else
        {
            Skip([.. steps, "*"], "every name that was tried is covered by something else in the schema");
        }
    }

    // A document without an '_id' is refused where '_id' is encrypted, whoever says that it is.
    private void RequireId(List<(string[] Steps, EncryptedNode Node)> places)
    {
        if (Find(_schema, "_id") is not EncryptedNode id || places.Exists(place => place.Steps is ["_id"])) return;
        Descend(id, ["_id"], places);
        if (places.Exists(place => place.Steps is ["_id"])) return;
        foreach (var (steps, _) in places) Skip(steps, "'_id' is encrypted, and no value could be put there");
        places.Clear();
    }

    private static bool IsField(string name) => name.Length > 0 && !name.Contains('.', StringComparison.Ordinal) && name[0] != '$';

    private static bool IsFree(PlainNode node, string name)
        => IsField(name) && node.FindCaseVariant(Encoding.UTF8.GetBytes(name)) is null && !node.Properties.Any(property => property.Name == name);

    private void Descend(SchemaNode node, string[] steps, List<(string[] Steps, EncryptedNode Node)> places)
    {
        switch (node)
        {
            case PlainNode plain:
                Collect(plain, steps, places);
                break;
            case EncryptedNode encrypted when SyntheticValue.TypesFor(encrypted).Count == 0:
                Skip(steps, "the schema allows no type there that can be encrypted");
                break;
            case EncryptedNode { KeyPointer: { } pointer } when _namedKey is null:
                Skip(steps, $"its data key is named by the document, at '{pointer.Text}', and the key vault has no key with a name");
                break;
            case EncryptedNode encrypted:
                places.Add((steps, encrypted));
                break;
        }
    }

    private void Fill(List<(string[] Steps, EncryptedNode Node)> places)
    {
        var count = places.Count == 0 ? 0 : places.Max(place => SyntheticValue.TypesFor(place.Node).Count);
        var marker = Guid.NewGuid().ToString("N");
        MarkerValues = [.. Enumerable.Range(0, count).Select(number => $"csfle-canary-{marker}-{number}")];
        for (var number = 0; number < count; number++)
        {
            var document = new Branch();
            _documents.Add(document);
            if (MarkerName is { } name) document.TryAdd([name], Leaf.Text(MarkerValues[number]));
            foreach (var (steps, node) in places)
            {
                if (node.KeyPointer is { } pointer && !TryNameKey(document, pointer))
                {
                    if (number == 0) Skip(steps, $"no name can be put at '{pointer.Text}', where the document is to name its data key");
                    continue;
                }

                var types = SyntheticValue.TypesFor(node);
                var value = SyntheticValue.Create(number, steps, node, node.KeyId ?? _namedKey!.Value.Id, types[number % types.Count]);
                if (document.TryAdd(steps, new Leaf(value.Type, value.Bytes)))
                {
                    _values.Add(value);
                }
                else if (number == 0)
                {
                    Skip(steps, "the name of a data key stands in the same place");
                }
            }
        }
    }

    private bool TryNameKey(Branch document, JsonPointer pointer)
    {
        if (document.Find(pointer.Tokens) is Leaf { IsKeyName: true }) return true;
        SchemaNode? node = _schema;
        foreach (var token in pointer.Tokens)
        {
            if (!IsField(token)) return false;
            node = node is PlainNode plain ? Find(plain, token) : null;
            if (node is EncryptedNode) return false;
        }

        return document.TryAdd(pointer.Tokens, Leaf.Text(_namedKey!.Value.Name, isKeyName: true));
    }

    private void Skip(string[] steps, string reason) => _unproven.Add(new UnprovenPath(Namespace.ToString(), string.Join('.', steps), reason));

    private abstract class Element
    {
        public abstract void Write(BsonWriter writer, string name);
    }

    private sealed class Leaf(BsonType type, byte[] value, bool isKeyName = false) : Element
    {
        public bool IsKeyName { get; } = isKeyName;

        public static Leaf Text(string text, bool isKeyName = false)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            var value = new byte[sizeof(int) + utf8.Length + 1];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(value, utf8.Length + 1);
            utf8.CopyTo(value, sizeof(int));
            return new Leaf(BsonType.String, value, isKeyName);
        }

        public override void Write(BsonWriter writer, string name) => writer.WriteRaw(type, Encoding.UTF8.GetBytes(name), value);
    }

    private sealed class Branch : Element
    {
        private readonly List<(string Name, Element Element)> _elements = [];

        public Element? Find(IReadOnlyList<string> steps)
        {
            Element? found = this;
            foreach (var step in steps) found = (found as Branch)?.Child(step);
            return found;
        }

        public bool TryAdd(IReadOnlyList<string> steps, Leaf leaf)
        {
            var branch = this;
            for (var i = 0; i < steps.Count - 1; i++)
            {
                switch (branch.Child(steps[i]))
                {
                    case null:
                        var inner = new Branch();
                        branch._elements.Add((steps[i], inner));
                        branch = inner;
                        break;
                    case Branch existing:
                        branch = existing;
                        break;
                    default:
                        return false;
                }
            }

            if (branch.Child(steps[^1]) is not null) return false;
            branch._elements.Add((steps[^1], leaf));
            return true;
        }

        public void Write(BsonWriter writer)
        {
            foreach (var (name, element) in _elements) element.Write(writer, name);
        }

        public override void Write(BsonWriter writer, string name)
        {
            writer.StartDocument(name);
            Write(writer);
            writer.EndDocument();
        }

        private Element? Child(string name) => _elements.Find(each => each.Name == name).Element;
    }
}
