using Medco.Csfle.TestServer.Aggregation;

namespace Medco.Csfle.TestServer.Tests.Aggregation;

/// <summary>What each stage makes of its documents.</summary>
public class StageTests
{
    [Theory]
    [InlineData("{'$match': {'a': {'$gt': 1}}}", "{'a': 1}, {'a': 2}", "{'a': 2}")]
    [InlineData("{'$project': {'a': 1}}", "{'_id': 1, 'a': 1, 'b': 2}", "{'_id': 1, 'a': 1}")]
    [InlineData("{'$project': {'a': 0}}", "{'_id': 1, 'a': 1, 'b': 2}", "{'_id': 1, 'b': 2}")]
    [InlineData("{'$project': {'_id': 0, 'x': {'$add': ['$a', '$b']}}}", "{'_id': 1, 'a': 1, 'b': 2}", "{'x': 3}")]
    [InlineData("{'$project': {'_id': 0, 'x': {'y': '$a', 'z': {'$literal': 1}}}}", "{'a': 1}", "{'x': {'y': 1, 'z': 1}}")]
    [InlineData("{'$project': {'x': {'$slice': ['$a', 1]}}}", "{'a': [1, 2]}", "{'x': [1]}")]
    [InlineData("{'$addFields': {'b': '$a'}}", "{'a': 1}", "{'a': 1, 'b': 1}")]
    [InlineData("{'$set': {'a': 5, 'c': 1}}", "{'a': 1, 'b': 2}", "{'a': 5, 'b': 2, 'c': 1}")]
    [InlineData("{'$addFields': {'a.b': 1}}", "{'a': [{'c': 1}, 2]}, {'a': 5}, {}", "{'a': [{'c': 1, 'b': 1}, {'b': 1}]}, {'a': {'b': 1}}, {'a': {'b': 1}}")]
    [InlineData("{'$addFields': {'a': '$$REMOVE'}}", "{'a': 1, 'b': 2}", "{'b': 2}")]
    [InlineData("{'$addFields': {'a': {}}}", "{'a': 1}", "{'a': {}}")]
    [InlineData("{'$unset': 'a'}", "{'a': 1, 'b': 2}", "{'b': 2}")]
    [InlineData("{'$unset': ['a', 'b.c']}", "{'a': 1, 'b': {'c': 1, 'd': 2}}", "{'b': {'d': 2}}")]
    [InlineData("{'$sort': {'a': -1}}", "{'a': 1}, {'a': 3}, {'a': 2}", "{'a': 3}, {'a': 2}, {'a': 1}")]
    [InlineData("{'$limit': 1}", "{'a': 1}, {'a': 2}", "{'a': 1}")]
    [InlineData("{'$skip': 1}", "{'a': 1}, {'a': 2}", "{'a': 2}")]
    [InlineData("{'$skip': 0}", "{'a': 1}", "{'a': 1}")]
    [InlineData("{'$count': 'n'}", "{'a': 1}, {'a': 2}", "{'n': 2}")]
    [InlineData("{'$count': 'n'}", "", "")]
    [InlineData("{'$replaceRoot': {'newRoot': '$a'}}", "{'a': {'b': 1}}", "{'b': 1}")]
    [InlineData("{'$replaceWith': {'x': '$a', 'y': '$none'}}", "{'a': 1}", "{'x': 1}")]
    [InlineData("{'$sortByCount': '$a'}", "{'a': 1}, {'a': 2}, {'a': 2}", "{'_id': 2, 'count': 2}, {'_id': 1, 'count': 1}")]
    [InlineData("{'$facet': {'n': [{'$count': 'n'}], 'all': []}}", "{'a': 1}", "{'n': [{'n': 1}], 'all': [{'a': 1}]}")]
    public void A_stage_changes_documents(string stage, string documents, string expected) => Check(stage, documents, expected);

    [Theory]
    [InlineData("'$a'", "{'a': [1, 2], 'b': 1}, {'a': 3}, {'a': []}, {'a': null}, {}", "{'a': 1, 'b': 1}, {'a': 2, 'b': 1}, {'a': 3}")]
    [InlineData("{'path': '$a', 'preserveNullAndEmptyArrays': true}", "{'a': []}, {'a': null}, {}", "{}, {'a': null}, {}")]
    [InlineData("{'path': '$a.b', 'includeArrayIndex': 'i'}", "{'a': {'b': ['x', 'y'], 'c': 1}}", "{'a': {'b': 'x', 'c': 1}, 'i': {'$numberLong': '0'}}, {'a': {'b': 'y', 'c': 1}, 'i': {'$numberLong': '1'}}")]
    [InlineData("{'path': '$a', 'includeArrayIndex': 'i'}", "{'a': 7}", "{'a': 7, 'i': null}")]
    public void An_array_is_unwound(string unwind, string documents, string expected) => Check($"{{'$unwind': {unwind}}}", documents, expected);

