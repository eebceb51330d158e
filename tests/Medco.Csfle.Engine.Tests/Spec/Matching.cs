using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>Compares actual values with expected ones by the rules of the unified test format, "Evaluating Matches".</summary>
/// <param name="entities">The results that operations saved, for <c>$$matchesEntity</c>.</param>
internal sealed class Matching(IReadOnlyDictionary<string, Value> entities)
{
    /// <exception cref="SpecFailure">They do not match.</exception>
    public void Check(Value expected, Value? actual, string path, bool isRoot)
    {
        if (Operator(expected) is { } special)
        {
            CheckOperator(special.Name, special.Value, actual, path, isRoot);
            return;
        }

        if (actual is null) throw Mismatch(expected, actual, path);
        if (expected.IsDocument) CheckDocument(expected, actual, path, isRoot);
        else if (expected.IsArray) CheckArray(expected, actual, path, itemsAreRoot: false);
        else if (!AreEqual(expected, actual)) throw Mismatch(expected, actual, path);
    }

    /// <summary>Compares the documents that an iterable gave: each is a root, to which the server may have added fields.</summary>
    public void CheckArray(Value expected, Value actual, string path, bool itemsAreRoot)
    {
        if (Operator(expected) is { } special && special.Name != "$$unsetOrMatches") throw new SpecFailure($"{path}: {special.Name} for a list");
        expected = Operator(expected)?.Value ?? expected;
        if (!expected.IsArray || !actual.IsArray || expected.Document.Count != actual.Document.Count) throw Mismatch(expected, actual, path);
        for (var i = 0; i < expected.Document.Count; i++)
        {
            Check(expected.Document[i].Value, actual.Document[i].Value, $"{path}[{i}]", itemsAreRoot);
        }
    }

    public bool IsMet(Value expected, Value? actual)
    {
        try
        {
            Check(expected, actual, "", isRoot: true);
            return true;
        }
        catch (SpecFailure)
        {
            return false;
        }
    }

    /// <summary>Whether two values are the same, type and bytes, but for the order of fields.</summary>
    public static bool AreIdentical(Value left, Value right)
    {
        if (left.Type != right.Type) return false;
        return left.Type switch
        {
            BsonType.Document => left.Document.Count == right.Document.Count
                && left.Document.Elements.All(element => right.Document.Find(element.Name) is { } other && AreIdentical(element.Value, other)),
            BsonType.Array => left.Document.Count == right.Document.Count
                && left.Items.Zip(right.Items).All(pair => AreIdentical(pair.First, pair.Second)),
            BsonType.JavaScriptWithScope => left.ScopedCode.SequenceEqual(right.ScopedCode) && AreIdentical(new Value(left.Document), new Value(right.Document)),
            _ => left.Bytes.Span.SequenceEqual(right.Bytes.Span),
        };
    }

    private void CheckDocument(Value expected, Value actual, string path, bool isRoot)
    {
        if (!actual.IsDocument) throw Mismatch(expected, actual, path);
        foreach (var (name, value) in expected.Document.Elements) Check(value, actual.Document.Find(name), $"{path}.{name}", isRoot: false);
        if (isRoot) return;
        foreach (var (name, _) in actual.Document.Elements)
        {
            if (expected.Document.Find(name) is null) throw new SpecFailure($"{path}: the field '{name}' is not expected in {actual.Json()}");
        }
    }

    private void CheckOperator(string name, Value operand, Value? actual, string path, bool isRoot)
    {
        var isMet = true;
        switch (name)
        {
            case "$$exists":
                isMet = operand.Boolean == actual is not null;
                break;
            case "$$unsetOrMatches":
                if (actual is not null) Check(operand, actual, path, isRoot);
                break;
            case "$$type":
                isMet = actual is not null && (operand.IsArray ? operand.Items : [operand]).Any(alias => IsOfType(actual, alias.Text));
                break;
            case "$$matchesHexBytes":
                isMet = actual?.Type == BsonType.Binary && actual.Binary.SequenceEqual(Convert.FromHexString(operand.Text));
                break;
            case "$$matchesEntity":
                Check(entities[operand.Text], actual, path, isRoot);
                break;
            case "$$matchAsRoot":
                Check(operand, actual, path, isRoot: true);
                break;
            case "$$matchAsDocument":
                if (actual is not { IsText: true }) throw Mismatch(operand, actual, path);
                Check(operand, new Value(Document.Parse(ExtendedJson.ToBson(Encoding.UTF8.GetBytes(actual.Text)))), path, isRoot: false);
                break;
            case "$$lte":
                isMet = actual is { IsNumber: true } && actual.Number.CompareTo(operand.Number) <= 0;
                break;
            default:
                throw new SpecFailure($"{path}: this runner does not know {name}");
        }

        if (!isMet) throw new SpecFailure($"{path}: expected {name} {operand.Json()}, found {actual.Json()}");
    }

    private static Element? Operator(Value expected)
        => expected is { IsDocument: true, Document.Count: > 0 } && expected.Document[0].Name.StartsWith("$$", StringComparison.Ordinal)
            ? expected.Document[0]
            : null;

    private static bool IsOfType(Value actual, string alias) => alias == "number" ? actual.IsNumber : actual.Type.Alias() == alias;

    // Numbers but Decimal128 compare by value, everything else is the same or not.
    private static bool AreEqual(Value expected, Value actual)
        => IsFlexible(expected) && IsFlexible(actual)
            ? expected.Number.CompareTo(actual.Number) == 0
            : AreIdentical(expected, actual);

    private static bool IsFlexible(Value value) => value.Type is BsonType.Int32 or BsonType.Int64 or BsonType.Double;

    private static SpecFailure Mismatch(Value expected, Value? actual, string path)
        => new($"{path}: expected {expected.Json()}, found {actual.Json()}");
}
