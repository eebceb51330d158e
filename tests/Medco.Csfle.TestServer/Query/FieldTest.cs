using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>A condition on the values at a path, such as <c>{ $gt: 5 }</c>.</summary>
internal abstract class FieldTest
{
    /// <summary>Whether the condition holds for what a query finds at the path, arrays looked through.</summary>
    public abstract bool Matches(Document document, FieldPath path);

    /// <summary>Whether the condition holds for this one value, an element inside <c>$elemMatch</c>.</summary>
    public abstract bool MatchesElement(Value element);
}

/// <summary>Every one of the tests passes, each perhaps by another element of an array.</summary>
internal sealed class AllTests(IReadOnlyList<FieldTest> tests) : FieldTest
{
    public override bool Matches(Document document, FieldPath path) => tests.All(test => test.Matches(document, path));

    public override bool MatchesElement(Value element) => tests.All(test => test.MatchesElement(element));
}

/// <summary>The test does not pass: for no value, a missing field included.</summary>
internal sealed class NotTest(FieldTest test) : FieldTest
{
    public override bool Matches(Document document, FieldPath path) => !test.Matches(document, path);

    public override bool MatchesElement(Value element) => !test.MatchesElement(element);
}

/// <summary>Never passes: <c>{ $all: [] }</c>.</summary>
internal sealed class NeverTest : FieldTest
{
    public override bool Matches(Document document, FieldPath path) => false;

    public override bool MatchesElement(Value element) => false;
}

/// <summary>A test of one value at a time; null stands for a missing field.</summary>
internal abstract class ValueTest : FieldTest
{
    /// <summary>Whether the elements of an array are tested as well as the array itself.</summary>
    protected virtual bool LooksIntoArrays => true;

    public override bool Matches(Document document, FieldPath path) => path.Any(document, LooksIntoArrays, Passes);

    public override bool MatchesElement(Value element) => Passes(element);

    protected abstract bool Passes(Value? value);
}

/// <summary>
/// <c>$geoWithin</c> and <c>$geoIntersects</c>, which hold for geometries only. This server knows none: a value that may be one
/// is an error, every other does not match.
/// </summary>
internal sealed class GeometryTest(string name) : ValueTest
{
    protected override bool LooksIntoArrays => false;

    protected override bool Passes(Value? value)
        => value is { IsDocument: true } or { IsArray: true } ? throw ServerException.NotImplemented($"{name} of a geometry") : false;
}

/// <summary><c>$eq</c> and the four range operators.</summary>
internal sealed class ComparisonTest(Comparison comparison, Value operand) : ValueTest
{
    protected override bool Passes(Value? value)
    {
        var acceptsEqual = comparison is Comparison.Equal or Comparison.LessOrEqual or Comparison.GreaterOrEqual;
        if (operand.Type == BsonType.Null) return acceptsEqual && (value is null or { Type: BsonType.Null or BsonType.Undefined });
        if (value is null) return false;

        // MinKey and MaxKey compare with everything, all other operands only within their bracket of types.
        if (operand.Type is not (BsonType.MinKey or BsonType.MaxKey) || comparison == Comparison.Equal)
        {
            if (!ValueOrder.SameBracket(value, operand)) return false;
            if (value.IsNumber && (value.Number.IsNaN || operand.Number.IsNaN))
            {
                return acceptsEqual && value.Number.IsNaN && operand.Number.IsNaN;
            }
        }

        var order = ValueOrder.Compare(value, operand);
        return comparison switch
        {
            Comparison.Equal => order == 0,
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            Comparison.Greater => order > 0,
            _ => order >= 0,
        };
    }
}

/// <summary>The operators that compare.</summary>
internal enum Comparison
{
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary><c>$in</c>: equal to one of the values or matched by one of the regular expressions.</summary>
internal sealed class InTest : ValueTest
{
    private readonly Value[] _sorted;
    private readonly RegexTest[] _patterns;
    private readonly bool _acceptsMissing;

