using static Medco.Csfle.TestServer.Tests.Transactions.SessionCalls;

namespace Medco.Csfle.TestServer.Tests.Transactions;

/// <summary>Multi-document transactions, as the manual's "Transactions" and the drivers' specification have them.</summary>
public sealed class TransactionTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.StartReplicaSet();

    public TransactionTests() => _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}]}");

    public void Dispose() => _server.Dispose();

    [Fact]
    public void What_a_transaction_writes_is_its_own_until_it_commits()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(1)}}}");
        _server.RunOk($"{{'update': 'c', 'updates': [{{'q': {{'_id': 1}}, 'u': {{'$set': {{'a': 5}}}}}}], {Continue(1)}}}");

        Assert.Equal(["{'_id': 1, 'a': 5}", "{'_id': 2}"], _server.All(Continue(1)));
        Assert.Equal(["{'_id': 1, 'a': 1}"], _server.All());

        _server.Commit(1);
        Assert.Equal(["{'_id': 1, 'a': 5}", "{'_id': 2}"], _server.All());
    }

    [Fact]
    public void What_was_aborted_never_was()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(1)}}}");
        _server.RunOk($"{{'insert': 'new', 'documents': [{{'_id': 2}}], {Continue(1)}}}");
        _server.RunOk($"{{'delete': 'c', 'deletes': [{{'q': {{}}, 'limit': 0}}], {Continue(1)}}}");
        _server.Abort(1);

        Assert.Equal(["{'_id': 1, 'a': 1}"], _server.All());
        Assert.Single(_server.RunOk("{'listCollections': 1}").Batch());
        Assert.Equal(251, ServerCalls.Int(_server.Run($"{{'find': 'c', {Continue(1)}}}").Find("code")!));
    }

    [Fact]
    public void A_transaction_reads_what_was_committed_when_it_began()
    {
        _server.RunOk($"{{'find': 'c', {Start(1)}}}");
        _server.RunOk("{'update': 'c', 'updates': [{'q': {'_id': 1}, 'u': {'$set': {'a': 7}}}]}");

        Assert.Equal(["{'_id': 1, 'a': 1}"], _server.All(Continue(1)));
        Assert.Equal(["{'_id': 1, 'a': 1}"], _server.RunOk($"{{'aggregate': 'c', 'pipeline': [], 'cursor': {{}}, {Continue(1)}}}").Batch());
        Assert.Equal("{'a': 1}", Bson.Json(_server.RunOk($"{{'findAndModify': 'd', 'query': {{}}, 'update': {{'a': 1}}, 'upsert': true, 'new': true, 'fields': {{'_id': 0}}, {Continue(1)}}}").Find("value")!.Document));
    }

    [Fact]
    public void Of_two_transactions_that_write_a_document_the_second_starts_over()
    {
        const string Increment = "'update': 'c', 'updates': [{'q': {'_id': 1}, 'u': {'$inc': {'a': 1}}}]";
        _server.RunOk($"{{{Increment}, {Start(1)}}}");
        _server.RunOk($"{{'find': 'c', {Start(2)}}}");

        var conflict = _server.Run($"{{{Increment}, {Continue(2)}}}");
        Assert.Equal(112, ServerCalls.Int(conflict.Find("code")!));
        Assert.Equal(["TransientTransactionError"], conflict.Labels());
        _server.RunError(251, $"{{'commitTransaction': 1, {Continue(2)}}}", "admin");

        _server.Commit(1);
        _server.RunOk($"{{{Increment}, {Start(2, 2)}}}");
        _server.Commit(2, 2);
        Assert.Equal(["{'_id': 1, 'a': 3}"], _server.All());
    }

    [Fact]
    public void A_document_that_changed_since_the_transaction_began_is_a_conflict()
    {
        _server.RunOk($"{{'find': 'c', {Start(1)}}}");
        _server.RunOk("{'update': 'c', 'updates': [{'q': {'_id': 1}, 'u': {'$set': {'a': 7}}}]}");
        _server.RunError(112, $"{{'delete': 'c', 'deletes': [{{'q': {{'_id': 1}}, 'limit': 1}}], {Continue(1)}}}");
        Assert.Equal(["{'_id': 1, 'a': 7}"], _server.All());
    }

    [Fact]
    public void Two_transactions_cannot_insert_the_same_document()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2, 'by': 1}}], {Start(1)}}}");
        _server.RunError(112, $"{{'insert': 'c', 'documents': [{{'_id': 2, 'by': 2}}], {Start(2)}}}");
        _server.Commit(1);
        Assert.Equal(["{'_id': 1, 'a': 1}", "{'_id': 2, 'by': 1}"], _server.All());
    }

    [Fact]
    public void A_unique_key_that_somebody_else_took_meanwhile_fails_the_commit_as_a_whole()
    {
        _server.RunOk("{'createIndexes': 'c', 'indexes': [{'key': {'k': 1}, 'name': 'k', 'unique': true}]}");
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2, 'k': 1}}, {{'_id': 3, 'k': 2}}], {Start(1)}}}");
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 4, 'k': 2}]}");

        var reply = _server.Run($"{{'commitTransaction': 1, {Continue(1)}}}", "admin");
        Assert.Equal((112, "TransientTransactionError"), (ServerCalls.Int(reply.Find("code")!), Assert.Single(reply.Labels())));
        Assert.Equal(["{'_id': 1, 'a': 1}", "{'_id': 4, 'k': 2}"], _server.All());
    }

    [Fact]
    public async Task A_write_outside_of_a_transaction_waits_for_it()
    {
        _server.RunOk($"{{'update': 'c', 'updates': [{{'q': {{'_id': 1}}, 'u': {{'$set': {{'a': 10}}}}}}], {Start(1)}}}");
        _server.RunError(50, "{'update': 'c', 'updates': [{'q': {}, 'u': {'$inc': {'a': 1}}}], 'maxTimeMS': 1}");

        // The first statement is executed once, however often the second has to wait.
        var outside = Task.Factory.StartNew(
            () => _server.RunOk("{'update': 'c', 'updates': [{'q': {'_id': 9}, 'u': {'$inc': {'n': 1}}, 'upsert': true}, {'q': {'_id': 1}, 'u': {'$inc': {'a': 1}}}]}"), TaskCreationOptions.LongRunning);
        while (_server.All("'filter': {'_id': 9}").Length == 0) await Task.Delay(1);
        _server.Commit(1);

        Assert.Equal(2, ServerCalls.Int((await outside.WaitAsync(TimeSpan.FromSeconds(30))).Find("n")!));
        Assert.Equal(["{'_id': 1, 'a': 11}", "{'_id': 9, 'n': 1}"], _server.All());
    }

    [Fact]
    public async Task A_collection_is_dropped_when_no_transaction_works_on_it()
    {
        _server.RunOk($"{{'find': 'c', {Start(1)}}}");
        using var giveUp = new CancellationTokenSource();
        var drop = Task.Run(() => _server.RunCommand("test", Bson.Bytes("{'drop': 'c'}"), giveUp.Token));
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => drop);

        _server.Abort(1);
        _server.RunOk("{'drop': 'c'}");
        Assert.Empty(_server.All());
    }

    [Fact]
    public async Task Disposing_ends_a_write_that_waits()
    {
        _server.RunOk($"{{'update': 'c', 'updates': [{{'q': {{'_id': 1}}, 'u': {{'a': 2}}}}], {Start(1)}}}");
        var waiting = Task.Factory.StartNew(() => _server.Run("{'delete': 'c', 'deletes': [{'q': {'_id': 1}, 'limit': 1}]}"), TaskCreationOptions.LongRunning);
        while (_server.Commands.All(command => command.Name != "delete")) Thread.Yield();

        _server.Dispose();
        Assert.Equal(11600, ServerCalls.Int((await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Find("code")!));
    }

    [Fact]
    public void An_error_aborts()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(1)}}}");
        Assert.Single(_server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Continue(1)}}}").Find("writeErrors")!.Items);
        _server.RunError(251, $"{{'commitTransaction': 1, {Continue(1)}}}", "admin");

        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(1, 2)}}}");
        _server.RunError(2, $"{{'find': 'c', 'filter': {{'$nothing': 1}}, {Continue(1, 2)}}}");
        _server.RunError(251, $"{{'find': 'c', {Continue(1, 2)}}}");
        Assert.Single(_server.All());
    }

    [Fact]
    public void A_commit_can_be_sent_again()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(1)}}}");
        _server.Commit(1);
        _server.Commit(1);
        Assert.Equal(2, _server.All().Length);

        _server.RunError(256, $"{{'abortTransaction': 1, {Continue(1)}}}", "admin");
        _server.RunError(256, $"{{'find': 'c', {Continue(1)}}}");
    }

    [Fact]
    public void A_new_transaction_of_a_session_ends_its_last()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(1)}}}");
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 3}}], {Start(1, 2)}}}");
        _server.RunError(225, $"{{'find': 'c', {Continue(1)}}}");
        _server.RunError(117, $"{{'find': 'c', {Start(1, 2)}}}");
        _server.Commit(1, 2);
        Assert.Equal(["{'_id': 1, 'a': 1}", "{'_id': 3}"], _server.All());
    }

    [Fact]
    public void The_end_of_a_session_ends_its_transaction()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 2}}], {Start(1)}}}");
        _server.RunOk("{'endSessions': [{'id': {'$uuid': '00000000-0000-0000-0000-000000000001'}}]}", "admin");
        var reply = _server.Run($"{{'commitTransaction': 1, {Continue(1)}}}", "admin");
        Assert.Equal((251, "TransientTransactionError"), (ServerCalls.Int(reply.Find("code")!), Assert.Single(reply.Labels())));
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 2}]}");
    }

    [Fact]
    public void A_collection_can_come_with_a_transaction()
    {
        _server.RunOk($"{{'create': 'made', {Start(1)}}}");
        _server.RunOk($"{{'insert': 'implied', 'documents': [{{'_id': 1}}], {Continue(1)}}}");
        _server.Commit(1);
        Assert.Equal(3, _server.RunOk("{'listCollections': 1}").Batch().Length);
        Assert.Equal(["{'_id': 1}"], _server.RunOk("{'find': 'implied'}").Batch());
    }

    [Fact]
    public void A_cursor_stays_in_its_transaction()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 2}, {'_id': 3}]}");
        var inside = _server.RunOk($"{{'find': 'c', 'batchSize': 1, {Start(1)}}}").CursorId();
        var outside = _server.RunOk("{'find': 'c', 'batchSize': 1}").CursorId();

        _server.RunError(20, $"{{'getMore': {{'$numberLong': '{inside}'}}, 'collection': 'c'}}");
        Assert.Equal(2, _server.RunOk($"{{'getMore': {{'$numberLong': '{inside}'}}, 'collection': 'c', {Continue(1)}}}").Batch().Length);
        _server.RunError(20, $"{{'getMore': {{'$numberLong': '{outside}'}}, 'collection': 'c', {Continue(1)}}}");
    }

    [Theory]
    [InlineData("'count': 'c'")]
    [InlineData("'explain': {'find': 'c'}")]
    [InlineData("'drop': 'c'")]
    [InlineData("'listCollections': 1")]
    [InlineData("'createIndexes': 'c', 'indexes': [{'key': {'a': 1}, 'name': 'a'}]")]
    [InlineData("'ping': 1")]
    [InlineData("'hello': 1")]
    [InlineData("'getMore': {'$numberLong': '1'}, 'collection': 'c'")]
    [InlineData("'aggregate': 'c', 'pipeline': [{'$changeStream': {}}], 'cursor': {}")]
    public void What_cannot_start_a_transaction_is_refused(string command) => _server.RunError(263, $"{{{command}, {Start(1)}}}");

    [Fact]
    public void The_server_s_own_databases_are_no_part_of_transactions() => _server.RunError(263, $"{{'find': 'c', {Start(1)}}}", "config");

    [Theory]
    [InlineData("'txnNumber': {'$numberLong': '1'}", 72)]
    [InlineData("'txnNumber': 1", 14)]
    [InlineData("'autocommit': false", 72)]
    [InlineData("'startTransaction': true", 72)]
    [InlineData("'lsid': {'id': {'$uuid': '00000000-0000-0000-0000-000000000001'}}, 'txnNumber': {'$numberLong': '1'}, 'startTransaction': true", 72)]
    [InlineData("'lsid': {'id': {'$uuid': '00000000-0000-0000-0000-000000000001'}}, 'txnNumber': {'$numberLong': '1'}, 'autocommit': true", 72)]
    [InlineData("'lsid': {'id': {'$uuid': '00000000-0000-0000-0000-000000000001'}}, 'txnNumber': {'$numberLong': '1'}, 'autocommit': false, 'startTransaction': false", 72)]
    [InlineData("'lsid': {'id': {'$uuid': '00000000-0000-0000-0000-000000000001'}}, 'txnNumber': {'$numberLong': '-1'}", 72)]
    [InlineData("'lsid': {'id': {'$uuid': '00000000-0000-0000-0000-000000000001'}}, 'txnNumber': {'$numberLong': '1'}, 'autocommit': false", 251)]
    [InlineData("'readConcern': {'level': 'snapshot'}", 238)]
    public void Half_a_transaction_is_refused(string fields, int code) => _server.RunError(code, $"{{'find': 'c', {fields}}}");

    [Fact]
    public void Concerns_belong_to_the_start_and_the_end()
    {
        _server.RunOk($"{{'insert': 'c', 'documents': [{{}}], 'readConcern': {{'level': 'snapshot'}}, {Start(1)}}}");
        _server.RunError(72, $"{{'find': 'c', 'readConcern': {{'level': 'local'}}, {Continue(1)}}}");
        _server.RunError(72, $"{{'insert': 'c', 'documents': [{{}}], 'writeConcern': {{'w': 1}}, {Start(1, 2)}}}");
        _server.RunOk($"{{'insert': 'c', 'documents': [{{}}], {Start(1, 2)}}}");
        _server.RunOk($"{{'commitTransaction': 1, 'writeConcern': {{'w': 'majority'}}, {Continue(1, 2)}}}", "admin");
        Assert.Equal(2, _server.All().Length);
    }

    [Fact]
    public async Task Many_clients_lose_no_update()
    {
        const int Clients = 4;
        const int Rounds = 25;
        await Task.WhenAll(Enumerable.Range(1, Clients).Select(session => Task.Factory.StartNew(() =>
        {
            var number = 0;
            for (var done = 0; done < Rounds;)
            {
                number++;
                var reply = _server.Run($"{{'update': 'c', 'updates': [{{'q': {{'_id': 1}}, 'u': {{'$inc': {{'a': 1}}}}}}], {Start(session, number)}}}");
                if (reply.Find("ok")!.IsTrue)
                {
                    _server.Commit(session, number);
                    done++;
                }

                _server.RunOk("{'update': 'c', 'updates': [{'q': {'_id': 1}, 'u': {'$inc': {'outside': 1}}}]}");
            }
        }, TaskCreationOptions.LongRunning))).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.StartsWith($"{{'_id': 1, 'a': {1 + (Clients * Rounds)}, ", Assert.Single(_server.All()), StringComparison.Ordinal);
    }
}
