using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary><c>$push</c>: the values at a position, then the sort, then the slice, whatever order they are written in.</summary>
internal sealed class PushChange(IReadOnlyList<Value> values, long? position, Comparison<Value>? sort, long? slice) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        if (old is { IsArray: false })
        {
            throw ServerException.BadValue($"The field '{field.Path.Text}' must be an array but is of type {old.Type.Alias()} in document {field.Id}");
        }

        var items = old?.Items.ToList() ?? [];
        // Counted from the end where negative; beyond either end it is that end.
        var index = position is not { } at ? items.Count : at >= 0 ? Math.Min(at, items.Count) : Math.Max(0, items.Count + at);
        items.InsertRange((int)index, values);
        if (sort is not null) items = [.. items.Order(Comparer<Value>.Create(sort))];
        if (slice is { } length)
        {
            var count = (int)Math.Clamp(length, -int.MaxValue, int.MaxValue);
            items = [.. count >= 0 ? items.Take(count) : items.TakeLast(-count)];
        }

        return Value.FromArray(items);
    }
}

/// <summary><c>$addToSet</c>: those of the values that are not there yet.</summary>
internal sealed class AddToSetChange(IReadOnlyList<Value> values) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        if (old is { IsArray: false })
        {
            throw ServerException.BadValue($"Cannot apply $addToSet to non-array field. Field named '{field.Name}' has non-array type {old.Type.Alias()}");
        }

        var items = old?.Items.ToList() ?? [];
        foreach (var value in values)
        {
            if (!items.Any(item => ValueOrder.AreEqual(item, value))) items.Add(value);
        }

        return old is not null && items.Count == old.Document.Count ? old : Value.FromArray(items);
    }
}

/// <summary><c>$pull</c> and <c>$pullAll</c>: all elements but those of a kind.</summary>
internal sealed class PullChange(string name, Func<Value, bool> isPulled) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        if (old is null) return null;
        if (!old.IsArray) throw ServerException.BadValue($"Cannot apply {name} to a non-array value");
        var kept = old.Items.Where(item => !isPulled(item)).ToArray();
        return kept.Length == old.Document.Count ? old : Value.FromArray(kept);
    }
}

/// <summary><c>$pop</c>: all elements but the first or the last.</summary>
internal sealed class PopChange(bool isFirst) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        if (old is null) return null;
        if (!old.IsArray) throw ServerException.TypeMismatch($"Path '{field.Path.Text}' contains an element of non-array type '{old.Type.Alias()}'");
        if (old.Document.Count == 0) return old;
        return Value.FromArray(isFirst ? old.Items.Skip(1) : old.Items.SkipLast(1));
    }
}

/// <summary>The order of <c>$sort</c> in a <c>$push</c>: of whole elements, or of fields of the documents among them.</summary>
internal static class PushSort
{
    public static Comparison<Value> Parse(Value sort)
    {
        if (sort.IsNumber)
        {
            var direction = Direction(sort);
            return (left, right) => direction * ValueOrder.Compare(left, right);
        }

        if (!sort.IsDocument || sort.Document.Count == 0) throw ServerException.BadValue("The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields");
        var keys = sort.Document.Elements.Select(element => (Path: UpdatePath.Parse(element.Name).Components, Direction: Direction(element.Value))).ToArray();
        return (left, right) => keys
            .Select(key => key.Direction * ValueOrder.Compare(KeyOf(left, key.Path), KeyOf(right, key.Path)))
            .FirstOrDefault(order => order != 0);
    }

    private static Value KeyOf(Value element, IReadOnlyList<string> path)
        => (element.IsDocument ? DocumentEdit.Find(element.Document, path) : null) ?? Value.Null;

    private static int Direction(Value value)
        => value.IsNumber && value.Number.TryToInt64(out var direction) && direction is 1 or -1
            ? (int)direction
            : throw ServerException.BadValue("The $sort element value must be either 1 or -1");
}
