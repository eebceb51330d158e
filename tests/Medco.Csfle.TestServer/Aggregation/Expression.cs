using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Aggregation;

/// <summary>What an expression sees: a document and the variables.</summary>
/// <param name="Root">The document.</param>
/// <param name="Variables">The variables that operators define, by name.</param>
internal sealed record Scope(Document Root, IReadOnlyDictionary<string, Value?> Variables)
{
    private static readonly Dictionary<string, Value?> None = [];

    public Scope(Document root)
        : this(root, None)
    {
    }

    public Scope With(string name, Value? value) => this with { Variables = new Dictionary<string, Value?>(Variables) { [name] = value } };
}

/// <summary>An aggregation expression. Its value may be missing, which is null here and not BSON's null.</summary>
internal abstract class Expression
{
    public abstract Value? Evaluate(Scope scope);
}

/// <summary>A value that is what it is.</summary>
internal sealed class Constant(Value value) : Expression
{
    public override Value? Evaluate(Scope scope) => value;
}

/// <summary>An array of expressions; what is missing becomes null.</summary>
internal sealed class ArrayExpression(IReadOnlyList<Expression> items) : Expression
{
    public override Value? Evaluate(Scope scope) => Value.FromArray(items.Select(item => item.Evaluate(scope) ?? Value.Null));
}

/// <summary>A document of expressions; what is missing is left out.</summary>
internal sealed class DocumentExpression(IReadOnlyList<(string Name, Expression Value)> fields) : Expression
{
    public override Value? Evaluate(Scope scope) => new(new Document(fields
        .Select(field => (field.Name, Value: field.Value.Evaluate(scope)))
        .Where(field => field.Value is not null)
        .Select(field => new Element(field.Name, field.Value!))));
}

/// <summary>
/// A path such as <c>$a.b</c> or <c>$$this.b</c>. Through an array it leads to the array of what it finds in the documents
/// there; a number is a name like any other.
/// </summary>
internal sealed class PathExpression(string? variable, IReadOnlyList<string> path) : Expression
{
    public override Value? Evaluate(Scope scope) => Walk(Start(scope), 0);

    private Value? Start(Scope scope) => variable switch
    {
        null or "ROOT" or "CURRENT" => new Value(scope.Root),
        "REMOVE" => null,
        "NOW" => Value.FromDate(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()),
        _ => scope.Variables[variable],
    };

    private Value? Walk(Value? value, int depth)
    {
        if (value is null || depth == path.Count) return value;
        if (value.IsDocument) return Walk(value.Document.Find(path[depth]), depth + 1);
        return value.IsArray ? Value.FromArray(value.Items.Where(item => item.IsDocument || item.IsArray).Select(item => Walk(item, depth)).OfType<Value>()) : null;
    }
}

/// <summary>An operator that works on the values of all its operands.</summary>
internal sealed class OperatorExpression(IReadOnlyList<Expression> operands, Func<IReadOnlyList<Value?>, Value?> apply) : Expression
{
    public override Value? Evaluate(Scope scope) => apply([.. operands.Select(operand => operand.Evaluate(scope))]);
}

/// <summary>An operator that decides itself what it evaluates, and with which variables.</summary>
internal sealed class ScopedExpression(Func<Scope, Value?> evaluate) : Expression
{
    public override Value? Evaluate(Scope scope) => evaluate(scope);
}
