namespace Medco.Csfle.TestServer.Tests.Commands;

public sealed class UpdateTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData("{'q': {'a': 1}, 'u': {'$set': {'b': 2}}}", 1, 1)]
    [InlineData("{'q': {'a': 1}, 'u': {'$set': {'b': 2}}, 'multi': true}", 2, 2)]
    [InlineData("{'q': {'a': {'$gte': 1}}, 'u': {'$set': {'a': 1}}, 'multi': true}", 3, 1)]
    [InlineData("{'q': {'a': 1}, 'u': {'$set': {'a': 1}}}", 1, 0)]
    [InlineData("{'q': {'a': 9}, 'u': {'$set': {'b': 2}}}", 0, 0)]
    [InlineData("{'q': {'a': 1}, 'u': {'$set': {'a': {'$numberDouble': '1.0'}}}}", 1, 1)]
    [InlineData("{'q': {'_id': 3}, 'u': {'c': 1}}", 1, 1)]
    [InlineData("{'q': {'_id': 3}, 'u': {'a': 2}}", 1, 0)]
    [InlineData("{'q': {'_id': 3}, 'u': {'$set': {'_id': 3, 'a': 5}}, 'hint': '_id_', 'collation': {'locale': 'simple'}}", 1, 1)]
    public void Matched_and_modified_are_counted(string statement, int matched, int modified)
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}, {'_id': 2, 'a': 1}, {'_id': 3, 'a': 2}]}");
        Assert.Equal($"{{'n': {matched}, 'nModified': {modified}, 'ok': 1.0}}", Bson.Json(Update(statement)));
    }

    [Fact]
    public void A_replacement_keeps_the_id_and_nothing_else()
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1, 'b': 2}]}");
        Update("{'q': {'a': 1}, 'u': {'z': 1, 'y': {'$date': '2024-01-01T00:00:00Z'}}}");
        Assert.Equal(["{'_id': 1, 'z': 1, 'y': {'$date': '2024-01-01T00:00:00Z'}}"], Found());
        Update("{'q': {}, 'u': {'x': 1, '_id': 1}}, {'q': {}, 'u': {'$set': {'y': 1}}}");
        Assert.Equal(["{'_id': 1, 'x': 1, 'y': 1}"], Found());
        Update("{'q': {}, 'u': {}}");
        Assert.Equal(["{'_id': 1}"], Found());
    }

    [Theory]
    [InlineData("{'_id': 7}", "{'$set': {'a': 1}}", "{'_id': 7, 'a': 1}")]
    [InlineData("{'_id': 7, 'b': 2}", "{'$set': {'a': 1}}", "{'_id': 7, 'b': 2, 'a': 1}")]
    [InlineData("{'_id': {'$eq': 7}, 'b': {'$gt': 2}}", "{'$inc': {'a': 1}}", "{'_id': 7, 'a': 1}")]
    [InlineData("{'$and': [{'_id': 7}, {'b.c': 3}]}", "{'$set': {'a': 1}}", "{'_id': 7, 'b': {'c': 3}, 'a': 1}")]
    [InlineData("{'$or': [{'_id': 7}]}", "{'$set': {'a': 1}}", "{'_id': 7, 'a': 1}")]
    [InlineData("{'_id': 7, 'b': {'$all': [5]}}", "{'$set': {'a': 1}}", "{'_id': 7, 'b': 5, 'a': 1}")]
    [InlineData("{'_id': 7, '$or': [{'b': 1}, {'b': 2}]}", "{'$setOnInsert': {'a': 1}}", "{'_id': 7, 'a': 1}")]
    [InlineData("{'a': 3}", "{'$set': {'_id': 7}, '$inc': {'a': 1}}", "{'_id': 7, 'a': 4}")]
    [InlineData("{'_id': 7, 'b': 2}", "{'a': 1}", "{'_id': 7, 'a': 1}")]
    [InlineData("{'b': 2}", "{'a': 1, '_id': 7}", "{'_id': 7, 'a': 1}")]
    [InlineData("{'_id': 7, 'a': {'$gt': 1}}", "{'$push': {'a': 1}, '$unset': {'b': 1}, '$pull': {'e': 1}}", "{'_id': 7, 'a': [1]}")]
    public void An_upsert_starts_from_the_equalities_of_the_filter(string filter, string update, string expected)
    {
        var reply = Update($"{{'q': {filter}, 'u': {update}, 'upsert': true}}");
        Assert.Equal("{'n': 1, 'nModified': 0, 'upserted': [{'index': 0, '_id': 7}], 'ok': 1.0}", Bson.Json(reply));
        Assert.Equal([expected], Found());
    }

    [Fact]
    public void An_upsert_without_an_id_gets_one_and_the_next_finds_it()
    {
        const string Statement = "{'q': {'a': 1}, 'u': {'$inc': {'n': 1}}, 'upsert': true}";
        var reply = Update($"{Statement}, {Statement}");
        Assert.Equal((2, 1), (ServerCalls.Int(reply.Find("n")!), ServerCalls.Int(reply.Find("nModified")!)));
        var id = Assert.Single(reply.Find("upserted")!.Items).Document.Find("_id")!;
        Assert.Equal(Engine.Bson.BsonType.ObjectId, id.Type);
        var stored = Bson.Document(Assert.Single(Found()));
        Assert.Equal(2, ServerCalls.Int(stored.Find("n")!));
    }

    [Theory]
    [InlineData(66, "{'q': {}, 'u': {'$set': {'_id': 2}}}")]
    [InlineData(66, "{'q': {}, 'u': {'$unset': {'_id': 1}}}")]
    [InlineData(66, "{'q': {}, 'u': {'_id': 2}}")]
    [InlineData(66, "{'q': {'_id': 5}, 'u': {'_id': 6}, 'upsert': true}")]
    [InlineData(66, "{'q': {'_id': 5}, 'u': {'$set': {'_id': 6}}, 'upsert': true}")]
    [InlineData(54, "{'q': {'z': 5, '$and': [{'z': 6}]}, 'u': {'$set': {'b': 6}}, 'upsert': true}")]
    [InlineData(9, "{'q': {}, 'u': {'b': 6}, 'multi': true}")]
    [InlineData(72, "{'q': {}, 'u': [{'$match': {'b': 6}}]}")]
    [InlineData(9, "{'q': {}, 'u': 5}")]
    [InlineData(2, "{'q': {'a': {'$foo': 1}}, 'u': {'$set': {'b': 6}}}")]
    [InlineData(2, "{'q': {}, 'u': {'$set': {'b': 6}}, 'hint': 'x'}")]
    [InlineData(53, "{'q': {'z': 1}, 'u': {'$set': {'_id': [1]}}, 'upsert': true}")]
    public void An_update_that_cannot_be_is_a_write_error_and_changes_nothing(int code, string statement)
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}]}");
        var error = Assert.Single(Update(statement).Find("writeErrors")!.Items).Document;
        Assert.Equal(code, ServerCalls.Int(error.Find("code")!));
        Assert.Equal(["{'_id': 1, 'a': 1}"], Found());
    }

    [Theory]
    [InlineData(40415, "{'q': {}, 'u': {}, 'sort': {'a': 1}}")]
    [InlineData(40414, "{'u': {}}")]
    [InlineData(40414, "{'q': {}}")]
    [InlineData(14, "{'q': 1, 'u': {}}")]
    [InlineData(14, "{'q': {}, 'u': {}, 'arrayFilters': {}}")]
    [InlineData(238, "{'q': {}, 'u': {}, 'collation': {'locale': 'de'}}")]
    public void A_statement_that_is_none_is_an_error(int code, string statement) => _server.RunError(code, $"{{'update': 'c', 'updates': [{statement}]}}");

    [Theory]
    [InlineData("", 1, "0")]
    [InlineData(", 'ordered': false", 2, "0,2")]
    public void An_ordered_batch_ends_at_its_first_error(string options, int modified, string indexes)
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}]}");
        const string Good = "{'q': {}, 'u': {'$inc': {'a': 1}}}";
        const string Bad = "{'q': {}, 'u': {'$inc': {'_id': 1}}}";
        var reply = _server.RunOk($"{{'update': 'c', 'updates': [{Bad}, {Good}, {Bad}, {Good}]{options}}}");
        Assert.Equal(indexes, string.Join(',', reply.Find("writeErrors")!.Items.Select(item => ServerCalls.Int(item.Document.Find("index")!))));
        Assert.Equal(options.Length == 0 ? 0 : modified, ServerCalls.Int(reply.Find("nModified")!));
    }

    [Theory]
    [InlineData("", "{'_id': 1, 'a': 5}", 121)]
    [InlineData(", 'validationLevel': 'moderate'", "{'_id': 1, 'a': 5}", 121)]
    [InlineData("", "{'_id': 1, 'a': 'old'}", 121)]
    [InlineData(", 'validationLevel': 'moderate'", "{'_id': 1, 'a': 'old'}", 0)]
    [InlineData(", 'validationAction': 'warn'", "{'_id': 1, 'a': 5}", 0)]
    public void A_validator_judges_what_an_update_makes(string options, string stored, int code)
    {
        _server.RunOk($"{{'create': 'c', 'validator': {{'a': {{'$type': 'int'}}}}{options}}}");
        _server.RunOk($"{{'insert': 'c', 'documents': [{stored}], 'bypassDocumentValidation': true}}");
        foreach (var update in new[] { "{'$set': {'a': 'x'}}", "{'a': 'y'}" })
        {
            var reply = Update($"{{'q': {{}}, 'u': {update}}}");
            Assert.Equal(code, reply.Find("writeErrors") is { } errors ? ServerCalls.Int(errors.Document[0].Value.Document.Find("code")!) : 0);
        }

        Assert.Equal(code != 0, Found()[0] == stored);
        _server.RunOk("{'update': 'c', 'updates': [{'q': {}, 'u': {'$set': {'a': 'z'}}}], 'bypassDocumentValidation': true}");
        Assert.Equal(["{'_id': 1, 'a': 'z'}"], Found());
    }

    [Fact]
    public void An_upsert_passes_the_validator_or_is_refused()
    {
        _server.RunOk("{'create': 'c', 'validator': {'a': {'$type': 'int'}}, 'validationLevel': 'moderate'}");
        Assert.NotNull(Update("{'q': {'a': 'x'}, 'u': {'$set': {'b': 1}}, 'upsert': true}").Find("writeErrors"));
        Assert.Empty(Found());
    }

    [Theory]
    [InlineData(17419, "{'_id': 1}")]
    [InlineData(17420, "{'_id': 2}")]
    public void A_document_does_not_outgrow_the_limit(int code, string filter)
    {
        var half = new string('x', 9 * 1024 * 1024);
        _server.RunOk($"{{'insert': 'c', 'documents': [{{'_id': 1, 'a': '{half}'}}]}}");
        var reply = Update($"{{'q': {filter}, 'u': [{{'$set': {{'b': '{half}', 'c': '{half}'}}}}], 'upsert': true}}");
        Assert.Equal(code, ServerCalls.Int(reply.Find("writeErrors")!.Document[0].Value.Document.Find("code")!));
        Assert.Single(Found());
    }

    [Fact]
    public void Without_a_collection_nothing_is_updated_and_none_is_created()
    {
        Assert.Equal("{'n': 0, 'nModified': 0, 'ok': 1.0}", Bson.Json(Update("{'q': {}, 'u': {'$set': {'a': 1}}}")));
        Assert.Empty(_server.RunOk("{'listCollections': 1}").Batch());
    }

    [Theory]
    [InlineData("{'q': {'a': 1}, 'limit': 1}", 1, "2,3")]
    [InlineData("{'q': {'a': 1}, 'limit': 0}", 2, "3")]
    [InlineData("{'q': {}, 'limit': 0}", 3, "")]
    [InlineData("{'q': {'a': 9}, 'limit': 0}", 0, "1,2,3")]
    [InlineData("{'q': {'_id': 3}, 'limit': 1}, {'q': {'_id': 1}, 'limit': 1}", 2, "2")]
    public void Documents_are_deleted(string statements, int deleted, string left)
    {
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'a': 1}, {'_id': 2, 'a': 1}, {'_id': 3, 'a': 2}]}");
        Assert.Equal($"{{'n': {deleted}, 'ok': 1.0}}", Bson.Json(_server.RunOk($"{{'delete': 'c', 'deletes': [{statements}]}}")));
        Assert.Equal(left, string.Join(',', Found().Select(document => ServerCalls.Int(Bson.Document(document).Find("_id")!))));
    }

    [Theory]
    [InlineData(9, "{'q': {}, 'limit': 5}")]
    [InlineData(40414, "{'q': {}}")]
    [InlineData(40414, "{'limit': 0}")]
    [InlineData(40415, "{'q': {}, 'limit': 0, 'x': 1}")]
    public void A_deletion_that_is_none_is_an_error(int code, string statement) => _server.RunError(code, $"{{'delete': 'c', 'deletes': [{statement}]}}");

    private TestServer.Values.Document Update(string statements) => _server.RunOk($"{{'update': 'c', 'updates': [{statements}]}}");

    private string[] Found() => _server.RunOk("{'find': 'c'}").Batch();
}
