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
    /// <returns>One BSON document.</returns>
    /// <exception cref="EnforcementException"><see cref="CsfleErrorCode.NotEnforceable"/>: no validator can demand what the schema says.</exception>
    public static byte[] ToJsonSchema(string @namespace, EncryptionSchema schema)
    {
        ArgumentException.ThrowIfNullOrEmpty(@namespace);
        ArgumentNullException.ThrowIfNull(schema);
        return schema.ToBson();
    }
}
