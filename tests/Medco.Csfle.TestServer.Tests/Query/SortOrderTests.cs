using Medco.Csfle.TestServer.Query;

namespace Medco.Csfle.TestServer.Tests.Query;

public class SortOrderTests
{
    [Theory]
    [InlineData("{'a': 1}", "{'a': 3} {'a': 1} {'a': 2}", "{'a': 1} {'a': 2} {'a': 3}")]
    [InlineData("{'a': -1}", "{'a': 3} {'a': 1} {'a': 2}", "{'a': 3} {'a': 2} {'a': 1}")]
    [InlineData("{'a': 1, 'b': -1}", "{'a': 1, 'b': 1} {'a': 0} {'a': 1, 'b': 2}", "{'a': 0} {'a': 1, 'b': 2} {'a': 1, 'b': 1}")]
    [InlineData("{'a': 1}", "{'a': 'x'} {'a': 1} {} {'a': {}} {'a': null}", "{} {'a': null} {'a': 1} {'a': 'x'} {'a': {}}")]
    [InlineData("{'a': 1}", "{'a': 2} {'a': [9, 1]}", "{'a': [9, 1]} {'a': 2}")]
    [InlineData("{'a': -1}", "{'a': 2} {'a': [9, 1]}", "{'a': [9, 1]} {'a': 2}")]
    [InlineData("{'a': 1}", "{'a': null} {'a': []}", "{'a': []} {'a': null}")]
    [InlineData("{'a.b': 1}", "{'a': [{'b': 3}, {'b': 5}]} {'a': {'b': 2}}", "{'a': {'b': 2}} {'a': [{'b': 3}, {'b': 5}]}")]
    [InlineData("{'$natural': -1}", "{'a': 1} {'a': 2}", "{'a': 2} {'a': 1}")]
    [InlineData("{}", "{'a': 2} {'a': 1}", "{'a': 2} {'a': 1}")]
    public void Documents_sort_as_MongoDB_sorts_them(string sort, string documents, string expected)
    {
        var sorted = new SortOrder(Bson.Document(sort)).Apply(Split(documents).Select(Bson.Document));
        Assert.Equal(Split(expected).Select(json => Bson.Json(Bson.Document(json))), sorted.Select(Bson.Json));
    }

    [Theory]
    [InlineData(15975, "{'a': 2}")]
    [InlineData(15975, "{'a': 'asc'}")]
    [InlineData(238, "{'a': {'$meta': 'textScore'}}")]
    [InlineData(2, "{'a..b': 1}")]
    [InlineData(2, "{'$foo': 1}")]
    public void What_is_no_order_is_an_error(int code, string sort)
        => Assert.Equal(code, Assert.Throws<ServerException>(() => new SortOrder(Bson.Document(sort))).Code);

    [Fact]
    public void Two_arrays_in_one_sort_are_refused()
    {
        var sort = new SortOrder(Bson.Document("{'a': 1, 'b': 1}"));
        Assert.Throws<ServerException>(() => sort.Apply([Bson.Document("{'a': [1, 2], 'b': [1, 2]}")]).ToList());
    }

    private static IEnumerable<string> Split(string documents) => documents.Replace("} {", "}\n{").Split('\n');
}
