using Medco.Csfle.Benchmarks.Tests;

namespace Medco.Csfle.Benchmarks.Driver.Tests;

public sealed class DriverBenchmarkTests
{
    [Fact]
    public void Benchmarks_beside_MongoDB_Driver_Encryption_run() => Assert.Equal(8, OneOperation.OfEach(new DriverEncryptionBenchmarks()));

    [Fact]
    public void Every_operation_is_measured_end_to_end_on_both_sides()
    {
        var figures = new Figures();
        using (var endToEnd = new EndToEnd()) endToEnd.Measure(figures, rounds: 1, operations: 1);

        Assert.All(EndToEndWork.All, operation => Assert.NotNull(figures.Ratio(operation, Contestant.Engine, Contestant.PlainDriver)));
    }

    [Fact]
    public void Cold_starts_of_both_kinds_insert_and_report()
    {
        var figures = new Figures();
        ColdStart.Measure(figures, DriverFigures.Program(), runs: 1);

        Assert.All(ColdStartWork.All, from => Assert.NotNull(figures.Ratio(from, Contestant.Engine, Contestant.PlainDriver)));
    }
}
