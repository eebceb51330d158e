using Medco.Csfle.Engine.Analysis.Expressions;
using Medco.Csfle.Engine.Analysis.Match;
using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Analysis.Update;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Analysis;

public sealed class AnalysisCaseTests(ITestOutputHelper output)
{
    private static readonly IReadOnlyList<AnalysisCase> Cases = AnalysisCase.LoadAll();

    public static TheoryData<int, string> Numbered
    {
        get
        {
            var data = new TheoryData<int, string>();
            for (var i = 0; i < Cases.Count; i++) data.Add(i, Cases[i].ToString());
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Numbered))]
    public void Every_case_gives_what_it_expects(int index, string name)
    {
        Assert.Equal(name, Cases[index].ToString());
        var @case = Cases[index];
        var command = ExtendedJson.ToBson(@case.Command);

        if (@case.Expect.StartsWith("error ", StringComparison.Ordinal))
        {
            var parts = @case.Expect.Split(' ', 3);
            var exception = Assert.ThrowsAny<CsfleException>(() => @case.Analyze(command));
            Assert.Equal(parts[1], exception.Code);
            Assert.Contains(parts[2], exception.Message, StringComparison.OrdinalIgnoreCase);
            return;
        }

        var plan = @case.Analyze(command);
        if (@case.Expect == "unchanged")
        {
            Assert.False(plan.HasPlaceholders);
            return;
        }

        var expected = ExtendedJson.ToJson(ExtendedJson.ToBson(@case.Expect), ExtendedJsonMode.Canonical);
        Assert.Equal(expected, ExtendedJson.ToJson(MarkedCommand.Render(plan), ExtendedJsonMode.Canonical));
    }

    [Fact]
    public void Every_update_operator_of_the_table_has_cases()
        => Assert.All(UpdateOperators.All.Keys, name => Assert.True(
            Cases.Count(@case => @case.File == "update.case" && @case.Command.Contains($"\"{name}\"", StringComparison.Ordinal)) > 10, name));

    [Theory]
    [InlineData("unchanged")]
    [InlineData("error")]
    public void Every_stage_of_the_table_has_cases(string expected)
        => Assert.All(PipelineStages.All.Keys, name => Assert.Contains(Cases, @case => @case.Expect.StartsWith(expected, StringComparison.Ordinal)
            && @case.Command.Contains($"\"{name}\"", StringComparison.Ordinal)));

    [Fact]
    public void Every_expression_operator_of_the_table_has_cases()
        => Assert.All(ExpressionOperators.All.Keys, name => Assert.Contains(Cases, @case => @case.Command.Contains($"\"{name}\"", StringComparison.Ordinal)));

    [Fact]
    public void Every_accumulator_of_the_table_has_cases_on_plain_and_on_encrypted_fields()
        => Assert.All(Accumulators.All.Keys, name => Assert.True(
            Cases.Count(@case => @case.File == "pipeline-group.case" && @case.Command.Contains($"{{\"{name}\"", StringComparison.Ordinal)) > 1, name));

    [Fact]
    public void Every_query_operator_of_the_table_has_a_case_at_a_path_of_every_kind()
        => Assert.All(MatchOperators.AtPath.Keys, name => Assert.True(
            Cases.Count(@case => @case.File == "match.case" && @case.Name.StartsWith(name + " ", StringComparison.Ordinal)) >= 9, name));

    [Fact]
    public void There_are_many_cases_and_each_has_a_name_of_its_own()
    {
        output.WriteLine($"{Cases.Count} analysis cases in {Cases.Select(@case => @case.File).Distinct().Count()} files: "
            + string.Join(", ", Cases.GroupBy(@case => @case.File).Select(group => $"{group.Key} {group.Count()}")));
        Assert.InRange(Cases.Count, 400, int.MaxValue);
        Assert.Empty(Cases.GroupBy(@case => @case.ToString()).Where(group => group.Count() > 1).Select(group => group.Key));
    }
}
