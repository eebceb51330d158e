using System.Globalization;
using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>A BSON value, opened so that rules can be compared and put together. Instances do not change.</summary>
internal sealed class RuleNode
{
    private readonly byte[] _raw;

    private RuleNode(BsonType type, byte[] raw, IReadOnlyList<(string Name, RuleNode Node)> children)
    {
        Type = type;
        _raw = raw;
        Children = children;
    }

    /// <summary>The empty document.</summary>
    public static RuleNode Empty { get; } = Document([]);

    /// <summary>The type of the value.</summary>
    public BsonType Type { get; }

    /// <summary>The elements of a document or array; of every other value none.</summary>
    public IReadOnlyList<(string Name, RuleNode Node)> Children { get; }

    public bool IsDocument => Type == BsonType.Document;

    /// <summary>A string's text; null for every other type.</summary>
    public string? AsText => Type == BsonType.String ? Encoding.UTF8.GetString(_raw.AsSpan(sizeof(int), _raw.Length - sizeof(int) - 1)) : null;

    /// <summary>Reads a document that is known to be valid.</summary>
    public static RuleNode Read(ReadOnlySpan<byte> document) => new(BsonType.Document, [], ReadChildren(new BsonReader(document)));

    public static RuleNode Document(IReadOnlyList<(string Name, RuleNode Node)> children) => new(BsonType.Document, [], children);

    public static RuleNode Text(string text) => Read(writer => writer.WriteString("v"u8, text));

    public static RuleNode Uuid(Guid uuid) => Read(writer => writer.WriteUuid("v"u8, uuid));

    public static RuleNode Array(IEnumerable<RuleNode> items)
        => new(BsonType.Array, [], [.. items.Select((item, index) => (index.ToString(CultureInfo.InvariantCulture), item))]);

    /// <summary>The first element of that name; null where there is none.</summary>
    public RuleNode? Find(string name)
    {
        foreach (var (candidate, node) in Children)
        {
            if (candidate == name) return node;
        }

        return null;
    }

    /// <summary>The document with an element of that name in the place of the one it has, or at its end.</summary>
    public RuleNode With(string name, RuleNode node)
    {
        var children = Children.ToList();
        var index = children.FindIndex(child => child.Name == name);
        if (index < 0) children.Add((name, node));
        else children[index] = (name, node);
        return Document(children);
    }

    /// <summary>The document without the elements of that name.</summary>
    public RuleNode Without(string name) => Document([.. Children.Where(child => child.Name != name)]);

    /// <summary>Whether both say the same: the order of a document's elements counts for nothing, that of an array's does.</summary>
    public bool IsSameAs(RuleNode other)
    {
        if (Type != other.Type || Children.Count != other.Children.Count || !_raw.AsSpan().SequenceEqual(other._raw)) return false;
        return IsDocument
            ? Children.All(child => other.Find(child.Name) is { } match && child.Node.IsSameAs(match))
            : Children.Zip(other.Children).All(pair => pair.First.Node.IsSameAs(pair.Second.Node));
    }

    /// <summary>The document's bytes.</summary>
    public byte[] ToBson()
    {
        using var writer = new BsonWriter(1024);
        writer.StartDocument();
        WriteChildren(writer);
        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>The value in Extended JSON, in one line.</summary>
    public string ToJson() => ExtendedJson.ToJson(Document([("v", this)]).ToBson())["{\"v\":".Length..^1];

    private static RuleNode Read(Action<BsonWriter> write)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        write(writer);
        writer.EndDocument();
        return Read(writer.WrittenSpan).Children[0].Node;
    }

    private static List<(string Name, RuleNode Node)> ReadChildren(BsonReader reader)
    {
        var children = new List<(string, RuleNode)>();
        while (reader.Read())
        {
            children.Add((reader.GetName(), reader.Type is BsonType.Document or BsonType.Array
                ? new RuleNode(reader.Type, [], ReadChildren(reader.ReadDocument()))
                : new RuleNode(reader.Type, reader.Value.ToArray(), [])));
        }

        return children;
    }

    private void WriteChildren(BsonWriter writer)
    {
        foreach (var (name, node) in Children)
        {
            var utf8 = Utf8Text.GetBytes(name);
            switch (node.Type)
            {
                case BsonType.Document:
                    writer.StartDocument(utf8);
                    node.WriteChildren(writer);
                    writer.EndDocument();
                    break;
                case BsonType.Array:
                    writer.StartArray(utf8);
                    node.WriteChildren(writer);
                    writer.EndDocument();
                    break;
                default:
                    writer.WriteRaw(node.Type, utf8, node._raw);
                    break;
            }
        }
    }
}
