namespace Medco.Csfle.Engine.Tests.Architecture;

/// <summary>The checker finds what it is there to find, each in the member that does it, and nothing else.</summary>
public class PurityCheckerTests
{
    private const string Fixtures = "Medco.Csfle.Engine.Tests.Architecture.Fixtures";

    [Theory]
    [InlineData("ReadsAFile", "System.IO.File.ReadAllText")]
    [InlineData("ReadsTheClock", "System.DateTime.get_UtcNow")]
    [InlineData("ReadsTheClockWithOffset", "System.DateTimeOffset.get_Now")]
    [InlineData("ReadsTheClockBehindASwitch", "System.DateTime.get_Today")]
    [InlineData("Measures", "System.Diagnostics.Stopwatch.GetTimestamp")]
    [InlineData("Waits", "System.Threading.Thread.Sleep")]
    [InlineData("StartsAProcess", "System.Diagnostics.Process.Start")]
    [InlineData("ReadsTheEnvironment", "System.Environment.GetEnvironmentVariable")]
    [InlineData("Prints", "System.Console.WriteLine")]
    [InlineData("TakesATimeProvider", "System.TimeProvider")]
    [InlineData("HidesItInALambda", "System.IO.File.Delete")]
    [InlineData("IsAsynchronous", "System.Threading.Tasks.Task.Yield")]
    [InlineData("IteratesOverFiles", "System.IO.File.Exists")]
    [InlineData("NamesItAsTypeArgument", "System.Net.Http.HttpClient")]
    [InlineData("CatchesIt", "System.IO.IOException")]
    [InlineData("LeansOnImpureNeighbours", Fixtures + ".Elsewhere.Neighbour")]
    [InlineData("CallsNativeCode", "native code")]
    [InlineData("Property", "System.IO.Stream")]
    [InlineData(".ctor", "System.IO.Stream")]
    public void What_is_impure_is_found_where_it_is(string member, string use)
    {
        var violations = Check("Impure");

        Assert.Contains(violations, violation => violation.Where.Contains(member, StringComparison.Ordinal) && violation.What == use);
        Assert.All(violations, violation => Assert.StartsWith(Fixtures + ".Impure.Sample", violation.Where, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_pure_is_left_alone() => Assert.Empty(Check("Pure"));

    [Fact]
    public void A_namespace_that_merely_begins_alike_is_not_looked_at() => Assert.Empty(Check("Impur"));

    private static IReadOnlyCollection<PurityViolation> Check(string @namespace)
        => PurityChecker.Check(
            typeof(PurityCheckerTests).Assembly.Location,
            [$"{Fixtures}.{@namespace}"],
            type => type == Fixtures + ".Elsewhere.AllowedNeighbour",
            out _);
}
