using Medco.Csfle.TestServer.Query;

namespace Medco.Csfle.TestServer.Tests.Query;

public class ProjectionTests
{
    private const string Stored = "{'_id': 1, 'a': 1, 'b': {'c': 2, 'd': 3}, 'e': [{'c': 4, 'd': 5}, 6, [{'c': 7}]]}";

    [Theory]
    [InlineData("{}", Stored)]
    [InlineData("{'a': 1}", "{'_id': 1, 'a': 1}")]
    [InlineData("{'a': true, '_id': 0}", "{'a': 1}")]
    [InlineData("{'_id': 1}", "{'_id': 1}")]
    [InlineData("{'_id': 0}", "{'a': 1, 'b': {'c': 2, 'd': 3}, 'e': [{'c': 4, 'd': 5}, 6, [{'c': 7}]]}")]
    [InlineData("{'b.c': 1}", "{'_id': 1, 'b': {'c': 2}}")]
    [InlineData("{'b': {'c': 1}}", "{'_id': 1, 'b': {'c': 2}}")]
    [InlineData("{'b.x': 1}", "{'_id': 1, 'b': {}}")]
    [InlineData("{'a.x': 1}", "{'_id': 1}")]
    [InlineData("{'e.c': 1}", "{'_id': 1, 'e': [{'c': 4}, [{'c': 7}]]}")]
    [InlineData("{'b': 0, 'e': false}", "{'_id': 1, 'a': 1}")]
    [InlineData("{'a': 0, '_id': 1, 'e': 0}", "{'_id': 1, 'b': {'c': 2, 'd': 3}}")]
    [InlineData("{'e.c': 0, 'b': 0}", "{'_id': 1, 'a': 1, 'e': [{'d': 5}, 6, [{}]]}")]
    [InlineData("{'b': 1, 'a': 1}", "{'_id': 1, 'a': 1, 'b': {'c': 2, 'd': 3}}")]
    [InlineData("{'z': '$b.c', '_id': 0}", "{'z': 2}")]
    [InlineData("{'a': '$b.c', 'b': 1}", "{'_id': 1, 'b': {'c': 2, 'd': 3}, 'a': 2}")]
    [InlineData("{'a': 1, 'b.x': '$a'}", "{'_id': 1, 'a': 1, 'b': {'x': 1}}")]
    [InlineData("{'a': 1, 'n.m': {'$add': ['$a', 1]}}", "{'_id': 1, 'a': 1, 'n': {'m': 2}}")]
    [InlineData("{'_id': '$a', 'm': '$none'}", "{'_id': 1}")]
    [InlineData("{'x': ['$a', '$none'], 'y': 'text'}", "{'_id': 1, 'x': [1, null], 'y': 'text'}")]
    public void Fields_are_kept_or_left_out_as_MongoDB_does(string projection, string expected)
        => Assert.Equal(Bson.Json(Bson.Document(expected)), Bson.Json(new Projection(Bson.Document(projection)).Apply(Bson.Document(Stored))));

    [Theory]
    [InlineData(31253, "{'a': 0, 'b': 1}")]
    [InlineData(31254, "{'a': 1, 'b': 0}")]
    [InlineData(31250, "{'a': 1, 'a.b': 1}")]
    [InlineData(31250, "{'a.b': 1, 'a': 1}")]
    [InlineData(51270, "{'a': {}}")]
    [InlineData(238, "{'a': {'$slice': 1}}")]
    [InlineData(238, "{'a.$': 1}")]
    [InlineData(238, "{'a': {'$elemMatch': {'b': 1}}}")]
    [InlineData(31252, "{'a': 0, 'b': '$c'}")]
    [InlineData(168, "{'a': {'$foo': 1}}")]
    [InlineData(31250, "{'a.b': '$x', 'a': 1}")]
    [InlineData(2, "{'a..b': 1}")]
    public void What_is_no_projection_is_an_error(int code, string projection)
        => Assert.Equal(code, Assert.Throws<ServerException>(() => new Projection(Bson.Document(projection))).Code);
}
