namespace Medco.Csfle.Engine.Operations.Enforcement;

/// <summary>
/// How collections stand to the validators that are wanted for them: a report, and what <see cref="ServerEnforcement.Apply"/>
/// carries out.
/// </summary>
public sealed class EnforcementPlan
{
    internal EnforcementPlan(IReadOnlyList<CollectionEnforcement> collections) => Collections = collections;

    /// <summary>Every collection that was asked about, in the order of the question.</summary>
    public IReadOnlyList<CollectionEnforcement> Collections { get; }

    /// <summary>Whether the server enforces everything.</summary>
    public bool IsEnforced => Collections.All(collection => collection.Status == EnforcementStatus.Enforced);

    /// <summary>Whether a collection may not be changed as wanted.</summary>
    public bool HasConflicts => Collections.Any(collection => collection.Status == EnforcementStatus.Conflict);

    /// <summary>All collections with what is there (<c>-</c>) and what is wanted (<c>+</c>), to be read by people.</summary>
    public string Describe() => string.Join(Environment.NewLine, Collections.Select(collection => collection.Describe()));

    /// <inheritdoc/>
    public override string ToString() => Describe();

    /// <summary>Goes on only where the server enforces everything.</summary>
    /// <exception cref="EnforcementException"><see cref="CsfleErrorCode.NotEnforced"/>, with the differences of all collections.</exception>
    public void ThrowIfNotEnforced()
    {
        var lacking = Collections.Where(collection => collection.Status != EnforcementStatus.Enforced).ToList();
        if (lacking.Count == 0) return;
        throw new EnforcementException(CsfleErrorCode.NotEnforced, Describe("the server does not enforce encryption, so that plaintext could be stored by whoever writes without it", lacking),
            "Apply the validators, after reading the differences, or find out who changed them.", lacking[0].Namespace);
    }

    internal void ThrowIfConflicting()
    {
        var conflicting = Collections.Where(collection => collection.Status == EnforcementStatus.Conflict).ToList();
        if (conflicting.Count == 0) return;
        throw new EnforcementException(CsfleErrorCode.EnforcementConflict, Describe("validators may not be changed as wanted, and none was", conflicting),
            "Correct them by hand, or allow it with ExistingRules.Override or ExistingRules.Discard after reading the differences.", conflicting[0].Namespace);
    }

    private static string Describe(string what, List<CollectionEnforcement> collections)
        => $"{what}:{string.Concat(collections.Select(collection => $"{Environment.NewLine}  {collection.Describe()}"))}{Environment.NewLine}";
}
