using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Validation;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Query;

/// <summary>Reads a filter in MongoDB's query language. Whatever it does not know is an error, never a condition left out.</summary>
internal static class MatchParser
{
    private const long MaxBitPosition = int.MaxValue;

    // Operators that MongoDB has and this server does not.
    private static readonly HashSet<string> Unsupported
        = ["$expr", "$where", "$text", "$within", "$sampleRate", "$alwaysTrue", "$alwaysFalse"];

    private static readonly Dictionary<string, Func<string, Value, MatchExpression>> TopLevelOperators = new()
    {
        ["$and"] = (name, value) => new AllMatch(ParseClauses(name, value)),
        ["$or"] = (name, value) => new AnyMatch(ParseClauses(name, value)),
        ["$nor"] = (name, value) => new NoMatch(new AnyMatch(ParseClauses(name, value))),
        ["$jsonSchema"] = (_, value) => value.IsDocument
            ? new SchemaMatch(JsonSchemaParser.Parse(value.Document))
            : throw ServerException.TypeMismatch("$jsonSchema must be an object"),
    };

    private static readonly Dictionary<string, OperatorReader> FieldOperators = new()
    {
        ["$eq"] = (_, value, _) => ParseComparison(Comparison.Equal, value),
        ["$ne"] = (_, value, _) => ParseNotEqual(value),
        ["$gt"] = (_, value, _) => ParseComparison(Comparison.Greater, value),
        ["$gte"] = (_, value, _) => ParseComparison(Comparison.GreaterOrEqual, value),
        ["$lt"] = (_, value, _) => ParseComparison(Comparison.Less, value),
        ["$lte"] = (_, value, _) => ParseComparison(Comparison.LessOrEqual, value),
        ["$in"] = (name, value, _) => ParseIn(name, value),
        ["$nin"] = (name, value, _) => new NotTest(ParseIn(name, value)),
        ["$exists"] = (_, value, _) => value.IsTrue ? new ExistsTest() : new NotTest(new ExistsTest()),
        ["$type"] = (_, value, _) => new TypeTest(TypeAliases.Parse(value)),
        ["$not"] = (_, value, _) => ParseNot(value),
        ["$all"] = (_, value, _) => ParseAll(value),
        ["$elemMatch"] = (_, value, _) => ParseElemMatch(value),
        ["$size"] = (_, value, _) => ParseSize(value),
        ["$mod"] = (_, value, _) => ParseMod(value),
        ["$regex"] = (_, value, siblings) => ParseRegex(value, siblings.Find("$options")),
        ["$bitsAllSet"] = (name, value, _) => new BitsTest(ParseBits(name, value), all: true, set: true),
        ["$bitsAllClear"] = (name, value, _) => new BitsTest(ParseBits(name, value), all: true, set: false),
        ["$bitsAnySet"] = (name, value, _) => new BitsTest(ParseBits(name, value), all: false, set: true),
        ["$bitsAnyClear"] = (name, value, _) => new BitsTest(ParseBits(name, value), all: false, set: false),
        ["$geoWithin"] = (name, value, _) => ParseGeometry(name, value),
        ["$geoIntersects"] = (name, value, _) => ParseGeometry(name, value),
        ["$near"] = (_, _, _) => RefuseNear(),
        ["$nearSphere"] = (_, _, _) => RefuseNear(),
    };

    // A document that starts with one of these is a DBRef and so a value, although its names start with a dollar.
    private static readonly HashSet<string> ReferenceFields = ["$ref", "$id", "$db"];

    private delegate FieldTest OperatorReader(string name, Value value, Document siblings);

    /// <summary>The names of all operators.</summary>
    public static IEnumerable<string> Names => [.. TopLevelOperators.Keys, "$comment", .. FieldOperators.Keys, "$options"];

    /// <summary>Reads a filter.</summary>
    /// <exception cref="ServerException">It is not one, or uses what this server does not have.</exception>
    public static MatchExpression Parse(Document filter)
    {
        var conditions = new List<MatchExpression>(filter.Count);
        foreach (var (name, value) in filter.Elements)
        {
            if (name == "$comment") continue;
            conditions.Add(name.StartsWith('$') ? ParseTopLevel(name, value) : ParseField(name, value));
        }

        return conditions.Count == 1 ? conditions[0] : new AllMatch(conditions);
    }

    /// <summary>Whether a value in a filter is a document of operators and not a value to be equal to.</summary>
    public static bool IsOperators(Value value)
        => value.IsDocument && value.Document.Count > 0 && value.Document[0].Name is ['$', ..] first && !ReferenceFields.Contains(first);

