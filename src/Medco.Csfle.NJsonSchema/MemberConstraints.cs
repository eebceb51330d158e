using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Namotion.Reflection;
using NJsonSchema;
using NJsonSchema.Generation;

namespace Medco.Csfle.ClassSchemas;

/// <summary>What the attributes on one member demand of its values.</summary>
internal sealed class MemberConstraints
{
    private static readonly string[] Numbers = ["int", "long", "double", "decimal"];

    private readonly Type _type;
    private readonly JsonSchema _schema = new();
    private readonly ValidationAttribute[] _attributes;
    private readonly bool _isMultipleMarked;

    private MemberConstraints(MemberInfo member)
    {
        var settings = new JsonSchemaGeneratorSettings();
        var accessor = member.ToContextualAccessor();
        var description = settings.ReflectionService.GetDescription(accessor.AccessorType, settings);
        _type = Nullable.GetUnderlyingType(accessor.AccessorType.OriginalType) ?? accessor.AccessorType.OriginalType;
        _attributes = [.. Attribute.GetCustomAttributes(member, typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>()];
        IsNullable = description.IsNullable;
        try
        {
            new JsonSchemaGenerator(settings).ApplyDataAnnotations(_schema, description);
        }
        catch (OverflowException)
        {
            // NJsonSchema wants bounds that are decimals. What a number needs of it comes after [Range] or from the attribute itself.
        }

        _isMultipleMarked = _schema.MultipleOf is not null;
    }

    /// <summary>True where the declaration lets the member be null.</summary>
    public bool IsNullable { get; }

    /// <summary><c>[Required]</c>, where it is there.</summary>
    public RequiredAttribute? Required => _attributes.OfType<RequiredAttribute>().FirstOrDefault();

    /// <summary>The names of all constraints but <c>[Required]</c>.</summary>
    public IEnumerable<string> Names => _attributes.Where(attribute => attribute is not RequiredAttribute).Select(NameOf).Concat(_isMultipleMarked ? ["MultipleOf"] : []);

    /// <summary>Reads the attributes.</summary>
    /// <param name="ns">The collection, for messages.</param>
    /// <param name="type">The class, which may override the member.</param>
    /// <param name="member">The member as the class map has it.</param>
    /// <exception cref="EnforcementException"><see cref="CsfleErrorCode.InvalidConstraint"/>: an attribute cannot be read.</exception>
    public static MemberConstraints Of(string ns, Type type, MemberInfo member)
    {
        member = EncryptionMarks.LastOverride(type, member);
        try
        {
            return new MemberConstraints(member);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new EnforcementException(CsfleErrorCode.InvalidConstraint,
                $"the constraints of {ClassNames.Of(member)}, for the validator of '{ns}', cannot be read ({exception.GetType().Name})",
                "Correct the attributes on it; the inner exception says more.", ns, exception);
        }
    }

    /// <summary>The name of an attribute without its ending.</summary>
    public static string NameOf(Attribute attribute)
    {
        var name = attribute.GetType().Name;
        return name.EndsWith("Attribute", StringComparison.Ordinal) ? name[..^"Attribute".Length] : name;
    }

    /// <summary>Adds what a server can check to the schema of the member's values.</summary>
    /// <param name="schema">Has the types that the values are stored as.</param>
    /// <param name="serializer">The member's serializer.</param>
    /// <returns>The constraints that it cannot check, with the reason.</returns>
    public IReadOnlyList<(string Name, string Reason)> AddTo(BsonDocument schema, IBsonSerializer serializer)
    {
        var types = TypesOf(schema);
        var isNumber = IsNumeric(_type) && types.Any(Numbers.Contains);
        var isText = _type == typeof(string) && types.Contains("string");
        var isArray = serializer is IBsonArraySerializer && types.Contains("array");
        var problem = "the server has no such rule, or not for the type that the value is stored as";
        var enforced = new HashSet<string>();

        if (isText && AddTextRules(schema, ref problem)) enforced.Add(nameof(RegularExpressionAttribute));
        if (isArray) AddItemCounts(schema);
        if (isNumber && AddBounds(schema, types)) enforced.Add(nameof(RangeAttribute));
        // Floating-point numbers that .NET takes for multiples are none when looked at closely.
        var isMultipleEnforced = isNumber && _schema.MultipleOf is > 0 && !types.Contains("double");
        if (isMultipleEnforced) schema["multipleOf"] = Exact(_schema.MultipleOf!.Value);

        return [.. _attributes.Where(attribute => !IsEnforced(attribute)).Select(attribute => (NameOf(attribute), problem)),
            .. _isMultipleMarked && !isMultipleEnforced ? new[] { ("MultipleOf", problem) } : []];

        bool IsEnforced(ValidationAttribute attribute) => attribute switch
        {
            RequiredAttribute => true,
            RangeAttribute => enforced.Contains(nameof(RangeAttribute)),
            RegularExpressionAttribute => enforced.Contains(nameof(RegularExpressionAttribute)),
            StringLengthAttribute => isText && _schema.MaxLength is not null,
            MinLengthAttribute => isText ? _schema.MinLength is not null : schema.Contains("minItems"),
            MaxLengthAttribute => isText ? _schema.MaxLength is not null : schema.Contains("maxItems"),
            _ => false,
        };
    }

    private bool AddTextRules(BsonDocument schema, ref string problem)
    {
        var least = _schema.MinLength ?? 0;
        if (Required is { AllowEmptyStrings: false }) least = Math.Max(least, 1);
        if (_schema.MaxLength is >= 0 and var most) schema["maxLength"] = most;

        // .NET counts a character beyond U+FFFF as two, the server as one: a text that has one may be shorter there.
        var strict = new BsonDocument();
        if (least > 0) schema["minLength"] = least - (least / 2);
        if (least > 1) strict["minLength"] = least;

        var translated = false;
        if (_schema.Pattern is { } pattern)
        {
            if (ServerPattern.Translate(pattern, out var countsUnits, out var untranslatable) is { } text)
            {
                (countsUnits ? strict : schema)["pattern"] = text;
                translated = true;
            }
            else
            {
                problem = $"the pattern is not read alike by .NET and the server: {untranslatable}";
            }
        }

        if (strict.ElementCount > 0) schema["anyOf"] = new BsonArray { strict, new BsonDocument("pattern", ServerPattern.Supplementary) };
        return translated;
    }

    private void AddItemCounts(BsonDocument schema)
    {
        // NJsonSchema writes 0 where nothing is said.
        if (_schema.MinItems > 0) schema["minItems"] = _schema.MinItems;
        if (_schema.MaxItems > 0) schema["maxItems"] = _schema.MaxItems;
    }

    private bool AddBounds(BsonDocument schema, HashSet<string> types)
    {
        if (_attributes.OfType<RangeAttribute>().FirstOrDefault() is not { } range) return false;
        var isKnown = TryBound(range.Minimum, _schema.Minimum, types, out var minimum) & TryBound(range.Maximum, _schema.Maximum, types, out var maximum);
        if (!isKnown) return false;
        if (minimum is not null)
        {
            schema["minimum"] = minimum;
            if (range.MinimumIsExclusive) schema["exclusiveMinimum"] = true;
        }

        if (maximum is not null)
        {
            schema["maximum"] = maximum;
            if (range.MaximumIsExclusive) schema["exclusiveMaximum"] = true;
        }

        return true;
    }

    /// <summary>
    /// A bound as the server compares it best: NJsonSchema rounds to fifteen digits, so that a number on the bound could lie
    /// beyond it.
    /// </summary>
    private static bool TryBound(object written, decimal? read, HashSet<string> types, out BsonValue? bound)
    {
        bound = null;
        switch (written)
        {
            case int number:
                bound = number;
                return true;
            case double number when !double.IsFinite(number) || Math.Abs(number) == double.MaxValue:
                return true;
            case double number:
                bound = types.Contains("decimal") && decimal.TryParse(number.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture, out var exact)
                    ? new BsonDecimal128(exact)
                    : new BsonDouble(number);
                return true;
            case string text when read is not null || decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _):
                bound = Exact(read ?? decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
                return true;
            default:
                return false;
        }
    }

    private static BsonValue Exact(decimal number)
        => number == decimal.Truncate(number) && Math.Abs(number) <= int.MaxValue ? new BsonInt32((int)number) : new BsonDecimal128(number);

    private static bool IsNumeric(Type type) => !type.IsEnum && Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.Decimal;

    private static HashSet<string> TypesOf(BsonDocument schema)
        => !schema.TryGetValue(SchemaKeywords.BsonType, out var types) ? []
            : types.IsString ? [types.AsString]
            : [.. types.AsBsonArray.Select(type => type.AsString)];
}
