namespace Medco.Csfle.Mutation;

internal enum Verdict
{
    Killed,
    Survived,
    Error,
}

/// <summary>What became of a mutant.</summary>
/// <param name="Detail">The test that failed, or why there is no verdict.</param>
internal sealed record Outcome(Mutant Mutant, Verdict Verdict, string Detail);
