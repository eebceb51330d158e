using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>What an update operator makes of the value at a path.</summary>
internal abstract class FieldChange
{
    /// <summary>Whether it has an effect only where an upsert makes a new document.</summary>
    public virtual bool OnlyOnInsert => false;

    /// <summary>The edits that the operator asks for at one place of a document.</summary>
    public virtual IEnumerable<(UpdatePath Path, Func<Value?, Value?> Edit)> EditsAt(Document document, UpdatePath path)
        => [(path, old => Apply(old, new ChangedField(document, path)))];

    /// <summary>The new value; null leaves the field missing or takes it away.</summary>
    protected abstract Value? Apply(Value? old, ChangedField field);
}

/// <summary>Where a change is made, for the messages of errors.</summary>
internal readonly record struct ChangedField(Document Document, UpdatePath Path)
{
    public string Name => Path.Components[^1];

    public string Id => ValueText.Of(new Document(Document.Find("_id") is { } id ? [new Element("_id", id)] : []));
}

/// <summary><c>$set</c> and <c>$setOnInsert</c>.</summary>
internal sealed class SetChange(Value value, bool onlyOnInsert = false) : FieldChange
{
    public override bool OnlyOnInsert => onlyOnInsert;

    protected override Value? Apply(Value? old, ChangedField field) => value;
}

/// <summary><c>$unset</c>.</summary>
internal sealed class UnsetChange : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field) => null;
}

/// <summary><c>$rename</c>, at the path of the old name.</summary>
internal sealed class RenameChange(UpdatePath target) : FieldChange
{
    public UpdatePath Target => target;

    public override IEnumerable<(UpdatePath Path, Func<Value?, Value?> Edit)> EditsAt(Document document, UpdatePath path)
    {
        RefuseArrays(document, path, "source");
        RefuseArrays(document, target, "destination");
        return DocumentEdit.Find(document, path.Components) is { } value ? [(path, _ => null), (target, _ => value)] : [];
    }

    protected override Value? Apply(Value? old, ChangedField field) => throw new InvalidOperationException("$rename has two places");

    private static void RefuseArrays(Document document, UpdatePath path, string role)
    {
        for (var length = 1; length < path.Components.Count; length++)
        {
            if (DocumentEdit.Find(document, [.. path.Components.Take(length)]) is { IsArray: true })
            {
                throw ServerException.BadValue($"The {role} field cannot be an array element, '{path.Text}' in doc with {new ChangedField(document, path).Id} has an array field called '{path.Components[length - 1]}'");
            }
        }
    }
}

/// <summary><c>$inc</c> and <c>$mul</c>.</summary>
internal sealed class ArithmeticChange(string name, Value operand) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        // A missing field counts as 0, of the operand's type where it is multiplied.
        if (old is null) return name == "$inc" ? operand : Arithmetic.Multiply(operand, Value.FromInt32(0));
        if (!old.IsNumber)
        {
            throw ServerException.TypeMismatch($"Cannot apply {name} to a value of non-numeric type. {field.Id} has the field '{field.Name}' of non-numeric type {old.Type.Alias()}");
        }

        return (name == "$inc" ? Arithmetic.Add(old, operand) : Arithmetic.Multiply(old, operand))
            ?? throw ServerException.BadValue($"Failed to apply {name} operations to current value ({ValueText.Of(old)}) for document {field.Id}");
    }
}

/// <summary><c>$min</c> and <c>$max</c>.</summary>
internal sealed class LimitChange(Value value, bool isMinimum) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        if (old is null) return value;
        var order = ValueOrder.Compare(value, old);
        return (isMinimum ? order < 0 : order > 0) ? value : old;
    }
}

/// <summary><c>$currentDate</c>.</summary>
internal sealed class CurrentDateChange(bool isTimestamp) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        var now = DateTimeOffset.UtcNow;
        return isTimestamp ? Value.FromTimestamp(((ulong)now.ToUnixTimeSeconds() << 32) | 1) : Value.FromDate(now.ToUnixTimeMilliseconds());
    }
}

/// <summary><c>$bit</c>: and, or and exclusive or, in the order they are written.</summary>
internal sealed class BitChange(IReadOnlyList<Element> operations) : FieldChange
{
    protected override Value? Apply(Value? old, ChangedField field)
    {
        old ??= Value.FromInt32(0);
        if (old.Type is not (BsonType.Int32 or BsonType.Int64))
        {
            throw ServerException.BadValue($"Cannot apply $bit to a value of non-integral type.{field.Id} has the field {field.Name} of non-integer type {old.Type.Alias()}");
        }

        old.Number.TryToInt64(out var bits);
        foreach (var (name, operand) in operations)
        {
            operand.Number.TryToInt64(out var mask);
            bits = name switch
            {
                "and" => bits & mask,
                "or" => bits | mask,
                _ => bits ^ mask,
            };
        }

        // Sign extension of both operands keeps a result of two ints an int.
        return old.Type == BsonType.Int32 && operations.All(operation => operation.Value.Type == BsonType.Int32)
            ? Value.FromInt32((int)bits)
            : Value.FromInt64(bits);
    }
}
