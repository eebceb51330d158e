using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>
/// Which fields of a document a query returns: either those named, or all but those named. Operators and expressions in a
/// projection are refused.
/// </summary>
internal sealed class Projection
{
    private const int InclusionInExclusion = 31253;
    private const int ExclusionInInclusion = 31254;
    private const int PathCollision = 31250;
    private const int EmptySubProjection = 51270;

    private readonly Node _root = new();
    private bool? _isInclusion;
    private bool? _includesId;

    /// <summary>Reads a projection.</summary>
    /// <exception cref="ServerException">It is none, or is more than inclusion or exclusion.</exception>
    public Projection(Document projection)
    {
        Read(projection, "");
        IsInclusion = _isInclusion ?? _includesId == true;
        if (IsInclusion ? _includesId != false : _includesId == false) _root.Children.TryAdd("_id", null);
    }

    private bool IsInclusion { get; }

    /// <summary>The document as it is returned; the very same where nothing is left out.</summary>
    public Document Apply(Document document)
        => _root.Children.Count == 0 && !IsInclusion ? document : Apply(document, _root);

    private Document Apply(Document document, Node node)
    {
        var elements = new List<Element>();
        foreach (var element in document.Elements)
        {
            if (!node.Children.TryGetValue(element.Name, out var child))
            {
                if (!IsInclusion) elements.Add(element);
            }
            else if (child is null)
            {
                if (IsInclusion) elements.Add(element);
            }
            else if (Apply(element.Value, child) is { } value)
            {
                elements.Add(element with { Value = value });
            }
        }

        return new Document(elements);
    }

    /// <summary>A value on the way to a projected field; null where it is left out, being no document and holding none.</summary>
    private Value? Apply(Value value, Node node)
    {
        if (value.IsDocument) return new Value(Apply(value.Document, node));
        if (value.IsArray) return Value.FromArray(value.Items.Select(item => Apply(item, node)).OfType<Value>());
        return IsInclusion ? null : value;
    }

    private void Read(Document projection, string prefix)
    {
        foreach (var (name, value) in projection.Elements)
        {
            var path = prefix + name;
            if (name.StartsWith('$') || name.Split('.').Any(part => part.StartsWith('$')))
            {
                throw ServerException.NotImplemented($"'{path}' in a projection");
            }

            if (value.IsDocument)
            {
                if (value.Document.Count == 0) throw new ServerException(EmptySubProjection, $"An empty sub-projection is not a valid value. Found empty object at path {path}");
                Read(value.Document, path + ".");
                continue;
            }

            if (!value.IsNumber && value.Type != BsonType.Boolean) throw ServerException.NotImplemented($"an expression at '{path}' in a projection");
            var includes = value.IsNumber ? value.Number.CompareTo(Number.FromInt64(0)) != 0 : value.Boolean;
            if (path == "_id")
            {
                _includesId = includes;
                continue;
            }

            if (_isInclusion is { } kind && kind != includes)
            {
                throw includes
                    ? new ServerException(InclusionInExclusion, $"Cannot do inclusion on field {path} in exclusion projection")
                    : new ServerException(ExclusionInInclusion, $"Cannot do exclusion on field {path} in inclusion projection");
            }

            _isInclusion = includes;
            Add(path);
        }
    }

    private void Add(string path)
    {
        var components = path.Split('.');
        if (components.Any(component => component.Length == 0)) throw ServerException.BadValue($"'{path}' is not a path to project");
        var node = _root;
        foreach (var component in components[..^1])
        {
            if (!node.Children.TryGetValue(component, out var child)) node.Children[component] = child = new Node();
            node = child ?? throw new ServerException(PathCollision, $"Path collision at {path}");
        }

        if (!node.Children.TryAdd(components[^1], null)) throw new ServerException(PathCollision, $"Path collision at {path}");
    }

    /// <summary>What is projected below a document; a child that is null is projected whole.</summary>
    private sealed class Node
    {
        public Dictionary<string, Node?> Children { get; } = [];
    }
}