    public InTest(IEnumerable<Value> values)
    {
        var all = values.ToArray();
        _sorted = [.. all.Where(value => value.Type != BsonType.RegularExpression)];
        Array.Sort(_sorted, ValueOrder.Instance);
        _patterns = [.. all.Where(value => value.Type == BsonType.RegularExpression).Select(value => new RegexTest(value))];
        _acceptsMissing = _sorted.Any(value => value.Type == BsonType.Null);
    }

    protected override bool Passes(Value? value)
    {
        if (value is null or { Type: BsonType.Undefined }) return _acceptsMissing;
        return Array.BinarySearch(_sorted, value, ValueOrder.Instance) >= 0 || _patterns.Any(pattern => pattern.MatchesElement(value));
    }
}

/// <summary>A regular expression: it matches text, and an equal regular expression that is stored.</summary>
internal sealed class RegexTest(string pattern, string options) : ValueTest
{
    private readonly Pattern _pattern = new(pattern, options);

    public RegexTest(Value literal)
        : this(literal.RegularExpression.Pattern, literal.RegularExpression.Options)
    {
    }

    protected override bool Passes(Value? value) => value switch
    {
        null => false,
        { IsText: true } => _pattern.IsMatch(value.Text),
        { Type: BsonType.RegularExpression } => value.RegularExpression == (pattern, options),
        _ => false,
    };
}

/// <summary><c>$exists: true</c>.</summary>
internal sealed class ExistsTest : ValueTest
{
    protected override bool LooksIntoArrays => false;

    protected override bool Passes(Value? value) => value is not null;
}

/// <summary><c>$type</c>.</summary>
internal sealed class TypeTest(IReadOnlySet<BsonType> types) : ValueTest
{
    protected override bool Passes(Value? value) => value is not null && types.Contains(value.Type);
}

/// <summary><c>$size</c>.</summary>
internal sealed class SizeTest(long size) : ValueTest
{
    protected override bool LooksIntoArrays => false;

    protected override bool Passes(Value? value) => value is { IsArray: true } && value.Document.Count == size;
}

/// <summary><c>$mod</c>: numbers without their fraction.</summary>
internal sealed class ModTest(long divisor, long remainder) : ValueTest
{
    protected override bool Passes(Value? value)
        => value is { IsNumber: true } && value.Number.TryTruncateToInt64(out var number)
            // Everything is a multiple of -1, also the one number whose division by it overflows.
            && (divisor == -1 ? 0 : number % divisor) == remainder;
}

/// <summary><c>$elemMatch</c> with operators: one element passes all of them.</summary>
internal sealed class ElementValueTest(FieldTest test) : ValueTest
{
    protected override bool LooksIntoArrays => false;

    protected override bool Passes(Value? value) => value is { IsArray: true } && value.Items.Any(test.MatchesElement);
}

/// <summary><c>$elemMatch</c> with a filter: one element, a document or an array, matches it.</summary>
internal sealed class ElementDocumentTest(MatchExpression filter) : ValueTest
{
    protected override bool LooksIntoArrays => false;

    protected override bool Passes(Value? value)
        => value is { IsArray: true } && value.Items.Any(item => (item.IsDocument || item.IsArray) && filter.Matches(item.Document));
}

/// <summary>The four <c>$bits…</c> operators, on whole numbers and on binary data.</summary>
internal sealed class BitsTest(IReadOnlyList<long> positions, bool all, bool set) : ValueTest
{
    protected override bool Passes(Value? value)
    {
        if (value is { IsNumber: true } && value.Number.TryToInt64(out var number))
        {
            // Beyond its 64 bits a number goes on with its sign.
            return Check(position => ((number >> (int)Math.Min(position, 63)) & 1) == 1);
        }

        return value is { Type: BsonType.Binary }
            && Check(position => position / 8 < value.Binary.Length && ((value.Binary[(int)(position / 8)] >> (int)(position % 8)) & 1) == 1);
    }

    private bool Check(Func<long, bool> isSet)
        => all ? positions.All(position => isSet(position) == set) : positions.Any(position => isSet(position) == set);
}
