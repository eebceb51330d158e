using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Validation;

/// <summary>
/// Reads a <c>$jsonSchema</c>: JSON Schema draft 4 as MongoDB has it, with <c>bsonType</c>, without references, and with
/// <c>encrypt</c> and <c>encryptMetadata</c>. A schema that breaks a rule of the grammar is an error when it is read.
/// </summary>
internal static class JsonSchemaParser
{
    private static readonly HashSet<string> NotSupported = ["$ref", "$schema", "default", "definitions", "format", "id"];

    private static readonly Dictionary<string, BsonType[]> JsonTypes = new()
    {
        ["object"] = [BsonType.Document],
        ["array"] = [BsonType.Array],
        ["string"] = [BsonType.String],
        ["boolean"] = [BsonType.Boolean],
        ["null"] = [BsonType.Null],
        ["number"] = [.. TypeAliases.Numbers],
    };

    private delegate SchemaRule? KeywordReader(string keyword, Value operand, Document schema);

    /// <summary>Every keyword there is and how it is read; a null rule is a keyword that asks nothing of a value by itself.</summary>
    private static readonly Dictionary<string, KeywordReader> Keywords = new()
    {
        ["title"] = ReadText,
        ["description"] = ReadText,
        ["type"] = (keyword, operand, _) => new TypeRule(keyword, operand, ParseJsonTypes(operand)),
        ["bsonType"] = (keyword, operand, _) => new TypeRule(keyword, operand, ParseTypes(keyword, operand)),
        ["enum"] = ReadEnum,
        ["minimum"] = (keyword, operand, schema) => ReadBound(keyword, operand, schema, isMinimum: true),
        ["maximum"] = (keyword, operand, schema) => ReadBound(keyword, operand, schema, isMinimum: false),
        ["exclusiveMinimum"] = (keyword, operand, schema) => ReadExclusive(keyword, operand, schema, "minimum"),
        ["exclusiveMaximum"] = (keyword, operand, schema) => ReadExclusive(keyword, operand, schema, "maximum"),
        ["multipleOf"] = ReadMultipleOf,
        ["minLength"] = (keyword, operand, _) => ReadCount(keyword, operand, BsonType.String, isMinimum: true),
        ["maxLength"] = (keyword, operand, _) => ReadCount(keyword, operand, BsonType.String, isMinimum: false),
        ["minItems"] = (keyword, operand, _) => ReadCount(keyword, operand, BsonType.Array, isMinimum: true),
        ["maxItems"] = (keyword, operand, _) => ReadCount(keyword, operand, BsonType.Array, isMinimum: false),
        ["minProperties"] = (keyword, operand, _) => ReadCount(keyword, operand, BsonType.Document, isMinimum: true),
        ["maxProperties"] = (keyword, operand, _) => ReadCount(keyword, operand, BsonType.Document, isMinimum: false),
        ["pattern"] = (keyword, operand, _) => operand.Type == BsonType.String ? new PatternRule(keyword, operand) : throw MustBe(keyword, "a string"),
        ["uniqueItems"] = (keyword, operand, _) => ParseBoolean(keyword, operand) ? new UniqueItemsRule(keyword, operand) : null,
        ["items"] = ReadItems,
        ["additionalItems"] = ReadAdditionalItems,
        ["required"] = ReadRequired,
        ["properties"] = (keyword, operand, _) => new PropertiesRule(keyword, operand, ParseProperties(keyword, operand)),
        ["patternProperties"] = (keyword, operand, _) => new PatternPropertiesRule(keyword, operand, ParsePatterns(keyword, operand)),
        ["additionalProperties"] = ReadAdditionalProperties,
        ["dependencies"] = ReadDependencies,
        ["allOf"] = (keyword, operand, _) => ReadCombination(keyword, operand, count => (count, count)),
        ["anyOf"] = (keyword, operand, _) => ReadCombination(keyword, operand, count => (1, count)),
        ["oneOf"] = (keyword, operand, _) => ReadCombination(keyword, operand, _ => (1, 1)),
        ["not"] = (keyword, operand, _) => new CombinationRule(keyword, operand, [ParseSchema(keyword, operand)], 0, 0),
        ["encrypt"] = ReadEncrypt,
        ["encryptMetadata"] = ReadEncryptMetadata,
    };

