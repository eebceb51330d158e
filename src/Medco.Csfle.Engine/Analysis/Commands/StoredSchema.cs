using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>
/// The <c>$jsonSchema</c> of a validator that the server stores: a keyword with a constant (<c>enum</c>, <c>minimum</c>,
/// <c>pattern</c>) at an encrypted path would store values of the field in clear, and no ciphertext could meet it.
/// </summary>
internal static class StoredSchema
{
    /// <summary>Checks a <c>$jsonSchema</c> against what the collection encrypts.</summary>
    /// <exception cref="QueryAnalysisException">It says something about values that are encrypted.</exception>
    public static void Check(in AnalysisScope scope, BsonReader schema) => Check(scope, schema, scope.Schema, "");

    private static void Check(in AnalysisScope scope, BsonReader schema, SchemaNode? node, string path)
    {
        if (node is not { HasEncryption: true }) return;
        var level = schema;
        while (schema.Read())
        {
            var keyword = schema.GetName();
            if (node is not PlainNode plain)
            {
                if (keyword is not ("encrypt" or "encryptMetadata" or "bsonType" or "type" or "title" or "description")) throw Refuse(scope, path, keyword);
                continue;
            }

            switch (keyword)
            {
                case "enum":
                    throw Refuse(scope, path, keyword);
                case "allOf" or "anyOf" or "oneOf" or "not" or "dependencies":
                    CheckAlternatives(scope, schema, plain, path);
                    break;
                case "properties":
                    CheckProperties(scope, schema, plain, path);
                    break;
                case "patternProperties":
                    CheckPatterns(scope, schema, plain, path);
                    break;
                case "additionalProperties" when schema.Type == BsonType.Document:
                    CheckAdditional(scope, schema, level, plain, path);
                    break;
            }
        }
    }

    // A schema, or several in an array or under names, that all speak of this level.
    private static void CheckAlternatives(in AnalysisScope scope, in BsonReader element, PlainNode node, string path)
    {
        if (element.Type is not (BsonType.Document or BsonType.Array)) return;
        if (element.Name.SequenceEqual("not"u8))
        {
            Check(scope, element.ReadDocument(), node, path);
            return;
        }

        var children = element.ReadDocument();
        while (children.Read())
        {
            if (children.Type == BsonType.Document) Check(scope, children.ReadDocument(), node, path);
        }
    }

    private static void CheckProperties(in AnalysisScope scope, in BsonReader element, PlainNode node, string path)
    {
        if (element.Type != BsonType.Document) return;
        var properties = element.ReadDocument();
        while (properties.Read())
        {
            if (properties.Type == BsonType.Document) Check(scope, properties.ReadDocument(), node.Find(properties.Name), Below(path, properties.GetName()));
        }
    }

    private static void CheckPatterns(in AnalysisScope scope, in BsonReader element, PlainNode node, string path)
    {
        if (element.Type != BsonType.Document) return;
        var patterns = element.ReadDocument();
        var count = 0;
        while (patterns.Read())
        {
            if (patterns.Type != BsonType.Document) continue;
            var pattern = ++count <= EncryptionSchemaParser.MaxPatterns ? NamePattern.Parse(patterns.GetName(), out _) : null;
            foreach (var (name, child) in node.Properties)
            {
                // A pattern that cannot be matched here is taken to match.
                if (!child.HasEncryption || (pattern is not null && pattern.TryMatch(name, out var isMatch) && !isMatch)) continue;
                Check(scope, patterns.ReadDocument(), child, Below(path, name));
            }
        }
    }

    private static void CheckAdditional(in AnalysisScope scope, in BsonReader element, BsonReader level, PlainNode node, string path)
    {
        var listed = new HashSet<string>(StringComparer.Ordinal);
        while (level.ReadTo("properties"u8))
        {
            if (level.Type != BsonType.Document) continue;
            var properties = level.ReadDocument();
            while (properties.Read()) listed.Add(properties.GetName());
        }

        foreach (var (name, child) in node.Properties)
        {
            if (child.HasEncryption && !listed.Contains(name)) Check(scope, element.ReadDocument(), child, Below(path, name));
        }
    }

    private static string Below(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static QueryAnalysisException Refuse(in AnalysisScope scope, string path, string keyword)
        => scope.Refuse(CsfleErrorCode.WouldLeakPlaintext,
            $"Comparison to encrypted fields not supported in collection validator: '{keyword}' says something about values that are encrypted",
            "At an encrypted path let the $jsonSchema of the validator have 'encrypt' or 'bsonType' alone.", Encoding.UTF8.GetBytes(path), "$jsonSchema");
}
