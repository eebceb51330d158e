using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>The rules of an encryption schema as a server enforces them.</summary>
/// <remarks>
/// With <c>encrypt</c> a server takes nothing but binary data of subtype 6 in a field (manual, "CSFLE Server-Side Schema
/// Enforcement"). That it also compares algorithm, key or original type is documented nowhere: nobody should rely on it.
/// </remarks>
public static class EncryptionRules
{
    /// <summary>The rules alone, to stand in a validator after <c>$jsonSchema</c>.</summary>
    /// <param name="namespace">The collection, <c>database.collection</c>, for messages.</param>
    /// <param name="schema">Its encryption schema.</param>
    /// <returns>
    /// One BSON document. Every <c>encrypt</c> in it is complete, so that none depends on an <c>encryptMetadata</c> above it, and
    /// what leads to no encrypted field is left out.
    /// </returns>
    /// <exception cref="EnforcementException"><see cref="CsfleErrorCode.NotEnforceable"/>: no validator can demand what the schema says.</exception>
    public static byte[] ToJsonSchema(string @namespace, EncryptionSchema schema)
    {
        ArgumentException.ThrowIfNullOrEmpty(@namespace);
        ArgumentNullException.ThrowIfNull(schema);
        return Describe(schema.Root).ToBson();
    }

    private static RuleNode Describe(SchemaNode node) => node switch
    {
        EncryptedNode encrypted => RuleNode.Document([(SchemaKeywords.Encrypt, Describe(encrypted))]),
        PlainNode { HasEncryption: true } plain => Describe(plain),
        _ => RuleNode.Empty,
    };

    private static RuleNode Describe(PlainNode level)
    {
        // A name that is listed, or matched, is not an additional one: where those are encrypted, the others have to be named.
        var additional = level.AdditionalProperties is { HasEncryption: true } node ? node : null;
        var keywords = new List<(string, RuleNode)> { (SchemaKeywords.BsonType, RuleNode.Text(BsonType.Document.Alias())) };
        Add(SchemaKeywords.Properties, level.Properties.Select(property => (property.Name, property.Node)));
        Add(SchemaKeywords.PatternProperties, level.PatternProperties.Select(pattern => (pattern.Pattern.Text, pattern.Node)));
        if (additional is not null) keywords.Add((SchemaKeywords.AdditionalProperties, Describe(additional)));
        return RuleNode.Document(keywords);

        void Add(string keyword, IEnumerable<(string Name, SchemaNode Node)> children)
        {
            var described = children.Where(child => child.Node.HasEncryption || additional is not null).Select(child => (child.Name, Describe(child.Node))).ToList();
            if (described.Count > 0) keywords.Add((keyword, RuleNode.Document(described)));
        }
    }

    private static RuleNode Describe(EncryptedNode encrypted)
    {
        var fields = new List<(string, RuleNode)>
        {
            ("keyId", encrypted.KeyPointer is { } pointer ? RuleNode.Text(pointer.Text) : RuleNode.Array([RuleNode.Uuid(encrypted.KeyId!.Value)])),
            ("algorithm", RuleNode.Text(encrypted.Algorithm == CsfleAlgorithm.Deterministic ? SchemaKeywords.Deterministic : SchemaKeywords.Random)),
        };
        if (!encrypted.Types.IsAny) fields.Add((SchemaKeywords.BsonType, DescribeTypes(encrypted.Types)));
        return RuleNode.Document(fields);
    }

    private static RuleNode DescribeTypes(BsonTypeSet types)
    {
        var aliases = types.Types.Select(type => RuleNode.Text(type.Alias())).ToList();
        return aliases.Count == 1 ? aliases[0] : RuleNode.Array(aliases);
    }
}
