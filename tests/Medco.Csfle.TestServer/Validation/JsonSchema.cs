using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Validation;

/// <summary>A parsed <c>$jsonSchema</c>: rules that a value keeps all of.</summary>
internal sealed class JsonSchema(IReadOnlyList<SchemaRule> rules)
{
    public bool IsMetBy(Value value)
    {
        foreach (var rule in rules)
        {
            if (!rule.IsMetBy(value)) return false;
        }

        return true;
    }

    /// <summary>What <c>errInfo</c> says about every rule that a value breaks.</summary>
    public IEnumerable<Value> Explain(Value value)
        => rules.Where(rule => !rule.IsMetBy(value)).Select(rule => new Value(new Document(rule.Explain(value))));
}

/// <summary><c>$jsonSchema</c> in a filter or a validator: the whole document meets the schema.</summary>
internal sealed class SchemaMatch(JsonSchema schema) : MatchExpression
{
    public JsonSchema Schema { get; } = schema;

    public override bool Matches(Document document) => Schema.IsMetBy(new Value(document));
}
