using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Schema;

/// <summary>Checks a schema against every rule, and compiles it to a tree of <see cref="SchemaNode"/>.</summary>
/// <remarks>
/// It goes on after a mistake, so that one reading finds them all. Texts that MongoDB's own analyzer is known for are used
/// verbatim: people search for them, and the official tests assert them.
/// </remarks>
internal sealed class EncryptionSchemaParser
{
    private const string InvalidPlacement = "Invalid schema containing the 'encrypt' keyword.";

    /// <summary>The most patterns that one level may have: every name of a document is compared with all of them.</summary>
    public const int MaxPatterns = 256;

    private const int MaxLocationLength = 1000;

    private readonly byte[] _bson;
    private readonly EncryptionSchemaOrigin _origin;
    private readonly List<EncryptionSchemaError> _errors = [];
    private readonly List<(JsonPointer Pointer, string Location)> _pointers = [];

    private EncryptionSchemaParser(byte[] bson, EncryptionSchemaOrigin origin)
    {
        _bson = bson;
        _origin = origin;
    }

    /// <summary>Compiles a schema.</summary>
    /// <exception cref="BsonFormatException">The bytes are not one document, or it is nested too deeply.</exception>
    /// <exception cref="EncryptionSchemaException">All mistakes in it.</exception>
    public static PlainNode Parse(byte[] bson, EncryptionSchemaOrigin origin)
    {
        BsonValidator.Validate(bson);
        var parser = new EncryptionSchemaParser(bson, origin);
        var root = parser.ParseSchema(new Element("", BsonType.Document, 0, bson.Length, 0), "", default);
        if (parser._errors.Count == 0) parser.CheckPointers((PlainNode)root);
        return parser._errors.Count == 0
            ? (PlainNode)root
            : throw new EncryptionSchemaException(CsfleErrorCode.InvalidSchema, EncryptionSchema.Subject, parser._errors);
    }

    /// <summary>The JSON path of something below <paramref name="location"/>; the root is the empty path.</summary>
    /// <remarks>Of a path that nobody could read the end is kept, so that many levels with long names cost no more than few.</remarks>
    internal static string Below(string location, string name)
    {
        var path = location.Length == 0 ? name : $"{location}.{name}";
        return path.Length <= MaxLocationLength ? path : string.Concat("…", path.AsSpan(path.Length - MaxLocationLength + 1));
    }

    private void Report(string location, string problem, string remedy)
        => _errors.Add(new EncryptionSchemaError(location.Length == 0 ? "(root)" : location, problem, remedy));

    private SchemaNode ParseSchema(Element schema, string location, Scope scope)
    {
        var keywords = ReadKeywords(schema, location);
        foreach (var text in new[] { "title", "description" })
        {
            if (keywords.TryGetValue(text, out var element) && element.Type != BsonType.String)
            {
                ReportType(Below(location, text), text, "a string", element);
            }
        }

        var types = ReadTypes(keywords, location, out var isObject);
        if (keywords.TryGetValue(SchemaKeywords.Encrypt, out var encrypt))
        {
            CheckPlaceOfEncrypt(keywords, location, scope);
            return ParseEncrypt(encrypt, Below(location, SchemaKeywords.Encrypt), scope);
        }

        if (keywords.TryGetValue(SchemaKeywords.EncryptMetadata, out var metadata))
        {
            scope = ParseMetadata(metadata, Below(location, SchemaKeywords.EncryptMetadata), scope, isObject);
        }

        var node = ParseChildren(keywords, location, scope);
        if (node.HasEncryption && !isObject)
        {
            Report(location, $"{InvalidPlacement} Something is encrypted below, but this level {DescribeTypes(types)}.",
                "Write \"bsonType\": \"object\" here, as one string: only documents can be reached into, arrays cannot.");
        }

        ParseValidationKeywords(keywords, location, scope);
        return node;
    }

