using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>A collection and the <c>$jsonSchema</c> that its validator is to have.</summary>
public sealed class WantedValidator
{
    internal const string Keyword = "$jsonSchema";

    private readonly RuleNode _rules;

    /// <summary>The encryption rules alone.</summary>
    /// <param name="namespace"><c>database.collection</c>.</param>
    /// <param name="schema">The encryption schema of the collection.</param>
    /// <param name="existingRules">What becomes of a <c>$jsonSchema</c> that is there already.</param>
    /// <exception cref="NamespaceException">The namespace is none that MongoDB would take.</exception>
    /// <exception cref="EnforcementException"><see cref="CsfleErrorCode.NotEnforceable"/>: no validator can demand what the schema says.</exception>
    public WantedValidator(string @namespace, EncryptionSchema schema, ExistingRules existingRules = ExistingRules.Keep)
        : this(@namespace, EncryptionRules.ToJsonSchema(@namespace, schema), existingRules, isChecked: true)
    {
    }

    /// <summary>A <c>$jsonSchema</c> with the encryption rules in it.</summary>
    /// <param name="namespace"><c>database.collection</c>.</param>
    /// <param name="schema">The encryption schema of the collection.</param>
    /// <param name="jsonSchema">What is to stand after <c>$jsonSchema</c>: one BSON document.</param>
    /// <param name="existingRules">What becomes of a <c>$jsonSchema</c> that is there already.</param>
    /// <exception cref="NamespaceException">The namespace is none that MongoDB would take.</exception>
    /// <exception cref="EnforcementException">
    /// <see cref="CsfleErrorCode.NotEnforceable"/>: it lacks encryption rules, or is no JSON schema as MongoDB has it.
    /// </exception>
    public WantedValidator(string @namespace, EncryptionSchema schema, ReadOnlySpan<byte> jsonSchema, ExistingRules existingRules = ExistingRules.Keep)
        : this(@namespace, jsonSchema, existingRules, isChecked: false)
        => RequireRules(EncryptionRules.ToJsonSchema(@namespace, schema));

    private WantedValidator(string @namespace, ReadOnlySpan<byte> jsonSchema, ExistingRules existingRules, bool isChecked)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        Address = MongoNamespace.Parse(@namespace, "Write 'database.collection'.");
        ExistingRules = existingRules;
        if (!isChecked) RequireValid(jsonSchema);
        _rules = RuleNode.Read(jsonSchema);
    }

    /// <summary><c>database.collection</c>.</summary>
    public string Namespace => Address.ToString();

    /// <summary>What becomes of a <c>$jsonSchema</c> that is there already.</summary>
    public ExistingRules ExistingRules { get; }

    internal MongoNamespace Address { get; }

    /// <summary>The <c>$jsonSchema</c>, one BSON document.</summary>
    public byte[] ToBson() => _rules.ToBson();

    /// <summary>The <c>$jsonSchema</c> of the validator when what is there has been dealt with.</summary>
    /// <param name="existing">The one that is there; null where none is.</param>
    /// <param name="differences">What is added, changed and removed by that.</param>
    internal RuleNode Target(RuleNode? existing, out IReadOnlyList<ValidatorDifference> differences)
    {
        if (ExistingRules != ExistingRules.Discard || existing is null) return RuleMerge.Merge(Keyword, existing ?? RuleNode.Empty, _rules, out differences);
        differences = [.. RuleComparison.Compare(Keyword, existing, _rules)];
        return differences.Count == 0 ? existing : _rules;
    }

    private void RequireValid(ReadOnlySpan<byte> jsonSchema)
    {
        try
        {
            EncryptionSchema.Parse(jsonSchema, EncryptionSchemaOrigin.Server);
        }
        catch (Exception exception) when (exception is EncryptionSchemaException or BsonFormatException)
        {
            throw NotEnforceable($"the $jsonSchema that was written for '{Namespace}' is none that MongoDB and its drivers take: {exception.Message}", exception);
        }
    }

    private void RequireRules(byte[] encryptionRules)
    {
        var missing = RuleMerge.Missing(Keyword, _rules, RuleNode.Read(encryptionRules));
        if (missing.Count == 0) return;
        throw NotEnforceable($"the $jsonSchema that was written for '{Namespace}' lacks encryption rules, at {string.Join(", ", missing.Select(difference => $"'{difference.Path}'"))}", null);
    }

    private EnforcementException NotEnforceable(string what, Exception? inner)
        => new(CsfleErrorCode.NotEnforceable, what, "Correct the ValidatorSchemaSource that wrote it, or enforce the encryption rules alone.", Namespace, inner);
}
