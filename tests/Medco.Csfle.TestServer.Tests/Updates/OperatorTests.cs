using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Updates;

namespace Medco.Csfle.TestServer.Tests.Updates;

/// <summary>What each update operator makes of a document.</summary>
public class OperatorTests
{
    [Theory]
    [InlineData("{}", "{'$set': {'a': 1}}", "{'a': 1}")]
    [InlineData("{'a': 1, 'b': 2}", "{'$set': {'a': {'x': [1]}}}", "{'a': {'x': [1]}, 'b': 2}")]
    [InlineData("{}", "{'$set': {'b': 1, 'a': 2, 'a2': 3}}", "{'a': 2, 'a2': 3, 'b': 1}")]
    [InlineData("{}", "{'$set': {'10': 1, '9': 2}}", "{'9': 2, '10': 1}")]
    [InlineData("{}", "{'$set': {'a.b.c': 1}}", "{'a': {'b': {'c': 1}}}")]
    [InlineData("{}", "{'$set': {'a.0': 1}}", "{'a': {'0': 1}}")]
    [InlineData("{'a': [1, 2]}", "{'$set': {'a.1': 5}}", "{'a': [1, 5]}")]
    [InlineData("{'a': [1]}", "{'$set': {'a.3': 5}}", "{'a': [1, null, null, 5]}")]
    [InlineData("{'a': [{'b': 1}, {'b': 2}]}", "{'$set': {'a.1.c': 3}}", "{'a': [{'b': 1}, {'b': 2, 'c': 3}]}")]
    [InlineData("{'a': 1}", "{'$set': {}}", "{'a': 1}")]
    [InlineData("{'a': 1, 'b': 2}", "{'$unset': {'a': ''}}", "{'b': 2}")]
    [InlineData("{'a': {'b': 1, 'c': 2}}", "{'$unset': {'a.b': 1}}", "{'a': {'c': 2}}")]
    [InlineData("{'a': [1, 2, 3]}", "{'$unset': {'a.1': 1}}", "{'a': [1, null, 3]}")]
    [InlineData("{'a': 1}", "{'$unset': {'b.c': 1, 'a.x': 1}}", "{'a': 1}")]
    [InlineData("{'a': null, 'b': null, 'c': 1}", "{'$unset': {'b': 1}}", "{'a': null, 'c': 1}")]
    [InlineData("{'a': 1}", "{'$setOnInsert': {'b': 1}}", "{'a': 1}")]
    public void Fields_are_set_and_unset(string document, string update, string expected) => Check(document, update, expected);

    [Theory]
    [InlineData("{'a': 1}", "[{'$set': {'b': {'$add': ['$a', 1]}}}, {'$unset': 'a'}]", "{'b': 2}")]
    [InlineData("{'a': ['x']}", "[{'$set': {'a': {'$cond': [{'$eq': ['$a', ['x']]}, '$$REMOVE', 1]}}}]", "{}")]
    [InlineData("{'a': ['x', 'y']}", "[{'$set': {'a': {'$filter': {'input': '$a', 'cond': {'$ne': ['$$this', 'x']}}}}}]", "{'a': ['y']}")]
    [InlineData("{}", "[{'$set': {'a': {'$filter': {'input': '$a', 'cond': {'$ne': ['$$this', 'x']}}}}}]", "{'a': null}")]
    public void Pipelines_are_applied(string document, string update, string expected) => Check(document, update, expected);

