namespace Medco.Csfle;

/// <summary>How strictly the documents of a collection have to look like objects of its class.</summary>
public sealed class ClassSchemaOptions
{
    /// <summary>
    /// Whether documents may have elements that the class does not have; true where nothing is said, so that documents of an
    /// older or newer version of the class can still be written. False refuses them (<c>additionalProperties: false</c>), in the
    /// document and in every document embedded in it; <c>_id</c>, the driver's discriminator, and what a class with
    /// <c>[BsonExtraElements]</c> takes stay allowed.
    /// </summary>
    public bool AllowOtherElements { get; set; } = true;

    /// <summary>
    /// Whether members that cannot be null, value types and non-nullable reference types, are required too. False where nothing is
    /// said: then <c>[Required]</c> and <c>[BsonRequired]</c> alone require an element, and a reference may be null whatever its
    /// type promises, because older documents may lack a member, and an update of such a document would be refused.
    /// </summary>
    public bool RequireNonNullable { get; set; }

    /// <summary>
    /// Is called with each constraint of a class that the server does not enforce, once for each collection. They are logged as
    /// well.
    /// </summary>
    public Action<UnenforcedConstraint>? ReportUnenforced { get; set; }
}