    /// <summary>Reads a schema.</summary>
    /// <exception cref="ServerException">It breaks a rule of the grammar.</exception>
    public static JsonSchema Parse(Document schema)
    {
        var seen = new HashSet<string>();
        var rules = new List<SchemaRule>();
        foreach (var (keyword, operand) in schema.Elements)
        {
            if (!seen.Add(keyword)) throw ServerException.FailedToParse($"Duplicate $jsonSchema keyword: {keyword}");
            if (NotSupported.Contains(keyword)) throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' is not currently supported");
            if (!Keywords.TryGetValue(keyword, out var read)) throw ServerException.FailedToParse($"Unknown $jsonSchema keyword: {keyword}");
            if (read(keyword, operand, schema) is { } rule) rules.Add(rule);
        }

        if (seen.Contains("type") && seen.Contains("bsonType"))
        {
            throw ServerException.FailedToParse("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
        }

        return new JsonSchema(rules);
    }

    /// <summary>The types that <c>bsonType</c> names: one alias, or an array of different ones.</summary>
    public static IReadOnlySet<BsonType> ParseTypes(string keyword, Value operand)
        => ParseAliases(keyword, operand, (alias, types) =>
        {
            if (!TypeAliases.TryAdd(alias, types)) throw ServerException.BadValue($"Unknown type name alias: {alias}");
        });

    private static HashSet<BsonType> ParseJsonTypes(Value operand)
        => ParseAliases("type", operand, (alias, types) =>
        {
            if (alias == "integer")
            {
                throw ServerException.FailedToParse("$jsonSchema type 'integer' is not currently supported.");
            }

            if (!JsonTypes.TryGetValue(alias, out var named)) throw ServerException.BadValue($"Unknown type name alias: {alias}");
            types.UnionWith(named);
        });

    private static HashSet<BsonType> ParseAliases(string keyword, Value operand, Action<string, ISet<BsonType>> add)
    {
        var types = new HashSet<BsonType>();
        if (operand.Type == BsonType.String)
        {
            add(operand.Text, types);
            return types;
        }

        if (!operand.IsArray) throw MustBe(keyword, "either a string or an array of strings");
        foreach (var alias in ParseNames(keyword, operand)) add(alias, types);
        return types;
    }

    /// <summary>A nonempty array of different strings.</summary>
    private static List<string> ParseNames(string keyword, Value operand)
    {
        if (!operand.IsArray) throw MustBe(keyword, "an array");
        if (operand.Document.Count == 0) throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' cannot be an empty array");
        var names = new List<string>();
        foreach (var item in operand.Items)
        {
            if (item.Type != BsonType.String) throw ServerException.TypeMismatch($"$jsonSchema keyword '{keyword}' must be an array of strings, but found an element of type {item.Type.Alias()}");
            if (names.Contains(item.Text)) throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' array cannot contain duplicate values");
            names.Add(item.Text);
        }

        return names;
    }

    private static SchemaRule? ReadText(string keyword, Value operand, Document schema)
        => operand.Type == BsonType.String ? null : throw MustBe(keyword, "a string");

    private static EnumRule ReadEnum(string keyword, Value operand, Document schema)
    {
        if (!operand.IsArray) throw MustBe(keyword, "an array");
        if (operand.Document.Count == 0) throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' cannot be an empty array");
        if (UnorderedEquality.HasDuplicates([.. operand.Items])) throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' array cannot contain duplicate values");
        return new EnumRule(keyword, operand);
    }

    private static BoundRule ReadBound(string keyword, Value operand, Document schema, bool isMinimum)
    {
        if (!operand.IsNumber) throw MustBe(keyword, "a number");
        var exclusive = schema.Find(isMinimum ? "exclusiveMinimum" : "exclusiveMaximum");
        return new BoundRule(keyword, operand, isMinimum, exclusive is { Type: BsonType.Boolean, Boolean: true });
    }

    private static SchemaRule? ReadExclusive(string keyword, Value operand, Document schema, string partner)
    {
        ParseBoolean(keyword, operand);
        return schema.Find(partner) is not null
            ? null
            : throw ServerException.FailedToParse($"$jsonSchema keyword '{partner}' must be a present if {keyword} is present");
    }

    private static MultipleOfRule ReadMultipleOf(string keyword, Value operand, Document schema)
    {
        if (!operand.IsNumber) throw MustBe(keyword, "a number");
        return operand.Number.IsFinite && operand.Number.CompareTo(Number.FromInt64(0)) > 0
            ? new MultipleOfRule(keyword, operand)
            : throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' must have a positive value");
    }

    private static CountRule ReadCount(string keyword, Value operand, BsonType type, bool isMinimum)
    {
        if (!operand.IsNumber) throw MustBe(keyword, "a number");
        return operand.Number.TryToInt64(out var bound) && bound >= 0
            ? new CountRule(keyword, operand, type, isMinimum, bound)
            : throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' must be a non-negative whole number");
    }

    private static ItemsRule ReadItems(string keyword, Value operand, Document schema)
    {
        if (operand.IsDocument) return new ItemsRule(keyword, operand, [], Parse(operand.Document), allowsOthers: true);
        if (!operand.IsArray) throw MustBe(keyword, "an array or an object");

        var additional = schema.Find("additionalItems");
        return new ItemsRule(
            keyword,
            operand,
            [.. operand.Items.Select(item => ParseSchema(keyword, item))],
            additional is { IsDocument: true } ? Parse(additional.Document) : null,
            additional is not { Type: BsonType.Boolean, Boolean: false });
    }

    /// <summary>Checked here, applied by <see cref="ReadItems"/>: without an array of <c>items</c> it says nothing.</summary>
    private static SchemaRule? ReadAdditionalItems(string keyword, Value operand, Document schema)
    {
        if (operand.IsDocument) Parse(operand.Document);
        else if (operand.Type != BsonType.Boolean) throw MustBe(keyword, "either an object or a boolean");
        return null;
    }

    private static RequiredRule ReadRequired(string keyword, Value operand, Document schema)
    {
        ParseNames(keyword, operand);
        return new RequiredRule(keyword, operand);
    }

    private static Dictionary<string, JsonSchema> ParseProperties(string keyword, Value operand)
    {
        if (!operand.IsDocument) throw MustBe(keyword, "an object");
        var properties = new Dictionary<string, JsonSchema>();
        foreach (var (name, value) in operand.Document.Elements)
        {
            if (!properties.TryAdd(name, ParseSchema($"{keyword}.{name}", value)))
            {
                throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' has the property '{name}' twice");
            }
        }

        return properties;
    }

    private static List<(Pattern, JsonSchema)> ParsePatterns(string keyword, Value operand)
        => operand.IsDocument
            ? [.. operand.Document.Elements.Select(element => (new Pattern(element.Name), ParseSchema($"{keyword}.{element.Name}", element.Value)))]
            : throw MustBe(keyword, "an object");

    private static AdditionalPropertiesRule? ReadAdditionalProperties(string keyword, Value operand, Document schema)
    {
        if (!operand.IsDocument && ParseBoolean(keyword, operand, "either an object or a boolean")) return null;
        var names = schema.Find("properties") is { IsDocument: true } properties
            ? properties.Document.Elements.Select(element => element.Name).ToHashSet()
            : [];
        IReadOnlyList<Pattern> patterns = schema.Find("patternProperties") is { IsDocument: true } byPattern
            ? [.. byPattern.Document.Elements.Select(element => new Pattern(element.Name))]
            : [];
        return new AdditionalPropertiesRule(keyword, operand, names, patterns, operand.IsDocument ? Parse(operand.Document) : null);
    }

    private static DependenciesRule ReadDependencies(string keyword, Value operand, Document schema)
    {
        if (!operand.IsDocument) throw MustBe(keyword, "an object");
        var dependencies = new List<(string, IReadOnlyList<string>, JsonSchema?)>();
        foreach (var (name, value) in operand.Document.Elements)
        {
            dependencies.Add(value.IsDocument
                ? (name, [], Parse(value.Document))
                : (name, ParseNames($"{keyword}.{name}", value), null));
        }

        return new DependenciesRule(keyword, operand, dependencies);
    }

    private static CombinationRule ReadCombination(string keyword, Value operand, Func<int, (int Fewest, int Most)> range)
    {
        if (!operand.IsArray) throw MustBe(keyword, "an array");
        if (operand.Document.Count == 0) throw ServerException.FailedToParse($"$jsonSchema keyword '{keyword}' must be a non-empty array");
        var (fewest, most) = range(operand.Document.Count);
        return new CombinationRule(keyword, operand, [.. operand.Items.Select(item => ParseSchema(keyword, item))], fewest, most);
    }

    private static EncryptRule ReadEncrypt(string keyword, Value operand, Document schema)
    {
        foreach (var (sibling, _) in schema.Elements)
        {
            switch (sibling)
            {
                case "encrypt":
                    break;
                case "bsonType" or "type":
                    throw ServerException.FailedToParse($"$jsonSchema keyword 'encrypt' cannot be used in conjunction with '{sibling}', 'encrypt' implies type 'bsonType::BinData'");
                case "encryptMetadata":
                    throw ServerException.FailedToParse("Cannot specify both $jsonSchema keywords 'encrypt' and 'encryptMetadata'");
                default:
                    throw ServerException.FailedToParse($"Invalid schema containing the 'encrypt' keyword. It cannot stand beside '{sibling}'");
            }
        }

        EncryptionKeywords.CheckEncrypt(operand);
        return new EncryptRule(keyword, operand);
    }

    private static SchemaRule? ReadEncryptMetadata(string keyword, Value operand, Document schema)
    {
        EncryptionKeywords.CheckEncryptMetadata(operand);
        return null;
    }

    private static JsonSchema ParseSchema(string keyword, Value value)
        => value.IsDocument ? Parse(value.Document) : throw MustBe(keyword, "an object");

    private static bool ParseBoolean(string keyword, Value operand, string expected = "a boolean")
        => operand.Type == BsonType.Boolean ? operand.Boolean : throw MustBe(keyword, expected);

    private static ServerException MustBe(string keyword, string expected)
        => ServerException.TypeMismatch($"$jsonSchema keyword '{keyword}' must be {expected}");
}
