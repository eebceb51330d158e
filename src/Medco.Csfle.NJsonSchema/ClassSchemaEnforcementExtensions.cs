using Medco.Csfle.ClassSchemas;

namespace Medco.Csfle;

/// <summary>Validators that check whole documents, on top of what <c>EnforceOnServer</c> does.</summary>
public static class ClassSchemaEnforcementExtensions
{
    /// <summary>
    /// Lets the server check against the whole class: types, required members, lengths, ranges, patterns and enumerations, as the
    /// class's attributes say them and the driver stores them, with the encryption rules woven in.
    /// </summary>
    /// <remarks>
    /// What the driver writes for a valid object is accepted; what cannot be said in a validator is left out and reported. Bounds
    /// hold as they are written: with <c>[Range(0, 150)]</c> on a <see cref="double"/> the server refuses 150.4, which .NET rounds
    /// before it looks. Objects of derived classes that nobody named (<c>[BsonKnownTypes]</c>, or at registration) are checked as
    /// objects of the class they derive from. A collection that was registered with a schema instead of a class gets the
    /// encryption rules alone.
    /// <para>
    /// When a class changes, the validator follows as <see cref="CollectionEnforcementOptions.ExistingRules"/> says. Kept rules stay:
    /// a bound that changes is a conflict, and what the class does not require any more is still required. Where nobody else writes
    /// rules for the collection, <see cref="Engine.Operations.Enforcement.ExistingRules.Discard"/> lets the validator follow the class.
    /// </para>
    /// </remarks>
    /// <typeparam name="TOptions">What holds for all collections, or for one.</typeparam>
    /// <param name="options">The options of <c>EnforceOnServer</c>, or those of one collection in <c>For</c>.</param>
    /// <param name="configure">Changes how strict the validator is; null leaves it as <see cref="ClassSchemaOptions"/> says.</param>
    /// <returns>The same options.</returns>
    public static TOptions UseClassSchema<TOptions>(this TOptions options, Action<ClassSchemaOptions>? configure = null)
        where TOptions : CollectionEnforcementOptions
    {
        ArgumentNullException.ThrowIfNull(options);
        var schema = new ClassSchemaOptions();
        configure?.Invoke(schema);
        options.SchemaSource = new ClassSchemaSource(schema);
        return options;
    }
}