    [Theory]
    [InlineData("{'$sum': '$a'}", "6")]
    [InlineData("{'$sum': 1}", "4")]
    [InlineData("{'$sum': '$s'}", "0")]
    [InlineData("{'$avg': '$a'}", "{'$numberDouble': '2.0'}")]
    [InlineData("{'$avg': '$s'}", "null")]
    [InlineData("{'$min': '$a'}", "1")]
    [InlineData("{'$max': '$a'}", "3")]
    [InlineData("{'$max': '$none'}", "null")]
    [InlineData("{'$first': '$a'}", "1")]
    [InlineData("{'$last': '$a'}", "null")]
    [InlineData("{'$push': '$a'}", "[1, 2, 3]")]
    [InlineData("{'$addToSet': '$e'}", "[5]")]
    [InlineData("{'$count': {}}", "4")]
    [InlineData("{'$push': {'v': '$a', 's': '$s'}}", "[{'v': 1, 's': 'x'}, {'v': 2}, {'v': 3}, {}]")]
    [InlineData("{'$sum': {'$cond': [{'$gt': ['$a', 1]}, 1, 0]}}", "2")]
    public void A_group_is_accumulated(string accumulator, string expected)
        => Check($"{{'$group': {{'_id': null, 'v': {accumulator}}}}}", "{'a': 1, 's': 'x', 'e': 5}, {'a': 2, 'e': {'$numberLong': '5'}}, {'a': 3}, {}", $"{{'_id': null, 'v': {expected}}}");

    [Theory]
    [InlineData("'$a'", "{'a': 1}, {'a': {'$numberDouble': '1.0'}}, {'a': 'x'}", "{'_id': 1, 'n': 2}, {'_id': 'x', 'n': 1}")]
    [InlineData("'$a'", "{}, {'a': null}", "{'_id': null, 'n': 2}")]
    [InlineData("{'x': '$a', 'y': '$b'}", "{'a': 1, 'b': 1}, {'a': 1}, {'a': 1, 'b': 1}", "{'_id': {'x': 1, 'y': 1}, 'n': 2}, {'_id': {'x': 1}, 'n': 1}")]
    [InlineData("'$a'", "", "")]
    public void Groups_are_made_of_equal_keys(string id, string documents, string expected)
        => Check($"{{'$group': {{'_id': {id}, 'n': {{'$sum': 1}}}}}}", documents, expected);

    [Theory]
    [InlineData(40324, "{'$foo': 1}")]
    [InlineData(40323, "{}")]
    [InlineData(40323, "{'$match': {}, '$limit': 1}")]
    [InlineData(238, "{'$out': 'x'}")]
    [InlineData(238, "{'$graphLookup': {}}")]
    [InlineData(238, "{'$lookup': {'from': 'x', 'pipeline': [], 'as': 'y'}}")]
    [InlineData(15959, "{'$match': 1}")]
    [InlineData(2, "{'$match': {'a': {'$foo': 1}}}")]
    [InlineData(51272, "{'$project': {}}")]
    [InlineData(15969, "{'$project': 1}")]
    [InlineData(31254, "{'$project': {'a': 1, 'b': 0}}")]
    [InlineData(168, "{'$project': {'a': {'$foo': 1}}}")]
    [InlineData(168, "{'$addFields': {'a': {'$foo': 1}}}")]
    [InlineData(15947, "{'$group': 1}")]
    [InlineData(15955, "{'$group': {'n': {'$sum': 1}}}")]
    [InlineData(15952, "{'$group': {'_id': 1, 'n': {'$foo': 1}}}")]
    [InlineData(40234, "{'$group': {'_id': 1, 'n': 1}}")]
    [InlineData(40235, "{'$group': {'_id': 1, 'n.m': {'$sum': 1}}}")]
    [InlineData(40238, "{'$group': {'_id': 1, 'n': {'$sum': 1, '$avg': 1}}}")]
    [InlineData(15976, "{'$sort': {}}")]
    [InlineData(15958, "{'$limit': 0}")]
    [InlineData(2107201, "{'$limit': -1}")]
    [InlineData(2107200, "{'$skip': 'x'}")]
    [InlineData(40156, "{'$count': ''}")]
    [InlineData(28818, "{'$unwind': 'a'}")]
    [InlineData(40415, "{'$unwind': {'path': '$a', 'x': 1}}")]
    [InlineData(40415, "{'$lookup': {'from': 'x', 'localField': 'a', 'foreignField': 'b', 'as': 'c', 'z': 1}}")]
    [InlineData(40414, "{'$lookup': {'from': 'x', 'localField': 'a', 'as': 'c'}}")]
    [InlineData(40149, "{'$sortByCount': 1}")]
    [InlineData(40169, "{'$facet': {}}")]
    [InlineData(40170, "{'$facet': {'a': 1}}")]
    [InlineData(40228, "{'$replaceWith': '$a'}")]
    public void What_is_no_stage_is_an_error(int code, string stage)
        => Assert.Equal(code, Assert.Throws<ServerException>(() => Run(stage, "{'a': 1}")).Code);

    private static void Check(string stages, string documents, string expected)
        => Assert.Equal(Bson.Value($"[{expected}]").Items.Select(item => Bson.Json(item.Document)), Run(stages, documents));

    private static string[] Run(string stages, string documents)
    {
        var pipeline = new PipelineParser(_ => null).Parse(Bson.Value($"[{stages}]").Items.Select(item => item.Document));
        var input = Bson.Value($"[{documents}]").Items.Select(item => item.Document);
        return [.. PipelineParser.Run(pipeline, input).Select(Bson.Json)];
    }
}
