using System.Collections.Concurrent;

namespace Medco.Csfle.ClassSchemas;

/// <summary>Writes the validator's schema from the class that a collection is registered with.</summary>
internal sealed class ClassSchemaSource(ClassSchemaOptions options) : ValidatorSchemaSource
{
    private readonly ConcurrentDictionary<string, bool> _reported = new(StringComparer.Ordinal);

    public override byte[] BuildJsonSchema(ValidatorSchemaContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Type is not { } type) return context.EncryptionRules.ToArray();
        var schema = ClassSchema.Build(context, type, options);
        // A schema is built for every plan, and people want to read this once.
        if (_reported.TryAdd(context.Namespace, true)) Report(context, schema);
        return schema.Bson;
    }

    private void Report(ValidatorSchemaContext context, ClassSchema schema)
    {
        foreach (var constraint in schema.Unenforced)
        {
            context.Logger.ConstraintNotEnforced(constraint.Namespace, constraint.Path, constraint.Constraint, constraint.Reason);
            options.ReportUnenforced?.Invoke(constraint);
        }
    }
}