    private Dictionary<string, Element> ReadKeywords(Element schema, string location)
    {
        var keywords = new Dictionary<string, Element>(StringComparer.Ordinal);
        foreach (var element in Children(schema))
        {
            var keyword = element.Name;
            if (!keywords.TryAdd(keyword, element))
            {
                Report(Below(location, keyword), $"Duplicate $jsonSchema keyword: {keyword}.", "Write it once.");
            }
            else if (SchemaKeywords.NotSupported.Contains(keyword))
            {
                Report(Below(location, keyword), $"$jsonSchema keyword '{keyword}' is not currently supported.", "Leave it out; MongoDB's JSON schema does not have it.");
            }
            else if (SchemaKeywords.ValidationOnly.Contains(keyword))
            {
                if (_origin == EncryptionSchemaOrigin.Local)
                {
                    Report(Below(location, keyword), $"JSON schema keyword '{keyword}' is only allowed with a remote schema.",
                        "Leave it out here; what documents must look like belongs into the validator of the collection on the server.");
                }
            }
            else if (!SchemaKeywords.AllowedLocally.Contains(keyword))
            {
                Report(Below(location, keyword), $"Unknown $jsonSchema keyword: {keyword}.", "Check the spelling, upper and lower case included.");
            }
        }

        return keywords;
    }

    private BsonTypeSet? ReadTypes(Dictionary<string, Element> keywords, string location, out bool isObject)
    {
        isObject = false;
        var hasType = keywords.TryGetValue(SchemaKeywords.Type, out var type);
        if (hasType) CheckJsonTypes(type, Below(location, SchemaKeywords.Type));
        if (!keywords.TryGetValue(SchemaKeywords.BsonType, out var bsonType)) return null;

        if (hasType)
        {
            Report(location, "Cannot specify both $jsonSchema keywords 'type' and 'bsonType'.", "Keep 'bsonType'.");
        }

        var types = ParseBsonType(bsonType, Below(location, SchemaKeywords.BsonType));
        isObject = bsonType.Type == BsonType.String && types == BsonTypeSet.Of(BsonType.Document);
        return types;
    }

    private static string DescribeTypes(BsonTypeSet? types)
        => types is { } known ? $"allows {known.Describe()}" : "has no 'bsonType'";

    private BsonTypeSet ParseBsonType(Element element, string location)
        => ParseAliases(element, location, SchemaKeywords.BsonType, (alias, at) =>
        {
            if (alias == "number") return BsonTypeSet.Number;
            if (BsonTypes.TryParseAlias(alias, out var type)) return BsonTypeSet.Of(type);
            Report(at, $"Unknown type name alias: {alias}.", "Use the names of BSON types, such as string, int, long, date, object, array, binData.");
            return default;
        });

    private void CheckJsonTypes(Element element, string location)
        => ParseAliases(element, location, SchemaKeywords.Type, (alias, at) =>
        {
            if (alias == "integer")
            {
                Report(at, "$jsonSchema type 'integer' is not currently supported.", "Use \"bsonType\": \"int\" or \"long\".");
            }
            else if (!SchemaKeywords.JsonTypes.Contains(alias))
            {
                Report(at, $"Unknown type name alias: {alias}.", "Use 'bsonType' for the types of BSON.");
            }

            return default;
        });

    private BsonTypeSet ParseAliases(Element element, string location, string keyword, Func<string, string, BsonTypeSet> parse)
    {
        if (element.Type == BsonType.String) return parse(Text(element), location);
        if (element.Type != BsonType.Array)
        {
            ReportType(location, keyword, "a string or an array of strings", element);
            return default;
        }

        var types = default(BsonTypeSet);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in Children(element))
        {
            var at = Below(location, item.Name);
            if (item.Type != BsonType.String)
            {
                ReportType(at, keyword, "a string or an array of strings", item);
            }
            else if (!seen.Add(Text(item)))
            {
                Report(at, $"$jsonSchema keyword '{keyword}' has duplicate value: {Text(item)}.", "Name each type once.");
            }
            else
            {
                types = types.Or(parse(Text(item), at));
            }
        }

