using Medco.Csfle.Peers;

namespace Medco.Csfle.Benchmarks.Tests;

public sealed class BenchmarkTests
{
    private static readonly string[] Missing = LibMongoCrypt.MissingReason is null ? [] : [Contestant.LibMongoCrypt];

    [Fact]
    public void Benchmarks_of_patients_run() => Assert.True(OneOperation.OfEach(new PatientBenchmarks(), Missing) >= 6);

    [Fact]
    public void Benchmarks_of_replies_run() => Assert.True(OneOperation.OfEach(new ReplyBenchmarks(), Missing) >= 4);

    [Fact]
    public void Bytes_without_anything_encrypted_are_not_copied() => Assert.Equal(2, OneOperation.OfEach(new NothingEncryptedBenchmarks()));

    [Theory]
    [InlineData(AnalysisInput.Insert10KB)]
    [InlineData(AnalysisInput.Pipeline30Stages)]
    [InlineData(AnalysisInput.Schema300Fields)]
    [InlineData(AnalysisInput.Document16MB)]
    public void Benchmarks_of_analysis_run(AnalysisInput input) => Assert.Equal(1, OneOperation.OfEach(new AnalysisBenchmarks { Input = input, Quarters = 1 }));

    [Fact]
    public void Allocations_and_throughput_are_measured_and_the_page_says_which_goals_are_met_missed_and_not_measured()
    {
        var figures = new Figures();
        Allocations.Measure(figures);
        Throughput.Measure(figures, rounds: 1, TimeSpan.FromMilliseconds(5));
        figures.Add(Work.Insert, Contestant.Floor, 1000);
        figures.Add(Work.Insert, Contestant.Engine, 1199);
        figures.Add(Work.Find, Contestant.Floor, 1000);
        figures.Add(Work.Find, Contestant.Engine, 1401);
        var page = new PerformancePage(figures, driver: null).Write();

        Assert.Contains($"| {Work.Insert}: 1.2 x floor | 1.20 x | met |", page, StringComparison.Ordinal);
        Assert.Contains($"| {Work.Find}: 1.4 x floor | 1.40 x | **missed** |", page, StringComparison.Ordinal);
        Assert.Contains($"| {Work.Reply}: 1.2 x floor | – | not measured |", page, StringComparison.Ordinal);
        Assert.Contains("| encrypted command, 64 fields |", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Contestants_are_measured_in_turn_with_what_they_allocate()
    {
        var figures = new Figures();
        Interleaved.Measure(figures, TimeSpan.Zero, TimeSpan.FromMilliseconds(1), (new NothingEncryptedBenchmarks(), null));

        Assert.InRange(figures.Find(Work.PlainReply, Contestant.Engine)!.Median, 1, double.MaxValue);
        Assert.NotNull(figures.Find(Work.PlainInsert, Contestant.Engine)!.Allocated);
    }

    [Fact]
    public void Figures_come_back_from_their_file()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var figures = new Figures { Versions = ["a version"] };
            figures.Add(Work.Insert, Contestant.Engine, 12.5, 64);
            figures.Save(file);
            var loaded = Figures.Load(file);
            Assert.Equal(figures.All, loaded.All);
            Assert.Equal(figures.Versions, loaded.Versions);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(new double[] { 3, 1, 2 }, 2)]
    [InlineData(new double[] { 4, 1, 2, 3 }, 2.5)]
    public void The_median_is_that_of_sorted_values(double[] values, double median) => Assert.Equal(median, Figures.MedianOf(values));
}
