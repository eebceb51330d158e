using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Validation;

/// <summary>One keyword of a schema. A keyword for another type than the value's is met.</summary>
/// <param name="keyword">The keyword.</param>
/// <param name="operand">What the schema says for it.</param>
internal abstract class SchemaRule(string keyword, Value operand)
{
    public abstract bool IsMetBy(Value value);

    /// <summary>The fields that <c>errInfo</c> shows for a value that breaks this rule.</summary>
    public virtual IEnumerable<Element> Explain(Value value)
        => [OperatorName, SpecifiedAs, new("reason", Value.FromText(Reason)), new("consideredValue", value), new("consideredType", Value.FromText(value.Type.Alias()))];

    protected virtual string Reason => "comparison failed";

    protected Element OperatorName { get; } = new("operatorName", Value.FromText(keyword));

    protected Element SpecifiedAs { get; } = new("specifiedAs", new Value(new Document([new Element(keyword, operand)])));
}

/// <summary><c>bsonType</c> and <c>type</c>.</summary>
internal sealed class TypeRule(string keyword, Value operand, IReadOnlySet<BsonType> types) : SchemaRule(keyword, operand)
{
    protected override string Reason => "type did not match";

    public override bool IsMetBy(Value value) => types.Contains(value.Type);
}

/// <summary><c>enum</c>.</summary>
internal sealed class EnumRule(string keyword, Value operand) : SchemaRule(keyword, operand)
{
    private readonly Value[] _values = [.. operand.Items];

    protected override string Reason => "value was not found in enum";

    public override bool IsMetBy(Value value) => _values.Any(candidate => UnorderedEquality.AreEqual(candidate, value));
}

/// <summary><c>minimum</c> and <c>maximum</c>, exclusive or not.</summary>
internal sealed class BoundRule(string keyword, Value operand, bool isMinimum, bool isExclusive) : SchemaRule(keyword, operand)
{
    private readonly Number _bound = operand.Number;

    public override bool IsMetBy(Value value)
    {
        if (!value.IsNumber) return true;
        if (value.Number.IsNaN || _bound.IsNaN) return value.Number.IsNaN && _bound.IsNaN && !isExclusive;
        var order = value.Number.CompareTo(_bound);
        return isExclusive ? (isMinimum ? order > 0 : order < 0) : isMinimum ? order >= 0 : order <= 0;
    }
}

/// <summary><c>multipleOf</c>.</summary>
internal sealed class MultipleOfRule(string keyword, Value operand) : SchemaRule(keyword, operand)
{
    private readonly Number _divisor = operand.Number;

    protected override string Reason => "considered value is not a multiple of the specified value";

    public override bool IsMetBy(Value value) => !value.IsNumber || value.Number.IsMultipleOf(_divisor);
}

/// <summary><c>minLength</c>, <c>maxLength</c>, <c>minItems</c>, <c>maxItems</c>, <c>minProperties</c>, <c>maxProperties</c>.</summary>
internal sealed class CountRule(string keyword, Value operand, BsonType type, bool isMinimum, long bound) : SchemaRule(keyword, operand)
{
    protected override string Reason => "specified length or count was not satisfied";

    public override bool IsMetBy(Value value)
    {
        if (value.Type != type) return true;
        var count = type == BsonType.String ? CodePoints(value.Utf8) : value.Document.Count;
        return isMinimum ? count >= bound : count <= bound;
    }

    private static int CodePoints(ReadOnlySpan<byte> utf8)
    {
        var count = 0;
        foreach (var b in utf8)
        {
            // Every byte but a continuation starts a character.
            if ((b & 0xC0) != 0x80) count++;
        }

        return count;
    }
}

/// <summary><c>pattern</c>.</summary>
internal sealed class PatternRule(string keyword, Value operand) : SchemaRule(keyword, operand)
{
    private readonly Pattern _pattern = new(operand.Text);

    protected override string Reason => "regular expression did not match";

    public override bool IsMetBy(Value value) => value.Type != BsonType.String || _pattern.IsMatch(value.Text);
}

/// <summary><c>uniqueItems: true</c>.</summary>
internal sealed class UniqueItemsRule(string keyword, Value operand) : SchemaRule(keyword, operand)
{
    protected override string Reason => "found a duplicate item";

    public override bool IsMetBy(Value value) => !value.IsArray || !UnorderedEquality.HasDuplicates([.. value.Items]);
}

/// <summary><c>items</c> and, beside an array of schemas, <c>additionalItems</c>.</summary>
internal sealed class ItemsRule(string keyword, Value operand, IReadOnlyList<JsonSchema> byPosition, JsonSchema? others, bool allowsOthers)
    : SchemaRule(keyword, operand)
{
    protected override string Reason => "At least one item did not match the sub-schema";

    public override bool IsMetBy(Value value)
    {
        if (!value.IsArray) return true;
        return value.Items.Select((item, index) => index < byPosition.Count
            ? byPosition[index].IsMetBy(item)
            : allowsOthers && (others is null || others.IsMetBy(item))).All(met => met);
    }
}

