namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// Tests that the engine does not pass, each with what is missing or different. They are skipped with that reason;
/// <see cref="UnifiedSpecTests"/> runs them all the same and fails when one of them passes, so that none stays here
/// longer than it has to. There are none at present.
/// </summary>
internal static class KnownGaps
{
    private static readonly Dictionary<(string File, string Description), string> Gaps = [];

    /// <summary>What is missing, or null.</summary>
    public static string? Reason(SpecTest test) => Gaps.GetValueOrDefault((test.File, test.Description));
}