        if (seen.Count == 0) Report(location, $"$jsonSchema keyword '{keyword}' must name at least one type.", "Name a type, or leave the keyword out.");
        return types;
    }

    private void CheckPlaceOfEncrypt(Dictionary<string, Element> keywords, string location, Scope scope)
    {
        if (location.Length == 0)
        {
            Report(SchemaKeywords.Encrypt, $"{InvalidPlacement} A document cannot be encrypted as a whole.",
                "Write 'encrypt' below 'properties', once for each field.");
        }

        ReportForbiddenPlace(Below(location, SchemaKeywords.Encrypt), scope);
        foreach (var sibling in keywords.Keys)
        {
            var (problem, remedy) = sibling switch
            {
                SchemaKeywords.Encrypt => ("", ""),
                SchemaKeywords.BsonType or SchemaKeywords.Type => (
                    $"$jsonSchema keyword 'encrypt' cannot be used in conjunction with '{sibling}', 'encrypt' implies type 'bsonType::BinData'.",
                    "Move the type into 'encrypt' as 'bsonType'."),
                SchemaKeywords.EncryptMetadata => (
                    "Cannot specify both $jsonSchema keywords 'encrypt' and 'encryptMetadata'.",
                    "Write algorithm and keyId into 'encrypt'."),
                _ => ($"{InvalidPlacement} '{sibling}' cannot stand beside it.", "Let 'encrypt' stand alone."),
            };
            if (problem.Length > 0) Report(location, problem, remedy);
        }
    }

    private void ReportForbiddenPlace(string location, Scope scope)
    {
        if (scope.ForbiddenBy is not { } keyword) return;
        Report(location, $"{InvalidPlacement} It stands below '{keyword}', where it would not be known which values to encrypt.",
            keyword is "items" or "additionalItems"
                ? "Encrypt the array as a whole, with the random algorithm."
                : "Write it below 'properties', 'patternProperties' or 'additionalProperties' alone.");
    }

    private EncryptedNode ParseEncrypt(Element encrypt, string location, Scope scope)
    {
        BsonTypeSet? types = null;
        var isList = false;
        var own = scope;
        if (encrypt.Type != BsonType.Document)
        {
            ReportType(location, SchemaKeywords.Encrypt, "an object", encrypt);
            return Broken();
        }

        var mistakes = _errors.Count;
        foreach (var field in Fields(encrypt, location))
        {
            if (field.Name == SchemaKeywords.BsonType)
            {
                types = ParseBsonType(field, Below(location, field.Name));
                isList = field.Type == BsonType.Array || types.Value.Count > 1;
            }
            else if (!TryParseKeyOrAlgorithm(field, location, ref own))
            {
                Report(Below(location, field.Name), $"BSON field 'encrypt.{field.Name}' is an unknown field.", "'encrypt' knows 'algorithm', 'keyId' and 'bsonType'.");
            }
        }

        // A mistake in one field must not show up a second time as a field that is missing.
        if (_errors.Count > mistakes) return Broken();
        if (own.Algorithm is null)
        {
            Report(location, "There is no 'algorithm', here or in an 'encryptMetadata' above.", $"Write \"algorithm\": \"{SchemaKeywords.Deterministic}\" or \"{SchemaKeywords.Random}\".");
        }

        if (own.KeyId is null && own.KeyPointer is null)
        {
            Report(location, "There is no 'keyId', here or in an 'encryptMetadata' above.", "Write the data key's UUID as \"keyId\": [UUID].");
        }

        if (own.Algorithm is { } algorithm) CheckAlgorithm(algorithm, types, isList, own.KeyPointer, location);
        if (own.KeyPointer is not null) _pointers.Add((own.KeyPointer, location));
        return _errors.Count > mistakes
            ? Broken()
            : new EncryptedNode(own.Algorithm!.Value, own.KeyId, own.KeyPointer, types ?? BsonTypeSet.Any);
    }

    // Stands for an 'encrypt' that could not be read, so that the levels above are still checked as leading to encryption.
    private static EncryptedNode Broken() => new(CsfleAlgorithm.Random, Guid.Empty, null, BsonTypeSet.Any);

    private void CheckAlgorithm(CsfleAlgorithm algorithm, BsonTypeSet? types, bool isList, JsonPointer? pointer, string location)
    {
        if (algorithm == CsfleAlgorithm.Deterministic)
        {
            if (types is null || isList)
            {
                Report(location, "Deterministic encryption requires exactly one 'bsonType', as one string.",
                    "Write the type that every value of the field has; a field of several types must be random.");
            }

            if (pointer is not null)
            {
                Report(location, "Deterministic encryption cannot take its key from the document: the same value would have many ciphertexts.",
                    "Give 'keyId' as an array with one UUID, or use the random algorithm.");
            }
        }

        if (types is not { } given) return;
        foreach (var type in given.Types)
        {
            if (!EncryptedNode.IsProhibited(algorithm, type)) continue;
            var remedy = EncryptedNode.IsProhibited(CsfleAlgorithm.Random, type)
                ? "No algorithm can encrypt this type; leave it out of 'bsonType'."
                : "Use the random algorithm for this type, or store another type.";
            Report(Below(location, SchemaKeywords.BsonType), $"Cannot encrypt element of type: {type.Alias()} with the {algorithm.ToString().ToLowerInvariant()} algorithm.", remedy);
        }
    }

    private Scope ParseMetadata(Element metadata, string location, Scope scope, bool isObject)
    {
        ReportForbiddenPlace(location, scope);
        if (metadata.Type != BsonType.Document)
        {
            ReportType(location, SchemaKeywords.EncryptMetadata, "an object", metadata);
            return scope;
        }

        if (!isObject)
        {
            Report(location, "'encryptMetadata' stands at a level that is not \"bsonType\": \"object\".", "Write \"bsonType\": \"object\" beside it.");
        }

        var fields = Fields(metadata, location);
        if (fields.Count == 0)
        {
            Report(location, "$jsonSchema keyword 'encryptMetadata' cannot be an empty object.", "Write 'algorithm' or 'keyId' into it, or leave it out.");
        }

        foreach (var field in fields)
        {
            if (!TryParseKeyOrAlgorithm(field, location, ref scope))
            {
                Report(Below(location, field.Name), $"BSON field 'encryptMetadata.{field.Name}' is an unknown field.", "'encryptMetadata' knows 'algorithm' and 'keyId'.");
            }
        }

        return scope;
    }

    private List<Element> Fields(Element parent, string location)
    {
        var fields = Children(parent);
        foreach (var twice in fields.GroupBy(field => field.Name, StringComparer.Ordinal).Where(group => group.Skip(1).Any()))
        {
            Report(Below(location, twice.Key), $"BSON field '{parent.Name}.{twice.Key}' is a duplicate field.", "Write it once.");
        }

        return fields;
    }

    private bool TryParseKeyOrAlgorithm(Element field, string location, ref Scope scope)
    {
        switch (field.Name)
        {
            case "algorithm":
                scope = scope with { Algorithm = ParseAlgorithm(field, Below(location, field.Name)) ?? scope.Algorithm };
                return true;
            case "keyId":
                scope = ParseKey(field, Below(location, field.Name), scope);
                return true;
            default:
                return false;
        }
    }

    private CsfleAlgorithm? ParseAlgorithm(Element element, string location)
    {
        if (element.Type != BsonType.String)
        {
            ReportType(location, "algorithm", "a string", element);
            return null;
        }

        switch (Text(element))
        {
            case SchemaKeywords.Deterministic:
                return CsfleAlgorithm.Deterministic;
            case SchemaKeywords.Random:
                return CsfleAlgorithm.Random;
            default:
                Report(location, "Enumeration value for field 'algorithm' is not a valid value.", $"Write \"{SchemaKeywords.Deterministic}\" or \"{SchemaKeywords.Random}\".");
                return null;
        }
    }

    private Scope ParseKey(Element element, string location, Scope scope)
    {
        const string OneUuid = "Write an array with one UUID (binary subtype 4), or a JSON pointer to the field that names the key.";
        switch (element.Type)
        {
            case BsonType.String:
                if (JsonPointer.TryParse(Text(element), out var pointer, out var problem)) return scope with { KeyId = null, KeyPointer = pointer };
                Report(location, problem, "Write the stored names from the root of the document, each after a '/': \"/ownerKey\".");
                return scope;
            case BsonType.Array:
                break;
            default:
                Report(location, $"Expected either string or array of UUID for EncryptSchemaKeyId, found {element.Type.Alias()}.", OneUuid);
                return scope;
        }

        var items = Children(element);
        if (items.Count != 1)
        {
            Report(location, $"'keyId' holds {items.Count} keys; a field is encrypted under exactly one.", OneUuid);
        }

        foreach (var item in items)
        {
            var at = Below(location, item.Name);
            if (item.Type != BsonType.Binary)
            {
                Report(at, $"Array elements must have type BinData, found {item.Type.Alias()}.", OneUuid);
                continue;
            }

            // { length int32 | subtype byte | bytes }
            var subtype = _bson[item.Start + sizeof(int)];
            var bytes = _bson.AsSpan((item.Start + sizeof(int) + 1)..item.End);
            if (subtype != BinarySubtype.Uuid || bytes.Length != 16)
            {
                Report(at, $"Array elements must have bindata type UUID, found subtype {subtype} with {bytes.Length} bytes.", OneUuid);
                continue;
            }

            scope = scope with { KeyId = new Guid(bytes, bigEndian: true), KeyPointer = null };
        }

        return scope;
    }

    private PlainNode ParseChildren(Dictionary<string, Element> keywords, string location, Scope scope)
    {
        var properties = new List<SchemaProperty>();
        foreach (var (name, node, at) in ParseNamed(keywords, SchemaKeywords.Properties, location, scope))
        {
            if (node.HasEncryption && ProblemOfName(name) is { } problem)
            {
                Report(at, $"A field that is encrypted, or leads to one, cannot have a name that {problem}.",
                    name.Contains('.', StringComparison.Ordinal) ? "Write nested 'properties', one level for each name." : "Rename the field.");
            }

            properties.Add(new SchemaProperty(name, node));
        }

        var patterns = ParseNamed(keywords, SchemaKeywords.PatternProperties, location, scope);
        var additional = ParseAdditionalProperties(keywords, location, scope);

        // Where nothing is encrypted, patterns decide nothing, and a validator's own patterns need not be understood.
        var encrypts = properties.Any(property => property.Node.HasEncryption)
            || patterns.Any(pattern => pattern.Node.HasEncryption)
            || additional is { HasEncryption: true };
        var compiled = encrypts ? CompilePatterns(patterns, location) : [];

        var result = new PlainNode(location, properties, compiled, additional);
        try
        {
            result.CheckOverlaps();
        }
        catch (EncryptionSchemaException exception)
        {
            _errors.AddRange(exception.Errors);
        }

        return result;
    }

    private List<SchemaPatternProperty> CompilePatterns(List<(string Name, SchemaNode Node, string Location)> patterns, string level)
    {
        if (patterns.Count > MaxPatterns)
        {
            Report(Below(level, SchemaKeywords.PatternProperties), $"There are {patterns.Count} patterns, but {MaxPatterns} are the most where something is encrypted.",
                "Join patterns with '|', or list the names in 'properties'.");
            return [];
        }

        var compiled = new List<SchemaPatternProperty>(patterns.Count);
        foreach (var (text, node, location) in patterns)
        {
            if (NamePattern.Parse(text, out var problem) is { } pattern)
            {
                compiled.Add(new SchemaPatternProperty(pattern, node));
            }
            else
            {
                Report(location, $"The pattern '{text}' cannot decide what is encrypted: {problem}.",
                    "Use literals, classes, '.', anchors, groups, '|' and quantifiers only, or list the names in 'properties'.");
            }
        }

        return compiled;
    }

    private SchemaNode? ParseAdditionalProperties(Dictionary<string, Element> keywords, string location, Scope scope)
    {
        if (!keywords.TryGetValue(SchemaKeywords.AdditionalProperties, out var element)) return null;
        var at = Below(location, SchemaKeywords.AdditionalProperties);
        switch (element.Type)
        {
            case BsonType.Document:
                return ParseSchema(element, at, scope);
            case BsonType.Boolean:
                return null;
            default:
                ReportType(at, SchemaKeywords.AdditionalProperties, "an object or a boolean", element);
                return null;
        }
    }

    private List<(string Name, SchemaNode Node, string Location)> ParseNamed(Dictionary<string, Element> keywords, string keyword, string location, Scope scope)
    {
        var result = new List<(string, SchemaNode, string)>();
        if (!keywords.TryGetValue(keyword, out var element)) return result;

        location = Below(location, keyword);
        if (element.Type != BsonType.Document)
        {
            ReportType(location, keyword, "an object", element);
            return result;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var child in Children(element))
        {
            var at = Below(location, child.Name);
            if (!names.Add(child.Name))
            {
                Report(at, $"The name stands twice in '{keyword}'.", "Write it once.");
            }
            else if (child.Type != BsonType.Document)
            {
                Report(at, $"Nested schema for $jsonSchema keyword '{keyword}' must be an object, found {child.Type.Alias()}.", "Write a schema in braces.");
            }
            else
            {
                result.Add((child.Name, ParseSchema(child, at, scope), at));
            }
        }

        return result;
    }

    private static string? ProblemOfName(string name) => name switch
    {
        "" => "is empty",
        _ when name.Contains('.', StringComparison.Ordinal) => "contains a dot",
        _ when name[0] == '$' => "starts with '$'",
        _ => null,
    };

    private void ParseValidationKeywords(Dictionary<string, Element> keywords, string location, Scope scope)
    {
        foreach (var (keyword, element) in keywords)
        {
            var at = Below(location, keyword);
            var below = scope with { ForbiddenBy = scope.ForbiddenBy ?? keyword };
            switch (keyword)
            {
                case "allOf" or "anyOf" or "oneOf":
                    ParseSchemaList(element, at, keyword, below, mayBeEmpty: false);
                    break;
                case "not":
                    ParseOneSchema(element, at, keyword, below);
                    break;
                case "items" when element.Type == BsonType.Array:
                    ParseSchemaList(element, at, keyword, below, mayBeEmpty: true);
                    break;
                case "items":
                    ParseOneSchema(element, at, keyword, below);
                    break;
                case "additionalItems" when element.Type != BsonType.Boolean:
                    ParseOneSchema(element, at, keyword, below);
                    break;
                case "dependencies":
                    ParseDependencies(element, at, below);
                    break;
            }
        }
    }

    private void ParseSchemaList(Element element, string location, string keyword, Scope scope, bool mayBeEmpty)
    {
        if (element.Type != BsonType.Array)
        {
            ReportType(location, keyword, "an array of objects", element);
            return;
        }

        var items = Children(element);
        if (items.Count == 0 && !mayBeEmpty)
        {
            Report(location, $"$jsonSchema keyword '{keyword}' must be a non-empty array.", "Write at least one schema into it, or leave it out.");
        }

        foreach (var item in items) ParseOneSchema(item, Below(location, item.Name), keyword, scope);
    }

    private void ParseDependencies(Element element, string location, Scope scope)
    {
        if (element.Type != BsonType.Document)
        {
            ReportType(location, "dependencies", "an object", element);
            return;
        }

        foreach (var item in Children(element))
        {
            // An array lists names of properties: nothing to look into.
            if (item.Type != BsonType.Array) ParseOneSchema(item, Below(location, item.Name), "dependencies", scope);
        }
    }

    private void ParseOneSchema(Element element, string location, string keyword, Scope scope)
    {
        if (element.Type == BsonType.Document) ParseSchema(element, location, scope);
        else ReportType(location, keyword, "an object", element);
    }

    private void CheckPointers(PlainNode root)
    {
        foreach (var (pointer, location) in _pointers)
        {
            try
            {
                if (!LeadsToEncryption(root, pointer)) continue;
                Report(location, $"The JSON pointer '{pointer.Text}' leads to a field that is encrypted itself or holds one that is.",
                    "Point to a string that stays in clear.");
            }
            catch (EncryptionSchemaException exception)
            {
                _errors.AddRange(exception.Errors);
            }
        }
    }

    private static bool LeadsToEncryption(PlainNode root, JsonPointer pointer)
    {
        SchemaNode? node = root;
        foreach (var token in pointer.Tokens)
        {
            if (node is not PlainNode plain) break;
            node = plain.Find(Encoding.UTF8.GetBytes(token));
        }

        return node is { HasEncryption: true };
    }

    private void ReportType(string location, string keyword, string expected, Element found)
        => Report(location, $"$jsonSchema keyword '{keyword}' must be {expected}, found {found.Type.Alias()}.", $"Write {expected}.");

    private List<Element> Children(Element parent)
    {
        var children = new List<Element>();
        var reader = new BsonReader(_bson, parent.Start, parent.Depth);
        while (reader.Read())
        {
            children.Add(new Element(reader.GetName(), reader.Type, reader.ValueStart, reader.ValueEnd, parent.Depth + 1));
        }

        return children;
    }

    // { length int32 | UTF-8 | 0x00 }
    private string Text(Element element) => Encoding.UTF8.GetString(_bson.AsSpan((element.Start + sizeof(int))..(element.End - 1)));

    /// <summary>One element of the schema's BSON: the raw bytes of its value and how deeply it is nested.</summary>
    private readonly record struct Element(string Name, BsonType Type, int Start, int End, int Depth);

    /// <summary>What a sub-schema takes over from the levels above it.</summary>
    private readonly record struct Scope(CsfleAlgorithm? Algorithm, Guid? KeyId, JsonPointer? KeyPointer, string? ForbiddenBy);
}