    [Theory]
    [InlineData("{'a': 1}", "{'$inc': {'a': 2}}", "{'a': 3}")]
    [InlineData("{}", "{'$inc': {'a.b': -2}}", "{'a': {'b': -2}}")]
    [InlineData("{'a': 2147483647}", "{'$inc': {'a': 1}}", "{'a': {'$numberLong': '2147483648'}}")]
    [InlineData("{'a': {'$numberLong': '5'}}", "{'$inc': {'a': 1}}", "{'a': {'$numberLong': '6'}}")]
    [InlineData("{'a': 1}", "{'$inc': {'a': 0.5}}", "{'a': 1.5}")]
    [InlineData("{'a': 1}", "{'$inc': {'a': {'$numberDecimal': '0.10'}}}", "{'a': {'$numberDecimal': '1.10'}}")]
    [InlineData("{'a': 0.1}", "{'$inc': {'a': {'$numberDecimal': '0.2'}}}", "{'a': {'$numberDecimal': '0.300000000000000'}}")]
    [InlineData("{'a': {'$numberDecimal': '9999999999999999999999999999999999'}}", "{'$inc': {'a': {'$numberDecimal': '0.5'}}}", "{'a': {'$numberDecimal': '1.000000000000000000000000000000000E+34'}}")]
    [InlineData("{'a': {'$numberDecimal': 'NaN'}}", "{'$inc': {'a': 1}}", "{'a': {'$numberDecimal': 'NaN'}}")]
    [InlineData("{'a': {'$numberDecimal': '-Infinity'}}", "{'$inc': {'a': 1}}", "{'a': {'$numberDecimal': '-Infinity'}}")]
    [InlineData("{'a': 3}", "{'$mul': {'a': 4}}", "{'a': 12}")]
    [InlineData("{'a': 65536}", "{'$mul': {'a': 65536}}", "{'a': {'$numberLong': '4294967296'}}")]
    [InlineData("{'a': {'$numberDecimal': '1.5'}}", "{'$mul': {'a': {'$numberDecimal': '1.50'}}}", "{'a': {'$numberDecimal': '2.250'}}")]
    [InlineData("{}", "{'$mul': {'a': 4}}", "{'a': 0}")]
    [InlineData("{}", "{'$mul': {'a': {'$numberDouble': '4.0'}}}", "{'a': 0.0}")]
    [InlineData("{'a': 5}", "{'$min': {'a': 3}}", "{'a': 3}")]
    [InlineData("{'a': 5}", "{'$min': {'a': 7}}", "{'a': 5}")]
    [InlineData("{'a': 5}", "{'$max': {'a': 7}}", "{'a': 7}")]
    [InlineData("{'a': 5}", "{'$max': {'a': 'x'}}", "{'a': 'x'}")]
    [InlineData("{}", "{'$max': {'a': 7}}", "{'a': 7}")]
    [InlineData("{'a': 13}", "{'$bit': {'a': {'and': 10}}}", "{'a': 8}")]
    [InlineData("{'a': 3}", "{'$bit': {'a': {'or': 5}}}", "{'a': 7}")]
    [InlineData("{'a': 1}", "{'$bit': {'a': {'xor': {'$numberLong': '5'}}}}", "{'a': {'$numberLong': '4'}}")]
    [InlineData("{}", "{'$bit': {'a': {'or': 5}}}", "{'a': 5}")]
    [InlineData("{'a': -1}", "{'$bit': {'a': {'and': -2}}}", "{'a': -2}")]
    public void Numbers_are_changed(string document, string update, string expected) => Check(document, update, expected);

    [Theory]
    [InlineData("{'a': 1, 'b': 2}", "{'$rename': {'a': 'c'}}", "{'b': 2, 'c': 1}")]
    [InlineData("{'a': 1, 'b': 2}", "{'$rename': {'a': 'b'}}", "{'b': 1}")]
    [InlineData("{'a': {'b': 1}}", "{'$rename': {'a.b': 'x.y'}}", "{'a': {}, 'x': {'y': 1}}")]
    [InlineData("{'a': 1}", "{'$rename': {'z': 'a'}}", "{'a': 1}")]
    public void Fields_are_renamed(string document, string update, string expected) => Check(document, update, expected);

