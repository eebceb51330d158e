using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>
/// Adds the rules of one <c>$jsonSchema</c> to another, and keeps account. What is there already and says the same, in other
/// words perhaps, stays as it is written; what says otherwise gives way, and is a difference with both sides.
/// </summary>
internal sealed class RuleMerge
{
    private const string Type = "type";
    private const string Required = "required";
    private static readonly string[] EncryptFields = ["keyId", "algorithm", SchemaKeywords.BsonType];

    private readonly List<ValidatorDifference> _differences = [];
    private readonly bool _inherits;

    private RuleMerge(bool inherits) => _inherits = inherits;

    /// <summary>Adds rules to what is there.</summary>
    /// <param name="path">Where this is, for the differences.</param>
    /// <param name="existing">What is there; empty where nothing is.</param>
    /// <param name="rules">The rules; every <c>encrypt</c> in them is complete.</param>
    /// <param name="differences">What was added and what gave way; none where every rule was there.</param>
    public static RuleNode Merge(string path, RuleNode existing, RuleNode rules, out IReadOnlyList<ValidatorDifference> differences)
    {
        var merge = new RuleMerge(inherits: true);
        differences = merge._differences;
        return merge.MergeSchema(path, existing, rules, default);
    }

    /// <summary>The rules that a document does not have word for word; in it, too, every <c>encrypt</c> has to be complete.</summary>
    public static IReadOnlyList<ValidatorDifference> Missing(string path, RuleNode document, RuleNode rules)
    {
        var merge = new RuleMerge(inherits: false);
        merge.MergeSchema(path, document, rules, default);
        return merge._differences;
    }

    private RuleNode MergeSchema(string path, RuleNode existing, RuleNode rules, Inherited inherited)
    {
        if (!existing.IsDocument) return Replace(path, existing, rules);
        if (rules.Children.Count == 0) return existing;

        if (_inherits) inherited = inherited.Below(existing.Find(SchemaKeywords.EncryptMetadata));
        if (rules.Find(SchemaKeywords.Encrypt) is { } encrypt) return MergeEncrypt(path, existing, rules, encrypt, inherited);
        if (existing.Find(SchemaKeywords.Encrypt) is not null) return Replace(path, existing, rules);

        var merged = existing;
        foreach (var (keyword, rule) in rules.Children)
        {
            var at = $"{path}.{keyword}";
            merged = keyword switch
            {
                SchemaKeywords.Properties or SchemaKeywords.PatternProperties when rule.IsDocument
                    => merged.With(keyword, MergeNamed(at, merged.Find(keyword) ?? RuleNode.Empty, rule, inherited)),
                SchemaKeywords.AdditionalProperties when rule.IsDocument && merged.Find(keyword) is { IsDocument: true } there
                    => merged.With(keyword, MergeSchema(at, there, rule, inherited)),
                SchemaKeywords.BsonType => MergeType(at, merged, rule),
                Required when merged.Find(keyword) is { Type: BsonType.Array } there => merged.With(keyword, MergeNames(at, there, rule)),
                _ => merged.With(keyword, MergeValue(at, merged.Find(keyword), rule)),
            };
        }

        return merged;
    }

    private RuleNode MergeEncrypt(string path, RuleNode existing, RuleNode rules, RuleNode encrypt, Inherited inherited)
    {
        if (existing.Children.Count == 0) return Add(path, rules);
        if (existing.Find(SchemaKeywords.Encrypt) is not { IsDocument: true } there) return Replace(path, existing, rules);

        var count = _differences.Count;
        foreach (var field in EncryptFields)
        {
            var actual = there.Find(field) ?? inherited.Find(field);
            var wanted = encrypt.Find(field);
            if (SayTheSame(field, actual, wanted)) continue;
            _differences.Add(ValidatorDifference.Of($"{path}.{SchemaKeywords.Encrypt}.{field}", actual, wanted));
        }

        return _differences.Count == count ? existing : rules;
    }

    private RuleNode MergeNamed(string path, RuleNode existing, RuleNode rules, Inherited inherited)
    {
        if (!existing.IsDocument) return Replace(path, existing, rules);
        foreach (var (name, rule) in rules.Children)
        {
            var at = $"{path}.{name}";
            existing = existing.With(name, existing.Find(name) is { } there ? MergeSchema(at, there, rule, inherited) : Add(at, rule));
        }

        return existing;
    }

    private RuleNode MergeType(string path, RuleNode schema, RuleNode rule)
    {
        if (schema.Find(SchemaKeywords.BsonType) is not null || schema.Find(Type) is not { } type)
        {
            return schema.With(SchemaKeywords.BsonType, MergeValue(path, schema.Find(SchemaKeywords.BsonType), rule));
        }

        // Both keywords cannot stand side by side, and drivers want 'bsonType' where something is encrypted below.
        return schema.Without(Type).With(SchemaKeywords.BsonType, type.AsText == "object" && rule.AsText == "object" ? Add(path, rule) : Replace(path, type, rule));
    }

    private RuleNode MergeNames(string path, RuleNode existing, RuleNode rule)
    {
        var missing = rule.Children.Select(child => child.Node).Where(name => !existing.Children.Any(child => child.Node.IsSameAs(name))).ToList();
        if (missing.Count == 0) return existing;
        Add(path, RuleNode.Array(missing));
        return RuleNode.Array(existing.Children.Select(child => child.Node).Concat(missing));
    }

    private RuleNode MergeValue(string path, RuleNode? existing, RuleNode rule)
        => existing is null ? Add(path, rule)
            : SayTheSame(path[(path.LastIndexOf('.') + 1)..], existing, rule) ? existing
            : Replace(path, existing, rule);

    private RuleNode Add(string path, RuleNode rule)
    {
        _differences.Add(ValidatorDifference.Of(path, null, rule));
        return rule;
    }

    private RuleNode Replace(string path, RuleNode existing, RuleNode rule)
    {
        _differences.Add(ValidatorDifference.Of(path, existing, rule));
        return rule;
    }

    private static bool SayTheSame(string keyword, RuleNode? one, RuleNode? other)
    {
        if (one is null || other is null) return one is null && other is null;
        if (one.IsSameAs(other)) return true;
        return keyword == SchemaKeywords.BsonType && TypesOf(one).SetEquals(TypesOf(other));
    }

    // "int" says the same as [ "int" ].
    private static HashSet<string> TypesOf(RuleNode types)
        => [.. (types.Type == BsonType.Array ? types.Children.Select(child => child.Node) : [types]).Select(type => type.AsText ?? "")];

    /// <summary>What <c>encryptMetadata</c> above says for an <c>encrypt</c> that does not say it.</summary>
    private readonly record struct Inherited(RuleNode? KeyId, RuleNode? Algorithm)
    {
        public Inherited Below(RuleNode? metadata) => new(metadata?.Find("keyId") ?? KeyId, metadata?.Find("algorithm") ?? Algorithm);

        public RuleNode? Find(string field) => field switch
        {
            "keyId" => KeyId,
            "algorithm" => Algorithm,
            _ => null,
        };
    }
}
