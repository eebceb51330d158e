namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>
/// What becomes of the <c>$jsonSchema</c> that a collection's validator has already. Other expressions of the validator, such as
/// <c>{ status: { $in: [ … ] } }</c>, always stay as they are.
/// </summary>
public enum ExistingRules
{
    /// <summary>
    /// Rules are only added. Where what is there says otherwise about the same path (another key, another type, no encryption),
    /// that is a conflict: nothing is changed, and the plan shows both.
    /// </summary>
    Keep,

    /// <summary>What is there and contradicts is replaced; everything else stays.</summary>
    Override,

    /// <summary>The <c>$jsonSchema</c> is replaced as a whole: what is there and is not wanted goes.</summary>
    Discard,
}