    [Theory]
    [InlineData("{}", "{'$push': {'a': 1}}", "{'a': [1]}")]
    [InlineData("{'a': [1]}", "{'$push': {'a': [2, 3]}}", "{'a': [1, [2, 3]]}")]
    [InlineData("{'a': [1]}", "{'$push': {'a': {'b': 1}}}", "{'a': [1, {'b': 1}]}")]
    [InlineData("{'a': [1]}", "{'$push': {'a': {'$each': [2, 3]}}}", "{'a': [1, 2, 3]}")]
    [InlineData("{'a': [1]}", "{'$push': {'a': {'$each': []}}}", "{'a': [1]}")]
    [InlineData("{'a': [1, 2]}", "{'$push': {'a': {'$each': [3], '$position': 0}}}", "{'a': [3, 1, 2]}")]
    [InlineData("{'a': [1, 2]}", "{'$push': {'a': {'$each': [3], '$position': -1}}}", "{'a': [1, 3, 2]}")]
    [InlineData("{'a': [1, 2]}", "{'$push': {'a': {'$each': [3], '$position': 99}}}", "{'a': [1, 2, 3]}")]
    [InlineData("{'a': [1, 2]}", "{'$push': {'a': {'$each': [3], '$position': -99}}}", "{'a': [3, 1, 2]}")]
    [InlineData("{'a': [1, 2]}", "{'$push': {'a': {'$each': [3, 4], '$slice': -3}}}", "{'a': [2, 3, 4]}")]
    [InlineData("{'a': [1, 2]}", "{'$push': {'a': {'$each': [3, 4], '$slice': 3}}}", "{'a': [1, 2, 3]}")]
    [InlineData("{'a': [1, 2]}", "{'$push': {'a': {'$each': [3], '$slice': 0}}}", "{'a': []}")]
    [InlineData("{'a': [3, 1]}", "{'$push': {'a': {'$slice': 2, '$each': [2], '$sort': 1}}}", "{'a': [1, 2]}")]
    [InlineData("{'a': [{'s': 1, 'n': 'x'}]}", "{'$push': {'a': {'$each': [{'s': 3}, {'s': 2}], '$sort': {'s': -1}}}}", "{'a': [{'s': 3}, {'s': 2}, {'s': 1, 'n': 'x'}]}")]
    [InlineData("{'a': [1, 2]}", "{'$addToSet': {'a': 2}}", "{'a': [1, 2]}")]
    [InlineData("{'a': [1, 2]}", "{'$addToSet': {'a': 3}}", "{'a': [1, 2, 3]}")]
    [InlineData("{}", "{'$addToSet': {'a': [1]}}", "{'a': [[1]]}")]
    [InlineData("{'a': [1]}", "{'$addToSet': {'a': {'$each': [1, 2, 2]}}}", "{'a': [1, 2]}")]
    [InlineData("{'a': [{'x': 1, 'y': 2}]}", "{'$addToSet': {'a': {'y': 2, 'x': 1}}}", "{'a': [{'x': 1, 'y': 2}, {'y': 2, 'x': 1}]}")]
    [InlineData("{'a': [1, 2, 1]}", "{'$pull': {'a': 1}}", "{'a': [2]}")]
    [InlineData("{'a': [1, 5, 9]}", "{'$pull': {'a': {'$gte': 5}}}", "{'a': [1]}")]
    [InlineData("{'a': [1, 5, 9]}", "{'$pull': {'a': {'$in': [1, 9]}}}", "{'a': [5]}")]
    [InlineData("{'a': [{'x': 1, 'y': 2}, {'x': 2}]}", "{'$pull': {'a': {'x': 1}}}", "{'a': [{'x': 2}]}")]
    [InlineData("{'a': [{'x': 1}, {'x': 7}, 3]}", "{'$pull': {'a': {'x': {'$gt': 5}}}}", "{'a': [{'x': 1}, 3]}")]
    [InlineData("{'a': [{'x': 1}, {'x': 7}]}", "{'$pull': {'a': {'$or': [{'x': 1}, {'x': 2}]}}}", "{'a': [{'x': 7}]}")]
    [InlineData("{'a': ['x', 'yy']}", "{'$pull': {'a': {'$regularExpression': {'pattern': '^y', 'options': ''}}}}", "{'a': ['x']}")]
    [InlineData("{'a': [[1], 1]}", "{'$pull': {'a': [1]}}", "{'a': [1]}")]
    [InlineData("{'b': 1}", "{'$pull': {'a': 1}}", "{'b': 1}")]
    [InlineData("{'a': [1, 2, 3, 1]}", "{'$pullAll': {'a': [1, 3]}}", "{'a': [2]}")]
    [InlineData("{'a': [1, 2, 3]}", "{'$pop': {'a': 1}}", "{'a': [1, 2]}")]
    [InlineData("{'a': [1, 2, 3]}", "{'$pop': {'a': -1}}", "{'a': [2, 3]}")]
    [InlineData("{'a': []}", "{'$pop': {'a': 1}}", "{'a': []}")]
    [InlineData("{}", "{'$pop': {'a': 1}}", "{}")]
    public void Arrays_are_changed(string document, string update, string expected) => Check(document, update, expected);

