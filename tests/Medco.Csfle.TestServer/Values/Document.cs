using System.Text;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.TestServer.Values;

/// <summary>One field of a <see cref="Document"/>.</summary>
internal readonly record struct Element(string Name, Value Value);

/// <summary>
/// An immutable BSON document or array: its elements in order and the very bytes it came as. An array is a document whose
/// names are not looked at.
/// </summary>
internal sealed class Document
{
    private readonly Element[] _elements;
    private ReadOnlyMemory<byte> _bytes;

    private Document(Element[] elements, ReadOnlyMemory<byte> bytes)
    {
        _elements = elements;
        _bytes = bytes;
    }

    /// <summary>A document of these elements.</summary>
    public Document(IEnumerable<Element> elements) => _elements = [.. elements];

    public static Document Empty { get; } = ParseValidated(new byte[] { 5, 0, 0, 0, 0 });

    public IReadOnlyList<Element> Elements => _elements;

    public int Count => _elements.Length;

    public Element this[int index] => _elements[index];

    /// <summary>The document as BSON: what was parsed, verbatim, or the elements written out once.</summary>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            if (_bytes.IsEmpty) _bytes = Write(_elements);
            return _bytes;
        }
    }

    /// <summary>Reads a document whose every level is valid BSON.</summary>
    /// <exception cref="BsonFormatException">It is not.</exception>
    public static Document Parse(ReadOnlyMemory<byte> bytes)
    {
        BsonValidator.Validate(bytes.Span);
        return ParseValidated(bytes);
    }

    /// <summary>Reads one level of a document that is known to be valid; nested ones are read when they are asked for.</summary>
    public static Document ParseValidated(ReadOnlyMemory<byte> bytes)
    {
        var elements = new List<Element>();
        var reader = new BsonReader(bytes.Span);
        while (reader.Read())
        {
            elements.Add(new Element(reader.GetName(), new Value(reader.Type, bytes[reader.ValueStart..reader.ValueEnd])));
        }

        return new Document([.. elements], bytes);
    }

    /// <summary>The value of a field, the first where the name stands twice, or null where there is none.</summary>
    public Value? Find(string name)
    {
        foreach (var element in _elements)
        {
            if (element.Name == name) return element.Value;
        }

        return null;
    }

    private static byte[] Write(Element[] elements)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        foreach (var (name, value) in elements) writer.WriteRaw(value.Type, Encoding.UTF8.GetBytes(name), value.Bytes.Span);
        writer.EndDocument();
        return writer.ToArray();
    }
}
