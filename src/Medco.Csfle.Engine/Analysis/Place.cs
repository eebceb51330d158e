using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Where in a command something stands, for an error to say. The path of an element inside a document is not carried along
/// while the document is walked, but found again from the element's offset when an error needs it.
/// </summary>
internal readonly ref struct Place
{
    private readonly ReadOnlySpan<byte> _path;
    private readonly int _document;
    private readonly int _element;

    /// <summary>A place that the command itself spells as a dotted path.</summary>
    public Place(ReadOnlySpan<byte> path, string? @operator = null)
        : this(path, 0, 0, @operator)
    {
    }

    private Place(ReadOnlySpan<byte> path, int document, int element, string? @operator)
    {
        _path = path;
        _document = document;
        _element = element;
        Operator = @operator;
    }

    /// <summary>The operator that is at work there, where there is one.</summary>
    public string? Operator { get; }

    /// <summary>A dotted path, of no operator.</summary>
    public static implicit operator Place(ReadOnlySpan<byte> path) => new(path);

    /// <summary>The document that is written at a dotted path (empty: a whole document).</summary>
    /// <param name="path">The dotted path.</param>
    /// <param name="documentStart">The document's offset in the command; never 0, where the command itself starts.</param>
    /// <param name="operator">The operator that writes it.</param>
    public static Place Document(ReadOnlySpan<byte> path, int documentStart, string? @operator)
        => new(path, documentStart, 0, @operator);

    /// <summary>An element of this place's document, at any depth.</summary>
    public Place At(in BsonReader element) => new(_path, _document, element.ElementStart, Operator);

    /// <summary>The dotted path, or null where there is none.</summary>
    public string? Spell(ReadOnlySpan<byte> command)
    {
        var path = new StringBuilder(Encoding.UTF8.GetString(_path));
        if (_element > 0)
        {
            var reader = new BsonReader(command, _document, 0);
            while (reader.Read())
            {
                if (reader.ValueEnd <= _element) continue;
                if (path.Length > 0) path.Append('.');
                path.Append(reader.GetName());
                if (reader.ElementStart == _element) break;
                reader = reader.ReadDocument();
            }
        }

        return path.Length == 0 ? null : path.ToString();
    }
}
