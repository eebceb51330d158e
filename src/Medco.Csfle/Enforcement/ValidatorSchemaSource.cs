namespace Medco.Csfle;

/// <summary>
/// Writes the <c>$jsonSchema</c> that the server is to enforce for a collection: the encryption rules alone, or everything that a
/// class says about its documents with the encryption rules woven in.
/// </summary>
/// <remarks>Implementations are called from several threads, and do no I/O.</remarks>
public abstract class ValidatorSchemaSource
{
    /// <summary>The encryption rules alone: encrypted fields must be ciphertext, everything else may be anything.</summary>
    public static ValidatorSchemaSource EncryptionRules { get; } = new EncryptionRulesSource();

    /// <summary>Writes the <c>$jsonSchema</c> of a collection.</summary>
    /// <param name="context">The collection.</param>
    /// <returns>
    /// What stands in the validator after <c>$jsonSchema</c>: one BSON document that has every rule of
    /// <see cref="ValidatorSchemaContext.EncryptionRules"/>. A document that lacks one is refused before the server is asked.
    /// </returns>
    public abstract byte[] BuildJsonSchema(ValidatorSchemaContext context);

    private sealed class EncryptionRulesSource : ValidatorSchemaSource
    {
        public override byte[] BuildJsonSchema(ValidatorSchemaContext context)
        {
            ArgumentNullException.ThrowIfNull(context);
            return context.EncryptionRules.ToArray();
        }
    }
}
