using Medco.Csfle.TestServer.Validation;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>What <c>create</c> and <c>collMod</c> were told about a collection.</summary>
internal sealed class CollectionOptions
{
    public static CollectionOptions None { get; } = new(null, null, null);

    /// <summary>Reads the validator, if there is one.</summary>
    /// <exception cref="ServerException">The validator is none, or level or action is unknown.</exception>
    public CollectionOptions(Document? validator, string? level, string? action)
    {
        if (level is not (null or "off" or "moderate" or "strict"))
        {
            throw ServerException.BadValue($"Enumeration value '{level}' for field 'validationLevel' is not a valid value.");
        }

        if (action is not (null or "warn" or "error"))
        {
            throw ServerException.BadValue($"Enumeration value '{action}' for field 'validationAction' is not a valid value.");
        }

        // Read even where it is not enforced, so that a validator that is none is found here and not when it is switched on.
        var parsed = validator is null ? null : new CollectionValidator(validator);
        Validator = validator;
        Level = level;
        Action = action;
        Enforced = level == "off" || action == "warn" ? null : parsed;

        var shown = new List<Element>();
        if (validator is not null)
        {
            shown.Add(new Element("validator", new Value(validator)));
            level ??= "strict";
            action ??= "error";
        }

        if (level is not null) shown.Add(new Element("validationLevel", Value.FromText(level)));
        if (action is not null) shown.Add(new Element("validationAction", Value.FromText(action)));
        Shown = new Document(shown);
    }

    public Document? Validator { get; }

    public string? Level { get; }

    public string? Action { get; }

    /// <summary>The validator that refuses documents; null where there is none, or where it is off or only warns.</summary>
    public CollectionValidator? Enforced { get; }

    /// <summary>
    /// The validator for the update of a document: with level <c>moderate</c>, one that is not valid already may stay so.
    /// </summary>
    public CollectionValidator? EnforcedOnUpdate(Document old) => Level == "moderate" && Enforced?.Check(old) is not null ? null : Enforced;

    /// <summary>The options as <c>listCollections</c> shows them.</summary>
    public Document Shown { get; }

    /// <summary>Whether two collections were created alike.</summary>
    public bool IsSameAs(CollectionOptions other) => Shown.Bytes.Span.SequenceEqual(other.Shown.Bytes.Span);
}