    /// <summary>
    /// Reads a condition on single elements of an array, as <c>$pull</c> has it: operators, a filter of the documents among
    /// them, a regular expression, or the value to be equal to.
    /// </summary>
    public static Func<Value, bool> ParseElement(Value condition)
    {
        if (!condition.IsDocument || IsValueOperators(condition)) return (IsOperators(condition) ? ParseOperators(condition.Document) : ParseEquality(condition)).MatchesElement;
        var filter = Parse(condition.Document);
        return element => element.IsDocument && filter.Matches(element.Document);
    }

    private static MatchExpression ParseTopLevel(string name, Value value)
    {
        if (TopLevelOperators.TryGetValue(name, out var read)) return read(name, value);
        if (Unsupported.Contains(name)) throw ServerException.NotImplemented(name);
        throw ServerException.BadValue($"unknown top level operator: {name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.");
    }

    private static List<MatchExpression> ParseClauses(string name, Value value)
    {
        if (!value.IsArray) throw ServerException.BadValue($"{name} must be an array");
        if (value.Document.Count == 0) throw ServerException.BadValue($"{name} must be a nonempty array");
        return [.. value.Items.Select(item => item.IsDocument
            ? Parse(item.Document)
            : throw ServerException.BadValue($"{name} entries need to be full objects"))];
    }

    private static FieldMatch ParseField(string name, Value value)
        => new(new FieldPath(name), IsOperators(value) ? ParseOperators(value.Document) : ParseEquality(value));

    private static ValueTest ParseEquality(Value value)
    {
        RefuseUndefined(value);
        return value.Type == BsonType.RegularExpression ? new RegexTest(value) : new ComparisonTest(Comparison.Equal, value);
    }

    private static FieldTest ParseOperators(Document operators)
    {
        var tests = new List<FieldTest>(operators.Count);
        foreach (var (name, value) in operators.Elements)
        {
            // $options is read with the $regex it belongs to.
            if (name == "$options")
            {
                if (operators.Find("$regex") is null) throw ServerException.BadValue("$options needs a $regex");
                continue;
            }

            tests.Add(ParseOperator(name, value, operators));
        }

        return tests.Count == 1 ? tests[0] : new AllTests(tests);
    }

    private static FieldTest ParseOperator(string name, Value value, Document siblings)
    {
        if (FieldOperators.TryGetValue(name, out var read)) return read(name, value, siblings);
        throw Unsupported.Contains(name) ? ServerException.NotImplemented(name) : ServerException.BadValue($"unknown operator: {name}");
    }

    private static NotTest ParseNotEqual(Value value) => value.Type == BsonType.RegularExpression
        ? throw ServerException.BadValue("Can't have regex as arg to $ne.")
        : new NotTest(ParseComparison(Comparison.Equal, value));

    private static GeometryTest ParseGeometry(string name, Value value)
        => value.IsDocument ? new GeometryTest(name) : throw ServerException.BadValue($"{name} must be an object");

    private static FieldTest RefuseNear() => throw new ServerException(
        ErrorCode.NoQueryExecutionPlans, "error processing query: planner returned error :: caused by :: unable to find index for $geoNear query");

    private static ComparisonTest ParseComparison(Comparison comparison, Value value)
    {
        RefuseUndefined(value);
        if (comparison != Comparison.Equal && value.Type == BsonType.RegularExpression)
        {
            throw ServerException.BadValue("Can't have RegEx as arg to predicate over a field");
        }

        return new ComparisonTest(comparison, value);
    }

    private static void RefuseUndefined(Value value)
    {
        if (value.Type == BsonType.Undefined) throw ServerException.BadValue("cannot compare to undefined");
    }

    private static InTest ParseIn(string name, Value value)
    {
        if (!value.IsArray) throw ServerException.BadValue($"{name} needs an array");
        foreach (var item in value.Items)
        {
            if (IsOperators(item)) throw ServerException.BadValue($"cannot nest $ under {name}");
            RefuseUndefined(item);
        }

        return new InTest(value.Items);
    }

    private static NotTest ParseNot(Value value)
    {
        if (value.Type == BsonType.RegularExpression) return new NotTest(new RegexTest(value));
        if (!value.IsDocument) throw ServerException.BadValue("$not needs a regex or a document");
        if (value.Document.Count == 0) throw ServerException.BadValue("$not cannot be empty");
        return new NotTest(ParseOperators(value.Document));
    }

