namespace Medco.Csfle.TestServer.Tests.Commands;

public sealed class ExplainTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Fact]
    public void A_plan_names_the_collection_and_changes_nothing()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}]}");
        var reply = _server.RunOk("{'explain': {'delete': 'c', 'deletes': [{'q': {}, 'limit': 0}]}, 'verbosity': 'allPlansExecution'}");
        Assert.Equal("{'namespace': 'test.c', 'winningPlan': {'stage': 'COLLSCAN'}}", Bson.Json(reply.Find("queryPlanner")!.Document));
        Assert.Single(_server.RunOk("{'find': 'c'}").Batch());
    }

    [Theory]
    [InlineData("'filter': {'a': 1}", 2)]
    [InlineData("'filter': {'a': 1}, 'limit': 1", 1)]
    [InlineData("'skip': 2", 1)]
    [InlineData("'skip': 5", 0)]
    public void What_a_find_returns_is_counted(string find, int returned)
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}, {'_id': 2, 'a': 2}, {'_id': 3, 'a': 1}]}");
        var statistics = _server.RunOk($"{{'explain': {{'find': 'c', {find}}}, 'verbosity': 'executionStats'}}").Find("executionStats")!.Document;
        Assert.Equal([returned, 3], new[] { "nReturned", "totalDocsExamined" }.Select(name => ServerCalls.Int(statistics.Find(name)!)));
        Assert.Null(_server.RunOk($"{{'explain': {{'find': 'c', {find}}}, 'verbosity': 'queryPlanner'}}").Find("executionStats"));
    }

    [Theory]
    [InlineData(14, "{'explain': 1}")]
    [InlineData(14, "{'explain': {}}")]
    [InlineData(59, "{'explain': {'insert': 'c'}}")]
    [InlineData(73, "{'explain': {'find': 1}}")]
    [InlineData(9, "{'explain': {'find': 'c'}, 'verbosity': 'much'}")]
    [InlineData(2, "{'explain': {'find': 'c', 'filter': {'a': {'$foo': 1}}}}")]
    public void What_cannot_be_explained_is_an_error(int code, string command) => _server.RunError(code, command);
}
