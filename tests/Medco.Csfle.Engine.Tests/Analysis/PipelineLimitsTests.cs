using System.Diagnostics;
using System.Text;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>Pipelines that are made to cost much.</summary>
public sealed class PipelineLimitsTests(ITestOutputHelper output)
{
    private static readonly SchemaMap Schemas = new([new("db.coll", EncryptionSchema.Parse(
        EngineFixture.PatientSchema.Replace("KEY", Guid.Empty.ToString(), StringComparison.Ordinal)))]);

    [Fact]
    public void More_stages_than_a_server_takes_are_refused()
    {
        Analyze(Repeat(1000, _ => """{"$limit": 1}"""));
        Assert.Contains("more than 1000 stages", Refuse(Repeat(1001, _ => """{"$limit": 1}""")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_stages_of_joined_pipelines_count()
        => Assert.Contains("more than 1000 stages", Refuse(Repeat(10, i =>
            $$$"""{"$lookup": {"from": "coll", "as": "a{{{i}}}", "pipeline": [{{{Repeat(100, _ => """{"$limit": 1}""")}}}]}}""")), StringComparison.Ordinal);

    [Fact]
    public void Encrypted_fields_can_be_moved_a_thousand_times()
        => Assert.Contains("more than 1000 times", Refuse($$$"""{"$addFields": { {{{Repeat(1001, i => $"\"f{i}\": \"$ssn\"")}}} }}"""), StringComparison.Ordinal);

    [Fact]
    public void Plain_fields_can_be_moved_without_end()
        => Analyze($$$"""{"$addFields": { {{{Repeat(50_000, i => $"\"f{i}\": \"$name\"")}}} }}""");

    [Fact]
    public void A_document_nested_into_itself_by_every_stage_costs_no_more_than_the_stages()
    {
        var started = Stopwatch.GetTimestamp();
        Analyze(Repeat(300, _ => """{"$replaceRoot": {"newRoot": {"a": "$$ROOT", "b": "$$ROOT"}}}""") + """, {"$redact": "$$KEEP"}, {"$project": {"a.b.a": 0}}""");
        var elapsed = Stopwatch.GetElapsedTime(started);
        output.WriteLine($"300 stages: {elapsed.TotalMilliseconds:F0} ms");
        Assert.True(elapsed < TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Time_grows_with_the_length_of_a_pipeline_and_not_with_its_square()
    {
        var nested = string.Concat(Enumerable.Repeat("""{"$cond": ["$a", {"$eq": [1, """, 40)) + "\"$ssn\"" + string.Concat(Enumerable.Repeat("]}, 0]}", 40));
        var started = Stopwatch.GetTimestamp();
        Analyze($$$"""{"$project": { {{{Repeat(500, i => $"\"f{i}\": {nested}")}}} }}""");
        var elapsed = Stopwatch.GetElapsedTime(started);
        output.WriteLine($"500 expressions, 120 levels deep: {elapsed.TotalMilliseconds:F0} ms");
        Assert.True(elapsed < TimeSpan.FromSeconds(5));
    }

    private static string Repeat(int count, Func<int, string> element) => string.Join(", ", Enumerable.Range(0, count).Select(element));

    private static byte[] Command(string stages)
        => ExtendedJson.ToBson(Encoding.UTF8.GetBytes($$$"""{"aggregate": "coll", "pipeline": [{{{stages}}}], "cursor": {}}"""));

    private static void Analyze(string stages)
        => new CommandAnalyzer(new UnencryptedNamespaces([])).Analyze("db", Command(stages), Schemas);

    private static string Refuse(string stages) => Assert.Throws<QueryAnalysisException>(() => Analyze(stages)).Message;
}