    private static FieldTest ParseAll(Value value)
    {
        if (!value.IsArray) throw ServerException.BadValue("$all needs an array");
        var items = value.Items.ToArray();
        if (items.Length == 0) return new NeverTest();

        var elemMatches = items.Count(item => IsOperators(item) && item.Document[0].Name == "$elemMatch");
        if (elemMatches != 0 && elemMatches != items.Length) throw ServerException.BadValue("$all/$elemMatch has to be consistent");
        return new AllTests([.. items.Select(item =>
        {
            if (elemMatches != 0)
            {
                return item.Document.Count == 1
                    ? ParseElemMatch(item.Document[0].Value)
                    : throw ServerException.BadValue("$all/$elemMatch has to be consistent");
            }

            return IsOperators(item) ? throw ServerException.BadValue("no $ expressions in $all") : (FieldTest)ParseEquality(item);
        })]);
    }

    private static ValueTest ParseElemMatch(Value value)
    {
        if (!value.IsDocument) throw ServerException.BadValue("$elemMatch needs an Object");

        return IsValueOperators(value) ? new ElementValueTest(ParseOperators(value.Document)) : new ElementDocumentTest(Parse(value.Document));
    }

    /// <summary>Logical operators belong to a filter of documents, all others to a test of single values.</summary>
    private static bool IsValueOperators(Value value)
        => IsOperators(value) && value.Document[0].Name is not ("$and" or "$or" or "$nor" or "$where" or "$expr" or "$jsonSchema" or "$comment");

    private static SizeTest ParseSize(Value value)
    {
        if (!value.IsNumber || !value.Number.TryToInt64(out var size))
        {
            throw ServerException.FailedToParse($"Failed to parse $size. Expected an integer: $size: {ValueText.Of(value)}");
        }

        return size >= 0
            ? new SizeTest(size)
            : throw ServerException.FailedToParse($"Failed to parse $size. Expected a non-negative number in: $size: {size}");
    }

    private static ModTest ParseMod(Value value)
    {
        if (!value.IsArray) throw ServerException.BadValue("malformed mod, needs to be an array");
        if (value.Document.Count < 2) throw ServerException.BadValue("malformed mod, not enough elements");
        if (value.Document.Count > 2) throw ServerException.BadValue("malformed mod, too many elements");
        var parts = value.Items.ToArray();
        if (!parts[0].IsNumber || !parts[0].Number.TryTruncateToInt64(out var divisor)) throw ServerException.BadValue("malformed mod, divisor not a number");
        if (!parts[1].IsNumber || !parts[1].Number.TryTruncateToInt64(out var remainder)) throw ServerException.BadValue("malformed mod, remainder not a number");
        return divisor != 0 ? new ModTest(divisor, remainder) : throw ServerException.BadValue("divisor cannot be 0");
    }

    private static RegexTest ParseRegex(Value value, Value? options)
    {
        if (options is not null and not { Type: BsonType.String }) throw ServerException.BadValue("$options has to be a string");
        if (value.Type == BsonType.String) return new RegexTest(value.Text, options?.Text ?? "");
        if (value.Type != BsonType.RegularExpression) throw ServerException.BadValue("$regex has to be a string");

        var (pattern, own) = value.RegularExpression;
        if (options is null) return new RegexTest(pattern, own);
        return own.Length == 0 ? new RegexTest(pattern, options.Text) : throw new ServerException(51075, "options set in both $regex and $options");
    }

    private static List<long> ParseBits(string name, Value value)
    {
        if (value.IsArray)
        {
            return [.. value.Items.Select(item => item.IsNumber && item.Number.TryToInt64(out var position) && position is >= 0 and <= MaxBitPosition
                ? position
                : throw ServerException.BadValue($"bit positions must be integers >= 0: {name}: {ValueText.Of(value)}"))];
        }

        if (value.Type == BsonType.Binary) return BitsOf(value.Binary);
        if (value.IsNumber && value.Number.TryToInt64(out var mask) && mask >= 0) return BitsOf(BitConverter.GetBytes(mask));
        throw ServerException.BadValue($"{name} takes an Array, a number, or a BinData but received: {ValueText.Of(value)}");
    }

    private static List<long> BitsOf(ReadOnlySpan<byte> littleEndian)
    {
        var positions = new List<long>();
        for (var i = 0; i < littleEndian.Length * 8; i++)
        {
            if (((littleEndian[i / 8] >> (i % 8)) & 1) == 1) positions.Add(i);
        }

        return positions;
    }
}
