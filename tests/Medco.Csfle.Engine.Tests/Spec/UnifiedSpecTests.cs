using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// The official end-to-end tests of the MongoDB driver specifications, run against the engine and the in-process server: the
/// commands as sent, the data that was stored, results and the texts of errors. Some of them are about time limits, so nothing
/// else runs beside them.
/// </summary>
[Collection(nameof(UnifiedSpecTests))]
[CollectionDefinition(nameof(UnifiedSpecTests), DisableParallelization = true)]
public sealed class UnifiedSpecTests(ITestOutputHelper output)
{
    public static TheoryData<string, string> Tests()
    {
        var rows = new TheoryData<string, string>();
        foreach (var test in SpecSuite.Tests) rows.Add(test.File, test.Description);
        return rows;
    }

    [SpecTheory]
    [MemberData(nameof(Tests))]
    public Task The_official_test_passes(string file, string test) => SpecRun.RunAsync(SpecSuite.Find(file, test));

    [SpecFact]
    public async Task Every_test_of_every_file_is_accounted_for_and_no_known_gap_has_closed()
    {
        var closed = new List<string>();
        var failed = new List<string>();
        foreach (var file in SpecSuite.Tests.GroupBy(test => test.File))
        {
            var passed = 0;
            var failures = 0;
            var skipped = new List<string>();
            foreach (var test in file)
            {
                var gap = KnownGaps.Reason(test);
                var reason = SpecSkips.Reason(test);
                if (reason is not null && reason != gap)
                {
                    skipped.Add(reason);
                    continue;
                }

                var failure = await FailureOf(test);
                if (gap is not null)
                {
                    skipped.Add(gap);
                    if (failure is null) closed.Add(test.ToString());
                }
                else if (failure is null)
                {
                    passed++;
                }
                else
                {
                    failures++;
                    failed.Add($"{test}: {failure}");
                }
            }

            output.WriteLine($"{file.Key}: {passed} passed, {failures} failed, {skipped.Count} skipped");
            foreach (var reason in skipped.CountBy(reason => reason)) output.WriteLine($"    skipped {reason.Value}: {reason.Key}");
        }

        Assert.True(closed.Count == 0, $"These pass and are no gaps any longer: {string.Join("; ", closed)}");
        Assert.True(failed.Count == 0, string.Join(Environment.NewLine, failed));
    }

    private static async Task<string?> FailureOf(SpecTest test)
    {
        try
        {
            await SpecRun.RunAsync(test);
            return null;
        }
        catch (Exception e)
        {
            return e is SpecFailure ? e.Message : e.ToString();
        }
    }
}
