using static Medco.Csfle.TestServer.Tests.Transactions.SessionCalls;

namespace Medco.Csfle.TestServer.Tests.Transactions;

/// <summary>A write that is sent again under its number is executed once.</summary>
public sealed class RetryableWriteTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.StartReplicaSet();

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData("'insert': 'c', 'documents': [{'_id': 1, 'a': 1}]")]
    [InlineData("'update': 'c', 'updates': [{'q': {'_id': 1}, 'u': {'$inc': {'a': 1}}, 'upsert': true}]")]
    [InlineData("'findAndModify': 'c', 'query': {'_id': 1}, 'update': {'$inc': {'a': 1}}, 'upsert': true, 'new': true")]
    public void The_same_write_changes_once_and_answers_the_same(string command)
    {
        var first = _server.RunOk($"{{{command}, {Write(1)}}}");
        var again = _server.RunOk($"{{{command}, {Write(1)}}}");

        // The times may differ, what the write did may not.
        static string[] Outcome(TestServer.Values.Document reply)
            => [.. reply.Elements.Where(element => element.Name is not ("$clusterTime" or "operationTime")).Select(element => element.Name + Convert.ToHexString(element.Value.Bytes.Span))];
        Assert.Equal(Outcome(first), Outcome(again));
        Assert.Equal(["{'_id': 1, 'a': 1}"], _server.All());
    }

    [Fact]
    public void A_removal_answers_with_the_document_again()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1}, {'_id': 2}]}");
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("{'_id': 1}", Bson.Json(_server.RunOk($"{{'findAndModify': 'c', 'remove': true, {Write(1)}}}").Find("value")!.Document));
            Assert.Equal(1, ServerCalls.Int(_server.RunOk($"{{'delete': 'c', 'deletes': [{{'q': {{'_id': 2}}, 'limit': 1}}], {Write(2)}}}").Find("n")!));
        }

        Assert.Empty(_server.All());
    }

    [Fact]
    public void Another_number_is_another_write()
    {
        for (var number = 1; number <= 2; number++) _server.RunOk($"{{'update': 'c', 'updates': [{{'q': {{'_id': 1}}, 'u': {{'$inc': {{'a': 1}}}}, 'upsert': true}}], {Write(1, number)}}}");
        Assert.Equal(["{'_id': 1, 'a': 2}"], _server.All());
        _server.RunError(225, $"{{'insert': 'c', 'documents': [{{}}], {Write(1)}}}");
    }

    [Theory]
    [InlineData("'update': 'c', 'updates': [{'q': {}, 'u': {'$set': {'a': 1}}, 'multi': true}]")]
    [InlineData("'delete': 'c', 'deletes': [{'q': {}, 'limit': 0}]")]
    [InlineData("'find': 'c'")]
    [InlineData("'drop': 'c'")]
    public void What_cannot_be_retried_has_no_number(string command) => _server.RunError(72, $"{{{command}, {Write(1)}}}");

    [Fact]
    public void The_number_of_a_transaction_is_no_write_s()
    {
        _server.RunOk($"{{'find': 'c', {Start(1)}}}");
        _server.RunError(117, $"{{'insert': 'c', 'documents': [{{}}], {Write(1)}}}");
    }
}
