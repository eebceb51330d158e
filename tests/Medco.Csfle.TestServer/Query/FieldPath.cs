using System.Globalization;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>A dotted path, such as <c>insurance.policyNumber</c> or <c>records.0.name</c>.</summary>
internal sealed class FieldPath
{
    private readonly string[] _components;

    public FieldPath(string text)
    {
        Text = text;
        _components = text.Split('.');
    }

    public string Text { get; }

    public IReadOnlyList<string> Components => _components;

    /// <summary>
    /// Whether any value that a query finds at this path passes <paramref name="test"/>. A query looks through arrays on the
    /// way: at the documents in them, and at the element a numeric component counts out. A path that leads nowhere is tested
    /// as null, which is a missing field.
    /// </summary>
    /// <param name="document">Where the path starts.</param>
    /// <param name="looksIntoArrays">Whether the elements of an array at the end of the path are tested before the array itself.</param>
    /// <param name="test">The test of one value.</param>
    public bool Any(Document document, bool looksIntoArrays, Func<Value?, bool> test) => AnyBelow(document, 0, looksIntoArrays, test);

    /// <summary>The number that a path component counts array elements with, or -1.</summary>
    public static int ArrayIndex(string component)
        => int.TryParse(component, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && (component.Length == 1 || component[0] != '0')
            ? index
            : -1;

    private bool AnyBelow(Document document, int depth, bool looksIntoArrays, Func<Value?, bool> test)
    {
        var child = document.Find(_components[depth]);
        return child is null ? test(null) : AnyAt(child, depth + 1, looksIntoArrays, test);
    }

    private bool AnyAt(Value value, int depth, bool looksIntoArrays, Func<Value?, bool> test)
    {
        if (depth == _components.Length)
        {
            return (looksIntoArrays && value.IsArray && value.Items.Any(test)) || test(value);
        }

        if (value.IsDocument) return AnyBelow(value.Document, depth, looksIntoArrays, test);
        if (!value.IsArray) return test(null);

        foreach (var item in value.Items)
        {
            if (item.IsDocument && AnyBelow(item.Document, depth, looksIntoArrays, test)) return true;
        }

        var index = ArrayIndex(_components[depth]);
        return index >= 0 && index < value.Document.Count && AnyAt(value.Document[index].Value, depth + 1, looksIntoArrays, test);
    }
}