/// <summary><c>required</c>.</summary>
internal sealed class RequiredRule(string keyword, Value operand) : SchemaRule(keyword, operand)
{
    private readonly string[] _names = [.. operand.Items.Select(item => item.Text)];

    public override bool IsMetBy(Value value) => !value.IsDocument || _names.All(name => value.Document.Find(name) is not null);

    public override IEnumerable<Element> Explain(Value value)
        => [OperatorName, SpecifiedAs, new("missingProperties", Value.FromArray(_names.Where(name => value.Document.Find(name) is null).Select(Value.FromText)))];
}

/// <summary><c>properties</c>.</summary>
internal sealed class PropertiesRule(string keyword, Value operand, IReadOnlyDictionary<string, JsonSchema> properties) : SchemaRule(keyword, operand)
{
    public override bool IsMetBy(Value value) => !value.IsDocument || !Broken(value).Any();

    public override IEnumerable<Element> Explain(Value value)
        => [OperatorName, new("propertiesNotSatisfied", Value.FromArray(Broken(value).Select(broken => new Value(new Document(
        [
            new("propertyName", Value.FromText(broken.Name)),
            new("details", Value.FromArray(properties[broken.Name].Explain(broken.Value))),
        ])))))];

    private IEnumerable<Element> Broken(Value value)
        => value.Document.Elements.Where(element => properties.TryGetValue(element.Name, out var schema) && !schema.IsMetBy(element.Value));
}

/// <summary><c>patternProperties</c>.</summary>
internal sealed class PatternPropertiesRule(string keyword, Value operand, IReadOnlyList<(Pattern Pattern, JsonSchema Schema)> patterns)
    : SchemaRule(keyword, operand)
{
    protected override string Reason => "subschema of a matching pattern was not satisfied";

    public override bool IsMetBy(Value value)
        => !value.IsDocument || value.Document.Elements.All(element =>
            patterns.All(entry => !entry.Pattern.IsMatch(element.Name) || entry.Schema.IsMetBy(element.Value)));
}

/// <summary><c>additionalProperties</c>: for the fields that neither <c>properties</c> nor <c>patternProperties</c> speaks of.</summary>
internal sealed class AdditionalPropertiesRule(
    string keyword, Value operand, IReadOnlySet<string> names, IReadOnlyList<Pattern> patterns, JsonSchema? schema) : SchemaRule(keyword, operand)
{
    public override bool IsMetBy(Value value) => !value.IsDocument || !Broken(value).Any();

    public override IEnumerable<Element> Explain(Value value)
        => [OperatorName, SpecifiedAs, new("additionalProperties", Value.FromArray(Broken(value).Select(element => Value.FromText(element.Name))))];

    private IEnumerable<Element> Broken(Value value)
        => value.Document.Elements.Where(element => !names.Contains(element.Name)
            && !patterns.Any(pattern => pattern.IsMatch(element.Name))
            && (schema is null || !schema.IsMetBy(element.Value)));
}

/// <summary><c>dependencies</c>: what a present field asks of the document it stands in.</summary>
internal sealed class DependenciesRule(
    string keyword, Value operand, IReadOnlyList<(string Name, IReadOnlyList<string> Required, JsonSchema? Schema)> dependencies) : SchemaRule(keyword, operand)
{
    protected override string Reason => "a dependency was not satisfied";

    public override bool IsMetBy(Value value)
        => !value.IsDocument || dependencies.All(dependency => value.Document.Find(dependency.Name) is null
            || (dependency.Required.All(name => value.Document.Find(name) is not null)
                && (dependency.Schema is null || dependency.Schema.IsMetBy(value))));
}

/// <summary><c>allOf</c>, <c>anyOf</c>, <c>oneOf</c> and <c>not</c>: how many of the schemas the value may meet.</summary>
internal sealed class CombinationRule(string keyword, Value operand, IReadOnlyList<JsonSchema> schemas, int fewest, int most) : SchemaRule(keyword, operand)
{
    protected override string Reason => "the number of satisfied sub-schemas was not as specified";

    public override bool IsMetBy(Value value)
    {
        var met = schemas.Count(schema => schema.IsMetBy(value));
        return met >= fewest && met <= most;
    }
}

/// <summary>
/// <c>encrypt</c>: the value is a ciphertext of field-level encryption, binary data of subtype 6 (manual, "CSFLE Server-Side
/// Schema Enforcement"), whose first byte says how it was encrypted: 1 deterministically, 2 randomly. A first byte of 0, which
/// is a placeholder with the plaintext inside, is no ciphertext. Algorithm, original type and key are not compared with the
/// schema: nothing documents that MongoDB does.
/// </summary>
internal sealed class EncryptRule(string keyword, Value operand) : SchemaRule(keyword, operand)
{
    private const byte Deterministic = 1;
    private const byte Random = 2;

    public override bool IsMetBy(Value value)
        => value.Type == BsonType.Binary && value.BinarySubtype == BinarySubtype.Encrypted
            && value.Binary.Length > 0 && value.Binary[0] is (Deterministic or Random);

    /// <summary>Says nothing of the value, which is the plaintext that must not travel.</summary>
    public override IEnumerable<Element> Explain(Value value) => [OperatorName, new("reason", Value.FromText("value was not encrypted"))];
}
