using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Validation;

/// <summary>Equality as JSON Schema has it for <c>enum</c> and <c>uniqueItems</c>: the order of a document's fields does not count.</summary>
internal static class UnorderedEquality
{
    public static bool AreEqual(Value left, Value right)
    {
        if (left.IsArray && right.IsArray)
        {
            return left.Document.Count == right.Document.Count && left.Items.Zip(right.Items).All(pair => AreEqual(pair.First, pair.Second));
        }

        if (!left.IsDocument || !right.IsDocument) return ValueOrder.AreEqual(left, right);

        return left.Document.Count == right.Document.Count
            && left.Document.Elements.All(element => right.Document.Find(element.Name) is { } other && AreEqual(element.Value, other));
    }

    public static bool HasDuplicates(IReadOnlyList<Value> values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (AreEqual(values[i], values[j])) return true;
            }
        }

        return false;
    }
}