    [Theory]
    [InlineData("{'a': [1, 5, 9]}", "{'a': 5}", "{'$set': {'a.$': 0}}", "{'a': [1, 0, 9]}")]
    [InlineData("{'a': [1, 5, 9]}", "{'a': {'$gt': 3}}", "{'$inc': {'a.$': 1}}", "{'a': [1, 6, 9]}")]
    [InlineData("{'a': [{'b': 1}, {'b': 2}]}", "{'a.b': 2}", "{'$set': {'a.$.c': 3}}", "{'a': [{'b': 1}, {'b': 2, 'c': 3}]}")]
    [InlineData("{'a': [{'b': 1, 'c': 1}, {'b': 2, 'c': 9}]}", "{'a': {'$elemMatch': {'b': 2, 'c': {'$gt': 5}}}}", "{'$set': {'a.$.b': 0}}", "{'a': [{'b': 1, 'c': 1}, {'b': 0, 'c': 9}]}")]
    [InlineData("{'_id': 1, 'a': [1, 2]}", "{'_id': 1, 'a': 2}", "{'$unset': {'a.$': 1}}", "{'_id': 1, 'a': [1, null]}")]
    [InlineData("{'x': {'a': [1, 2]}}", "{'$and': [{'x.a': 2}]}", "{'$set': {'x.a.$': 7}}", "{'x': {'a': [1, 7]}}")]
    [InlineData("{'a': [1, 2], 'b': [2, 3]}", "{'a': 2, 'b': 2}", "{'$set': {'a.$': 7}}", "{'a': [1, 7], 'b': [2, 3]}")]
    [InlineData("{'a': [1, 2, 3]}", "{'$or': [{'z': 1}, {'a': 3}]}", "{'$set': {'a.$': 7}}", "{'a': [1, 2, 7]}")]
    public void The_positional_operator_is_the_element_that_matched(string document, string filter, string update, string expected)
        => Check(document, update, expected, filter);

    [Theory]
    [InlineData("{'a': [1, 5, 9]}", "{'$inc': {'a.$[]': 1}}", "", "{'a': [2, 6, 10]}")]
    [InlineData("{'a': [1, 5, 9]}", "{'$set': {'a.$[x]': 0}}", "{'x': {'$gt': 3}}", "{'a': [1, 0, 0]}")]
    [InlineData("{'a': [{'b': 1}, {'b': 2}]}", "{'$set': {'a.$[x].c': 0}}", "{'x.b': 2}", "{'a': [{'b': 1}, {'b': 2, 'c': 0}]}")]
    [InlineData("{'a': [{'b': [1, 2]}, {'b': [3]}]}", "{'$inc': {'a.$[].b.$[y]': 10}}", "{'y': {'$gte': 2}}", "{'a': [{'b': [1, 12]}, {'b': [13]}]}")]
    [InlineData("{'a': [1, 2, 3]}", "{'$set': {'a.$[x]': 0}}", "{'$or': [{'x': 1}, {'x': 3}]}", "{'a': [0, 2, 0]}")]
    [InlineData("{'a': [1, 2]}", "{'$set': {'a.$[x]': 0}}", "{'x': 7}", "{'a': [1, 2]}")]
    [InlineData("{'a': [{'b': [1]}, {'b': [2]}]}", "{'$push': {'a.$[].b': 5}}", "", "{'a': [{'b': [1, 5]}, {'b': [2, 5]}]}")]
    public void Placeholders_are_all_elements_that_a_filter_lets_through(string document, string update, string filters, string expected)
        => Check(document, update, expected, arrayFilters: filters);

