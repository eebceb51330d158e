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
        return Describe(new Place(@namespace, ""), schema.Root).ToBson();
    }

    private static RuleNode Describe(Place place, SchemaNode node) => node switch
    {
        EncryptedNode { AllowsNull: true } nullable => DescribeNullable(place, nullable),
        EncryptedNode encrypted => RuleNode.Document([(SchemaKeywords.Encrypt, Describe(encrypted))]),
        PlainNode { HasEncryption: true } plain => DescribeLevel(place, plain),
        _ => RuleNode.Empty,
    };

    private static RuleNode DescribeLevel(Place place, PlainNode level)
    {
        if (level.Nulls == NullPolicy.StoreInClear)
        {
            throw place.NotEnforceable(level.Member, "null is to be stored in the place of a document with encrypted fields, but a validator that drivers can read allows documents there and nothing else",
                "Use NullPolicy.Omit there, for the member or for the class, so that null is left out.");
        }

        // A name that is listed, or matched, is not an additional one: where those are encrypted, the others have to be named.
        var additional = level.AdditionalProperties is { HasEncryption: true } node ? node : null;
        var keywords = new List<(string, RuleNode)> { (SchemaKeywords.BsonType, RuleNode.Text(BsonType.Document.Alias())) };
        Add(SchemaKeywords.Properties, level.Properties.Select(property => (property.Name, property.Node)));
        Add(SchemaKeywords.PatternProperties, level.PatternProperties.Select(pattern => (pattern.Pattern.Text, pattern.Node)));
        if (additional is not null) keywords.Add((SchemaKeywords.AdditionalProperties, Describe(place.Below("*"), additional)));
        return RuleNode.Document(keywords);

        void Add(string keyword, IEnumerable<(string Name, SchemaNode Node)> children)
        {
            var described = children
                .Where(child => child.Node.HasEncryption || additional is not null)
                .Select(child => (child.Name, Describe(place.Below(child.Name), child.Node)))
                .ToList();
            if (described.Count > 0) keywords.Add((keyword, RuleNode.Document(described)));
        }
    }

    // 'encrypt' forbids null, and drivers refuse one that stands beside an alternative. What is left is the type, which tells
    // ciphertext from every plaintext but binary data: there it would let plaintext pass, and clients that take their schema
    // from the validator would send it.
    private static RuleNode DescribeNullable(Place place, EncryptedNode encrypted)
    {
        if (encrypted.Types.Contains(BsonType.Binary))
        {
            throw place.NotEnforceable(encrypted.Member, "null is to be stored in clear, and everything else encrypted, but a field that may hold binary data has no rule that tells its plaintext from its ciphertext",
                "Use NullPolicy.Omit or NullPolicy.Reject for it, or name types other than binary data.");
        }

        return RuleNode.Document(
        [
            (SchemaKeywords.BsonType, RuleNode.Array([RuleNode.Text(BsonType.Binary.Alias()), RuleNode.Text(BsonType.Null.Alias())])),
            ("description", RuleNode.Text(NullableCiphertext.Description)),
        ]);
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

    /// <summary>A place in the documents of a collection, for messages.</summary>
    private readonly record struct Place(string Namespace, string Path)
    {
        public Place Below(string name) => this with { Path = Path.Length == 0 ? name : $"{Path}.{name}" };

        public EnforcementException NotEnforceable(string? member, string problem, string remedy) => new(
            CsfleErrorCode.NotEnforceable,
            $"the server cannot enforce '{Path}' of '{Namespace}'{(member is null ? "" : $" ({member})")}: {problem}",
            remedy,
            Namespace);
    }
}
