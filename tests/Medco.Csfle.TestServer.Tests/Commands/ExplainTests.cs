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
    [InlineData(14, "{'explain': 1}")]
    [InlineData(14, "{'explain': {}}")]
    [InlineData(59, "{'explain': {'insert': 'c'}}")]
    [InlineData(73, "{'explain': {'find': 1}}")]
    [InlineData(9, "{'explain': {'find': 'c'}, 'verbosity': 'much'}")]
    [InlineData(2, "{'explain': {'find': 'c', 'filter': {'a': {'$foo': 1}}}}")]
    public void What_cannot_be_explained_is_an_error(int code, string command) => _server.RunError(code, command);
}
