using System.Globalization;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>How long to fuzz, and where to begin: <c>CSFLE_FUZZ</c> and <c>CSFLE_FUZZ_SEED</c>.</summary>
internal static class FuzzSettings
{
    /// <summary>How many inputs each target gets: as many as <c>CSFLE_FUZZ</c> says, and a few without it.</summary>
    public static int Count(int inSuite) => Read("CSFLE_FUZZ") ?? inSuite;

    /// <summary>The seed that <c>CSFLE_FUZZ_SEED</c> repeats, or another one every time.</summary>
    public static int Seed() => Read("CSFLE_FUZZ_SEED") ?? Random.Shared.Next();

    private static int? Read(string name)
        => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
