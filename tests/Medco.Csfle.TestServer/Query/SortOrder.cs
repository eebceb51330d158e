using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>
/// The order that <c>sort</c> asks for. A missing field sorts as null; an array by its least element upwards, by its greatest
/// downwards, and below null where it is empty.
/// </summary>
internal sealed class SortOrder
{
    private const int BadDirection = 15975;
    private const int MaxKeys = 32;

    private readonly List<(FieldPath Path, int Direction)> _keys = [];
    private readonly int _natural;

    /// <summary>Reads a sort document.</summary>
    /// <exception cref="ServerException">It is none.</exception>
    public SortOrder(Document sort)
    {
        if (sort.Count > MaxKeys) throw ServerException.BadValue($"too many compound keys: {sort.Count}, the most is {MaxKeys}");
        foreach (var (name, value) in sort.Elements)
        {
            if (value.IsDocument) throw ServerException.NotImplemented($"sorting '{name}' by an expression");
            if (!value.IsNumber || !value.Number.TryToInt64(out var direction) || direction is not (1 or -1))
            {
                throw new ServerException(BadDirection, "$sort key ordering must be 1 (for ascending) or -1 (for descending)");
            }

            if (name == "$natural")
            {
                if (sort.Count > 1) throw ServerException.BadValue("$natural sort cannot be set to a value other than -1 or 1 or stand beside other keys");
                _natural = (int)direction;
                continue;
            }

            if (name.Length == 0 || name.Split('.').Any(part => part.Length == 0 || part[0] == '$'))
            {
                throw ServerException.BadValue($"'{name}' is not a path to sort by");
            }

            _keys.Add((new FieldPath(name), (int)direction));
        }
    }

    /// <summary>The documents in this order; those that sort alike stay as they were.</summary>
    public IEnumerable<Document> Apply(IEnumerable<Document> documents)
    {
        if (_natural == -1) return documents.Reverse();
        if (_keys.Count == 0) return documents;
        return documents.Select(document => (Document: document, Key: KeyOf(document)))
            .OrderBy(entry => entry.Key, Comparer<Value[]>.Create(CompareKeys))
            .Select(entry => entry.Document);
    }

    private Value[] KeyOf(Document document)
    {
        var arrays = 0;
        var key = new Value[_keys.Count];
        for (var i = 0; i < key.Length; i++)
        {
            var (path, direction) = _keys[i];
            var values = new List<Value>();
            path.Any(document, looksIntoArrays: false, value =>
            {
                if (value is not { IsArray: true }) values.Add(value ?? Value.Null);
                else if (value.Document.Count == 0) values.Add(Value.Undefined);
                else values.AddRange(value.Items);
                return false;
            });

            if (values.Count > 1 && ++arrays > 1) throw ServerException.BadValue("cannot sort with keys that are parallel arrays");
            key[i] = values.Count == 0 ? Value.Null : direction > 0 ? values.Min(ValueOrder.Instance)! : values.Max(ValueOrder.Instance)!;
        }

        return key;
    }

    private int CompareKeys(Value[] left, Value[] right)
    {
        for (var i = 0; i < left.Length; i++)
        {
            var order = ValueOrder.Compare(left[i], right[i]);
            if (order != 0) return _keys[i].Direction * order;
        }

        return 0;
    }
}
