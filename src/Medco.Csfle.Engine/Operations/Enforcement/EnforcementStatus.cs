namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>How the validator of a collection stands to the one that is wanted, and so what applying does.</summary>
public enum EnforcementStatus
{
    /// <summary>Every rule is there, and documents that break one are refused. Applying does nothing.</summary>
    Enforced,

    /// <summary>There is no such collection. Applying creates it with the validator.</summary>
    CollectionMissing,

    /// <summary>Rules are missing or differ, or the validator does not refuse. Applying changes it.</summary>
    NotEnforced,

    /// <summary>It may not be changed as wanted; see <see cref="CollectionEnforcement.Conflicts"/>. Applying fails.</summary>
    Conflict,
}
