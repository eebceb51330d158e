using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Aggregation;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>
/// Which fields of a document a query returns: either those named, with fields that expressions compute beside them, or all but
/// those named. The operators that only <c>find</c> has (<c>$slice</c>, <c>$elemMatch</c>, <c>$meta</c> and the positional one)
/// are refused.
/// </summary>
internal sealed class Projection
{
    private const int InclusionInExclusion = 31253;
    private const int ExclusionInInclusion = 31254;
    private const int ExpressionInExclusion = 31252;
    private const int PathCollision = 31250;
    private const int EmptySubProjection = 51270;

    private static readonly HashSet<string> FindOperators = ["$slice", "$elemMatch", "$meta"];

    private readonly Node _root = new();
    private readonly bool _isStage;
    private readonly Kind _kind;
    private bool? _isInclusion;
    private bool? _includesId;

    /// <summary>Reads a projection.</summary>
    /// <param name="projection">The projection of a query, or the stage <c>$project</c>.</param>
    /// <param name="isStage">Whether it is a stage, which has expressions only.</param>
    /// <exception cref="ServerException">It is none, or is more than inclusion, exclusion and expressions.</exception>
    public Projection(Document projection, bool isStage = false)
    {
        _isStage = isStage;
        Read(projection, "");
        _kind = _isInclusion ?? _includesId == true ? Kind.Inclusion : Kind.Exclusion;
        if (_kind == Kind.Inclusion ? _includesId != false : _includesId == false) _root.Children.TryAdd("_id", Node.Whole);
    }

    private Projection(Document fields, Kind kind)
    {
        _isStage = true;
        _kind = kind;
        ReadAdded(fields, "");
    }

    private enum Kind
    {
        Inclusion,
        Exclusion,
        Addition,
    }

    /// <summary>Reads the stage <c>$addFields</c>: all fields stay, and those that expressions compute are added.</summary>
    public static Projection Addition(Document fields) => new(fields, Kind.Addition);

    /// <summary>The document as it is returned; the very same where nothing is left out.</summary>
    public Document Apply(Document document)
        => _root.Children.Count == 0 && _kind != Kind.Inclusion ? document : Apply(document, _root, new Scope(document));

    private Document Apply(Document document, Node node, Scope scope)
    {
        var elements = new List<Element>();
        var seen = new HashSet<string>();
        foreach (var element in document.Elements)
        {
            if (!node.Children.TryGetValue(element.Name, out var child))
            {
                if (_kind != Kind.Inclusion) elements.Add(element);
                continue;
            }

            // What an inclusion computes comes behind all that it keeps.
            if (child.Computed is not null && _kind == Kind.Inclusion) continue;
            seen.Add(element.Name);
            var value = child.Computed is { } expression ? expression.Evaluate(scope)
                : child != Node.Whole ? Apply(element.Value, child, scope)
                : _kind == Kind.Inclusion ? element.Value : null;
            if (value is not null) elements.Add(element with { Value = value });
        }

        foreach (var (name, child) in node.Children.Where(child => !seen.Contains(child.Key) && child.Value.HasComputed))
        {
            var value = child.Computed is { } expression ? expression.Evaluate(scope) : new Value(Apply(Document.Empty, child, scope));
            if (value is not null) elements.Add(new Element(name, value));
        }

        return new Document(elements);
    }

    /// <summary>A value on the way to a projected field; null where it is left out, being no document and holding none.</summary>
    private Value? Apply(Value value, Node node, Scope scope)
    {
        if (value.IsDocument) return new Value(Apply(value.Document, node, scope));
        if (value.IsArray) return Value.FromArray(value.Items.Select(item => Apply(item, node, scope)).OfType<Value>());
        if (node.HasComputed) return new Value(Apply(Document.Empty, node, scope));
        return _kind == Kind.Inclusion ? null : value;
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

            if (value.IsDocument && !IsOperator(value))
            {
                RefuseEmpty(path, value);
                Read(value.Document, path + ".");
            }
            else if (value.IsNumber || value.Type == BsonType.Boolean)
            {
                ReadFlag(path, value.IsTrue);
            }
            else
            {
                ReadExpression(path, value);
            }
        }
    }

    private void ReadFlag(string path, bool includes)
    {
        if (path == "_id")
        {
            _includesId = includes;
            return;
        }

        if (_isInclusion is { } kind && kind != includes)
        {
            throw includes
                ? new ServerException(InclusionInExclusion, $"Cannot do inclusion on field {path} in exclusion projection")
                : new ServerException(ExclusionInInclusion, $"Cannot do exclusion on field {path} in inclusion projection");
        }

        _isInclusion = includes;
        Add(path, Node.Whole);
    }

    private void ReadExpression(string path, Value value)
    {
        if (!_isStage && IsOperator(value) && FindOperators.Contains(value.Document[0].Name)) throw ServerException.NotImplemented($"{value.Document[0].Name} at '{path}' in a projection");
        if (_isInclusion == false) throw new ServerException(ExpressionInExclusion, $"Cannot use an expression for {path} in exclusion projection");
        _isInclusion = true;
        Add(path, new Node { Computed = ExpressionParser.Parse(value) });
    }

    private void ReadAdded(Document fields, string prefix)
    {
        foreach (var (name, value) in fields.Elements)
        {
            if (name.StartsWith('$')) throw new ServerException(ErrorCode.DollarPrefixedFieldName, $"FieldPath field names may not start with '$': {prefix}{name}");
            if (value.IsDocument && value.Document.Count > 0 && !IsOperator(value)) ReadAdded(value.Document, $"{prefix}{name}.");
            else Add(prefix + name, new Node { Computed = ExpressionParser.Parse(value) });
        }
    }

    private static bool IsOperator(Value value) => value.IsDocument && value.Document.Count > 0 && value.Document[0].Name.StartsWith('$');

    private static void RefuseEmpty(string path, Value value)
    {
        if (value.Document.Count == 0) throw new ServerException(EmptySubProjection, $"An empty sub-projection is not a valid value. Found empty object at path {path}");
    }

    private void Add(string path, Node leaf)
    {
        var components = path.Split('.');
        if (components.Any(component => component.Length == 0)) throw ServerException.BadValue($"'{path}' is not a path to project");
        var node = _root;
        foreach (var component in components[..^1])
        {
            if (!node.Children.TryGetValue(component, out var child)) node.Children[component] = child = new Node();
            if (child == Node.Whole || child.Computed is not null) throw new ServerException(PathCollision, $"Path collision at {path}");
            node = child;
        }

        if (!node.Children.TryAdd(components[^1], leaf)) throw new ServerException(PathCollision, $"Path collision at {path}");
    }

    /// <summary>What is projected below a document.</summary>
    private sealed class Node
    {
        /// <summary>Marks a field that is included or excluded whole.</summary>
        public static readonly Node Whole = new();

        /// <summary>The fields in the order they were named.</summary>
        public OrderedDictionary<string, Node> Children { get; } = [];

        /// <summary>What computes the field, or null.</summary>
        public Expression? Computed { get; init; }

        /// <summary>Whether the field or one below it is computed.</summary>
        public bool HasComputed => Computed is not null || Children.Values.Any(child => child.HasComputed);
    }
}
