using FsCheck;
using Microsoft.FSharp.Core;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>Properties whose seed is told, whether they hold or not: <c>CSFLE_FUZZ_SEED</c> repeats it.</summary>
internal static class Seeded
{
    /// <summary>So many tests of a property, and an exception where one fails.</summary>
    public static Config Config(ITestOutputHelper output, int tests)
    {
        var seed = FuzzSettings.Seed();
        output.WriteLine($"seed {seed}");
        return FsCheck.Config.QuickThrowOnFailure.WithMaxTest(tests)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd((ulong)seed), FSharpOption<int>.None)));
    }
}