    [Theory]
    [InlineData(40, "{'$set': {'a': 1}, '$inc': {'a': 1}}")]
    [InlineData(40, "{'$set': {'a': 1, 'a.b': 1}}")]
    [InlineData(40, "{'$set': {'a.b': 1}, '$unset': {'a': 1}}")]
    [InlineData(40, "{'$rename': {'x': 'y'}, '$set': {'y': 1}}")]
    [InlineData(28, "{'$set': {'n.x': 1}}")]
    [InlineData(28, "{'$inc': {'s.x': 1}}")]
    [InlineData(28, "{'$set': {'l.x': 1}}")]
    [InlineData(28, "{'$set': {'z.x': 1}}")]
    [InlineData(56, "{'$set': {'': 1}}")]
    [InlineData(56, "{'$set': {'a.': 1}}")]
    [InlineData(52, "{'$set': {'$a': 1}}")]
    [InlineData(9, "{'$foo': {'a': 1}}")]
    [InlineData(9, "{'$set': {'a': 1}, 'b': 1}")]
    [InlineData(9, "{'$set': 1}")]
    [InlineData(52, "{'a': 1, '$set': {'b': 1}}")]
    [InlineData(14, "{'$inc': {'a': 'x'}}")]
    [InlineData(14, "{'$inc': {'s': 1}}")]
    [InlineData(14, "{'$mul': {'s': 1}}")]
    [InlineData(2, "{'$inc': {'big': 1}}")]
    [InlineData(2, "{'$push': {'n': 1}}")]
    [InlineData(2, "{'$push': {'l': {'$each': 1}}}")]
    [InlineData(2, "{'$push': {'l': {'$each': [1], '$foo': 1}}}")]
    [InlineData(2, "{'$push': {'l': {'$each': [1], '$sort': 2}}}")]
    [InlineData(2, "{'$push': {'l': {'$each': [1], '$slice': 1.5}}}")]
    [InlineData(2, "{'$addToSet': {'n': 1}}")]
    [InlineData(2, "{'$addToSet': {'l': {'$each': [1], 'x': 1}}}")]
    [InlineData(2, "{'$pull': {'n': 1}}")]
    [InlineData(2, "{'$pull': {'l': {'$foo': 1}}}")]
    [InlineData(2, "{'$pullAll': {'l': 1}}")]
    [InlineData(14, "{'$pop': {'n': 1}}")]
    [InlineData(9, "{'$pop': {'l': 2}}")]
    [InlineData(2, "{'$bit': {'n': {'nand': 1}}}")]
    [InlineData(2, "{'$bit': {'s': {'or': 1}}}")]
    [InlineData(2, "{'$bit': {'n': {'or': 1.5}}}")]
    [InlineData(2, "{'$rename': {'n': 'n'}}")]
    [InlineData(2, "{'$rename': {'n': 1}}")]
    [InlineData(2, "{'$rename': {'l.0': 'x'}}")]
    [InlineData(2, "{'$rename': {'n': 'l.0'}}")]
    [InlineData(2, "{'$currentDate': {'n': 1}}")]
    [InlineData(2, "{'$currentDate': {'n': {'$type': 'year'}}}")]
    [InlineData(2, "{'$set': {'l.$': 1}}")]
    [InlineData(2, "{'$set': {'n.$[]': 1}}")]
    [InlineData(2, "{'$set': {'q.$[]': 1}}")]
    [InlineData(2, "{'$set': {'l.$[x]': 1}}")]
    [InlineData(2, "{'$set': {'$[]': 1}}")]
    [InlineData(2, "{'$set': {'l.1500003': 1}}")]
    public void What_cannot_be_is_an_error(int code, string update)
        => Assert.Equal(code, Error("{'n': 1, 's': 'x', 'l': [1, 2], 'z': null, 'big': {'$numberLong': '9223372036854775807'}}", update, ""));

