using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>
/// Changes one field of a document, which leaves the bytes of all others as they are. A path of an update names exactly one
/// place: it goes through documents by name and through arrays by number.
/// </summary>
internal static class DocumentEdit
{
    /// <summary>The most elements an array is filled up with to reach a number in a path.</summary>
    private const int MaxPadding = 1_500_000;

    /// <summary>The value at a path, or null.</summary>
    public static Value? Find(Document document, IReadOnlyList<string> path)
    {
        Value? value = new(document);
        foreach (var component in path)
        {
            value = value switch
            {
                { IsDocument: true } => value.Document.Find(component),
                { IsArray: true } when FieldPath.ArrayIndex(component) is var index && index >= 0 && index < value.Document.Count => value.Document[index].Value,
                _ => null,
            };
            if (value is null) return null;
        }

        return value;
    }

    /// <summary>The document with another value at a path.</summary>
    /// <param name="document">The document.</param>
    /// <param name="path">The path; documents that are missing on it are created where there is a value to hold.</param>
    /// <param name="edit">Makes the new value of the old, null standing for a missing field.</param>
    /// <returns>The very same document where nothing changes.</returns>
    /// <exception cref="ServerException">The path leads through a value that cannot hold fields.</exception>
    public static Document Edit(Document document, IReadOnlyList<string> path, Func<Value?, Value?> edit) => EditDocument(document, path, 0, edit);

    private static Document EditDocument(Document document, IReadOnlyList<string> path, int depth, Func<Value?, Value?> edit)
    {
        var old = document.Find(path[depth]);
        var changed = EditChild(old, path, depth, edit);
        if (ReferenceEquals(old, changed)) return document;
        var elements = document.Elements.ToList();
        var index = elements.FindIndex(element => element.Name == path[depth]);
        if (index < 0) elements.Add(new Element(path[depth], changed!));
        else if (changed is null) elements.RemoveAt(index);
        else elements[index] = elements[index] with { Value = changed };
        return new Document(elements);
    }

    private static Value EditArray(Value array, IReadOnlyList<string> path, int depth, Func<Value?, Value?> edit)
    {
        var index = FieldPath.ArrayIndex(path[depth]);
        if (index < 0) return Refuse(array, path, depth, edit);

        var items = array.Items.ToList();
        var old = index < items.Count ? items[index] : null;
        var changed = EditChild(old, path, depth, edit);
        if (ReferenceEquals(old, changed)) return array;
        if (index - items.Count > MaxPadding) throw ServerException.BadValue($"can't backfill more than {MaxPadding} elements");
        while (items.Count <= index) items.Add(Value.Null);

        // An element that is taken away leaves null, so that the others keep their numbers.
        items[index] = changed ?? Value.Null;
        return Value.FromArray(items);
    }

    private static Value? EditChild(Value? old, IReadOnlyList<string> path, int depth, Func<Value?, Value?> edit)
    {
        if (depth + 1 == path.Count) return edit(old);
        switch (old)
        {
            case null:
                return edit(null) is { } created ? Create(path, depth + 1, created) : null;
            case { IsDocument: true }:
                var document = EditDocument(old.Document, path, depth + 1, edit);
                return ReferenceEquals(document, old.Document) ? old : new Value(document);
            case { IsArray: true }:
                return EditArray(old, path, depth + 1, edit);
            default:
                return Refuse(old, path, depth + 1, edit);
        }
    }

    private static Value Create(IReadOnlyList<string> path, int depth, Value value)
        => new(new Document([new Element(path[depth], depth + 1 == path.Count ? value : Create(path, depth + 1, value))]));

    /// <summary>A value that cannot hold the field: an error, but where the edit creates nothing.</summary>
    private static Value Refuse(Value holder, IReadOnlyList<string> path, int depth, Func<Value?, Value?> edit)
        => edit(null) is null
            ? holder
            : throw new ServerException(ErrorCode.PathNotViable, $"Cannot create field '{path[depth]}' in element {{{path[depth - 1]}: {ValueText.Of(holder)}}}");
}
