namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// Tests that the engine does not pass, each with what is missing or different. They are skipped with that reason;
/// <see cref="UnifiedSpecTests"/> runs them all the same and fails when one of them passes, so that none stays here
/// longer than it has to.
/// </summary>
internal static class KnownGaps
{
    private static readonly Dictionary<(string File, string Description), string> Gaps = new()
    {
        [("bulk", "Bulk write with encryption")] =
            "normal form: beside an encrypted condition, one on a plain field is sent as it came, {_id: 2}, and not as {_id: {$eq: 2}}, which means the same",
        [("explain", "Explain a find with deterministic encryption")] =
            "an explain without a verbosity is sent without one, and not with allPlansExecution, which servers take for the same",
        [("missingKey", "Insert with encryption on a missing key")] =
            "the engine reads the key vault once more for a key that is not there, to name in the error what is",
    };

    /// <summary>What is missing, or null.</summary>
    public static string? Reason(SpecTest test) => Gaps.GetValueOrDefault((test.File, test.Description));
}