    [Theory]
    [InlineData(9, "{'$set': {'a.$[x]': 1}}", "{'x': 1}, {'x': 2}")]
    [InlineData(9, "{'$set': {'a.$[x]': 1}}", "{'x': 1}, {'y': 2}")]
    [InlineData(9, "{'$set': {'a.$[x]': 1}}", "{'x': 1, 'y': 2}")]
    [InlineData(9, "{'$set': {'a.$[x]': 1}}", "{}")]
    [InlineData(2, "{'$set': {'a.$[X]': 1}}", "{'X': 1}")]
    [InlineData(2, "{'$set': {'a.$[x]': 1}}", "{'x': {'$foo': 1}}")]
    [InlineData(9, "{'b': 1}", "{'x': 1}")]
    [InlineData(40, "{'$set': {'a.$[x]': 1, 'a.0': 2}}", "{'x': 1}")]
    public void Array_filters_that_cannot_be_are_errors(int code, string update, string filters)
        => Assert.Equal(code, Error("{'a': [1, 2]}", update, filters));

    [Theory]
    [InlineData("{'$currentDate': {'a': true}}", Engine.Bson.BsonType.DateTime)]
    [InlineData("{'$currentDate': {'a': {'$type': 'date'}}}", Engine.Bson.BsonType.DateTime)]
    [InlineData("{'$currentDate': {'a': {'$type': 'timestamp'}}}", Engine.Bson.BsonType.Timestamp)]
    internal void The_current_date_is_a_date_or_a_timestamp(string update, Engine.Bson.BsonType type)
    {
        var value = Apply("{}", update).Find("a")!;
        Assert.Equal(type, value.Type);
        var seconds = type == Engine.Bson.BsonType.DateTime ? value.Int64 / 1000 : value.Int64 >> 32;
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds, 0, 60);
    }

    [Fact]
    public void What_is_not_named_keeps_its_very_bytes()
    {
        // Names of array elements that are no numbers would be written anew by a server that takes arrays apart.
        byte[] odd = [0x1A, 0, 0, 0, 0x04, (byte)'b', 0, 0x0C, 0, 0, 0, 0x10, (byte)'x', 0, 1, 0, 0, 0, 0, 0x0A, (byte)'n', 0, 0x0A, (byte)'n', 0, 0];
        var updated = UpdateParser.Parse(Bson.Value("{'$set': {'z': 1}}"), [])
            .Apply(TestServer.Values.Document.Parse(odd), MatchParser.Parse(TestServer.Values.Document.Empty), isInsert: false);
        Assert.Equal(odd[4..^1], updated.Bytes.ToArray()[4..(odd.Length - 1)]);
    }

    private static void Check(string document, string update, string expected, string filter = "{}", string arrayFilters = "")
        => Assert.Equal(Bson.Json(Bson.Document(expected)), Bson.Json(Apply(document, update, filter, arrayFilters)));

    private static int Error(string document, string update, string arrayFilters)
        => Assert.Throws<ServerException>(() => Apply(document, update, "{}", arrayFilters)).Code;

    private static TestServer.Values.Document Apply(string document, string update, string filter = "{}", string arrayFilters = "")
    {
        var filters = Bson.Value($"[{arrayFilters}]").Items.Select(item => item.Document).ToArray();
        return UpdateParser.Parse(Bson.Value(update), filters).Apply(Bson.Document(document), MatchParser.Parse(Bson.Document(filter)), isInsert: false);
    }
}
