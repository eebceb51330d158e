using Medco.Csfle.TestServer.Query;

namespace Medco.Csfle.TestServer.Tests.Query;

/// <summary>MongoDB's query semantics, case by case: document, filter, whether it matches.</summary>
public class MatchTests
{
    public static TheoryData<string, string, bool> Equality => new()
    {
        { "{}", "{}", true },
        { "{'a': 1}", "{'a': 1}", true },
        { "{'a': 1}", "{'a': 2}", false },
        { "{'a': 1}", "{'a': {'$eq': 1}}", true },
        { "{'a': 1}", "{'a': {'$ne': 1}}", false },
        { "{'a': 2}", "{'a': {'$ne': 1}}", true },
        { "{}", "{'a': {'$ne': 1}}", true },
        { "{'a': 1, 'b': 2}", "{'a': 1, 'b': 3}", false },
        // Numbers are equal across their types.
        { "{'a': {'$numberLong': '1'}}", "{'a': 1}", true },
        { "{'a': {'$numberDouble': '1.0'}}", "{'a': 1}", true },
        { "{'a': {'$numberDecimal': '1.0'}}", "{'a': {'$numberDouble': '1.0'}}", true },
        { "{'a': {'$numberDecimal': '0.1'}}", "{'a': {'$numberDouble': '0.1'}}", false },
        { "{'a': {'$numberLong': '9007199254740993'}}", "{'a': {'$numberDouble': '9007199254740992'}}", false },
        { "{'a': {'$numberDouble': '-0.0'}}", "{'a': 0}", true },
        // Other types are not.
        { "{'a': '1'}", "{'a': 1}", false },
        { "{'a': true}", "{'a': 1}", false },
        { "{'a': {'$symbol': 'x'}}", "{'a': 'x'}", true },
        { "{'a': {'$date': {'$numberLong': '5'}}}", "{'a': {'$timestamp': {'t': 0, 'i': 5}}}", false },
        // Documents are equal with all their fields in the same order.
        { "{'a': {'b': 1, 'c': 2}}", "{'a': {'b': 1, 'c': 2}}", true },
        { "{'a': {'b': 1, 'c': 2}}", "{'a': {'c': 2, 'b': 1}}", false },
        { "{'a': {'b': 1, 'c': 2}}", "{'a': {'b': 1}}", false },
        { "{'a': {'b': {'$numberLong': '1'}}}", "{'a': {'b': 1}}", true },
        { "{'a': {'$ref': 'c', '$id': 1}}", "{'a': {'$ref': 'c', '$id': 1}}", true },
        // Binary data: length, subtype and bytes.
        { "{'a': {'$binary': {'base64': 'AQI=', 'subType': '06'}}}", "{'a': {'$binary': {'base64': 'AQI=', 'subType': '06'}}}", true },
        { "{'a': {'$binary': {'base64': 'AQI=', 'subType': '06'}}}", "{'a': {'$binary': {'base64': 'AQI=', 'subType': '00'}}}", false },
        { "{'a': {'$binary': {'base64': 'AQI=', 'subType': '06'}}}", "{'a': {'$binary': {'base64': 'AQM=', 'subType': '06'}}}", false },
        { "{'a': 1}", "{'a': 1, '$comment': 'anything'}", true },
    };

    public static TheoryData<string, string, bool> NullAndMissing => new()
    {
        { "{'a': null}", "{'a': null}", true },
        { "{}", "{'a': null}", true },
        { "{'a': {'$undefined': true}}", "{'a': null}", true },
        { "{'a': 0}", "{'a': null}", false },
        { "{'a': [null]}", "{'a': null}", true },
        { "{'a': []}", "{'a': null}", false },
        { "{'a': {'b': 1}}", "{'a.c': null}", true },
        { "{'a': 5}", "{'a.b': null}", true },
        { "{'a': [{'b': 1}, {}]}", "{'a.b': null}", true },
        { "{'a': [{'b': 1}, {'b': 2}]}", "{'a.b': null}", false },
        { "{'a': [1, 2]}", "{'a.b': null}", false },
        { "{}", "{'a': {'$ne': null}}", false },
        { "{'a': 1}", "{'a': {'$ne': null}}", true },
        { "{}", "{'a': {'$gte': null}}", true },
        { "{}", "{'a': {'$gt': null}}", false },
        { "{}", "{'a': {'$in': [null]}}", true },
        { "{}", "{'a': {'$in': [1]}}", false },
        { "{}", "{'a': {'$nin': [null]}}", false },
        { "{'a': null}", "{'a': {'$exists': true}}", true },
        { "{}", "{'a': {'$exists': true}}", false },
        { "{}", "{'a': {'$exists': false}}", true },
        { "{}", "{'a': {'$exists': 0}}", true },
        { "{'a': []}", "{'a': {'$exists': true}}", true },
        { "{'a': [{'b': 1}, {}]}", "{'a.b': {'$exists': false}}", false },
        { "{'a': []}", "{'a.b': {'$exists': false}}", true },
    };

    public static TheoryData<string, string, bool> Ranges => new()
    {
        { "{'a': 5}", "{'a': {'$gt': 4}}", true },
        { "{'a': 5}", "{'a': {'$gt': 5}}", false },
        { "{'a': 5}", "{'a': {'$gte': 5}}", true },
        { "{'a': 5}", "{'a': {'$lt': 5.5}}", true },
        { "{'a': 5}", "{'a': {'$lte': {'$numberDecimal': '4.9999'}}}", false },
        { "{'a': 5}", "{'a': {'$gt': 1, '$lt': 10}}", true },
        { "{'a': 5}", "{'a': {'$gt': 1, '$lt': 4}}", false },
        // Only values of the operand's bracket compare.
        { "{'a': 'x'}", "{'a': {'$gt': 5}}", false },
        { "{'a': 5}", "{'a': {'$lt': 'x'}}", false },
        { "{}", "{'a': {'$lt': 5}}", false },
        { "{'a': null}", "{'a': {'$lt': 5}}", false },
        { "{'a': 'b'}", "{'a': {'$gt': 'a'}}", true },
        { "{'a': 'B'}", "{'a': {'$gt': 'a'}}", false },
        { "{'a': true}", "{'a': {'$gt': false}}", true },
        { "{'a': {'$date': '2024-01-01T00:00:00Z'}}", "{'a': {'$lt': {'$date': '2024-01-02T00:00:00Z'}}}", true },
        { "{'a': {'b': 2}}", "{'a': {'$gt': {'b': 1}}}", true },
        // NaN equals NaN and is neither above nor below anything.
        { "{'a': {'$numberDouble': 'NaN'}}", "{'a': {'$numberDecimal': 'NaN'}}", true },
        { "{'a': {'$numberDouble': 'NaN'}}", "{'a': {'$lt': 5}}", false },
        { "{'a': {'$numberDouble': 'NaN'}}", "{'a': {'$gt': 5}}", false },
        { "{'a': {'$numberDouble': 'NaN'}}", "{'a': {'$gte': {'$numberDouble': 'NaN'}}}", true },
        { "{'a': 5}", "{'a': {'$lte': {'$numberDouble': 'NaN'}}}", false },
        { "{'a': 5}", "{'a': {'$lt': {'$numberDouble': 'Infinity'}}}", true },
        // MinKey and MaxKey compare with everything.
        { "{'a': 5}", "{'a': {'$gt': {'$minKey': 1}}}", true },
        { "{'a': 'x'}", "{'a': {'$lt': {'$maxKey': 1}}}", true },
        { "{'a': 5}", "{'a': {'$gt': {'$maxKey': 1}}}", false },
        { "{'a': 5}", "{'a': {'$minKey': 1}}", false },
        { "{'a': {'$minKey': 1}}", "{'a': {'$minKey': 1}}", true },
    };

    public static TheoryData<string, string, bool> Arrays => new()
    {
        { "{'a': [1, 2, 3]}", "{'a': 2}", true },
        { "{'a': [1, 2, 3]}", "{'a': [1, 2, 3]}", true },
        { "{'a': [1, 2, 3]}", "{'a': [1, 2]}", false },
        { "{'a': [[1, 2], 3]}", "{'a': [1, 2]}", true },
        { "{'a': [[1, 2], 3]}", "{'a': 1}", false },
        { "{'a': [1, 9]}", "{'a': {'$gt': 3, '$lt': 5}}", true },
        { "{'a': [1, 2, 3]}", "{'a': {'$ne': 2}}", false },
        { "{'a': [1, 2, 3]}", "{'a': {'$not': {'$gt': 2}}}", false },
        { "{'a': [1, 2, 3]}", "{'a': {'$gt': [1, 2]}}", true },
        { "{'a': [1, 2, 3]}", "{'a.0': 1}", true },
        { "{'a': [1, 2, 3]}", "{'a.1': 1}", false },
        { "{'a': [1, 2, 3]}", "{'a.3': {'$exists': true}}", false },
        { "{'a': [[1, 2], [3]]}", "{'a.0': 2}", true },
        { "{'a': [[1, 2], [3]]}", "{'a.0.1': 2}", true },
        { "{'a': [{'b': 1}, {'b': 2}]}", "{'a.b': 2}", true },
        { "{'a': [{'b': 1}, {'b': 2}]}", "{'a.0.b': 2}", false },
        { "{'a': [{'b': 1}, {'b': 2}]}", "{'a.1.b': 2}", true },
        { "{'a': [{'b': [1, 2]}, {'b': [3]}]}", "{'a.b': 3}", true },
        { "{'a': [{'b': [1, 2]}, {'b': [3]}]}", "{'a.b': [1, 2]}", true },
        { "{'a': [[{'b': 1}]]}", "{'a.b': 1}", false },
        { "{'a': [[{'b': 1}]]}", "{'a.0.b': 1}", true },
        { "{'a': {'0': 7}}", "{'a.0': 7}", true },
        { "{'a': [{'0': 7}]}", "{'a.0': 7}", true },
        { "{'a': [1, 2]}", "{'a': {'$size': 2}}", true },
        { "{'a': [1, 2]}", "{'a': {'$size': 1}}", false },
        { "{'a': 1}", "{'a': {'$size': 1}}", false },
        { "{'a': [[1], 2]}", "{'a': {'$size': 1}}", false },
        { "{'a': [1, 2, 3]}", "{'a': {'$all': [1, 3]}}", true },
        { "{'a': [1, 2, 3]}", "{'a': {'$all': [1, 4]}}", false },
        { "{'a': 1}", "{'a': {'$all': [1]}}", true },
        { "{'a': [1]}", "{'a': {'$all': []}}", false },
        { "{'a': [[1, 2]]}", "{'a': {'$all': [[1, 2]]}}", true },
        { "{'a': ['ab', 'cd']}", "{'a': {'$all': [{'$regularExpression': {'pattern': '^a', 'options': ''}}, 'cd']}}", true },
        { "{'a': [{'b': 1, 'c': 1}, {'b': 2, 'c': 2}]}", "{'a': {'$all': [{'$elemMatch': {'b': 1, 'c': 1}}, {'$elemMatch': {'b': 2}}]}}", true },
        { "{'a': [{'b': 1, 'c': 1}, {'b': 2, 'c': 2}]}", "{'a': {'$all': [{'$elemMatch': {'b': 1, 'c': 2}}]}}", false },
        { "{'a': [1, 9]}", "{'a': {'$elemMatch': {'$gt': 3, '$lt': 5}}}", false },
        { "{'a': [1, 4]}", "{'a': {'$elemMatch': {'$gt': 3, '$lt': 5}}}", true },
        { "{'a': 4}", "{'a': {'$elemMatch': {'$gt': 3}}}", false },
        { "{'a': [[4]]}", "{'a': {'$elemMatch': {'$gt': 3}}}", false },
        { "{'a': [[4]]}", "{'a': {'$elemMatch': {'$elemMatch': {'$gt': 3}}}}", true },
        { "{'a': [{'b': 1, 'c': 2}, {'b': 2, 'c': 1}]}", "{'a': {'$elemMatch': {'b': 1, 'c': 1}}}", false },
        { "{'a': [{'b': 1, 'c': 2}, {'b': 2, 'c': 1}]}", "{'a.b': 1, 'a.c': 1}", true },
        { "{'a': [{'b': 1, 'c': 2}]}", "{'a': {'$elemMatch': {'$or': [{'b': 5}, {'c': 2}]}}}", true },
        { "{'a': [1, 2]}", "{'a': {'$elemMatch': {'$ne': 1}}}", true },
        { "{'a': [1, 1]}", "{'a': {'$elemMatch': {'$not': {'$eq': 1}}}}", false },
        { "{'a': [{}]}", "{'a': {'$elemMatch': {}}}", true },
    };

    public static TheoryData<string, string, bool> SetsAndLogic => new()
    {
        { "{'a': 2}", "{'a': {'$in': [1, 2]}}", true },
        { "{'a': 3}", "{'a': {'$in': [1, 2]}}", false },
        { "{'a': 3}", "{'a': {'$in': []}}", false },
        { "{'a': 3}", "{'a': {'$nin': []}}", true },
        { "{'a': {'$numberLong': '2'}}", "{'a': {'$in': [1, 2]}}", true },
        { "{'a': [5, 2]}", "{'a': {'$in': [1, 2]}}", true },
        { "{'a': [5, 2]}", "{'a': {'$nin': [1, 2]}}", false },
        { "{'a': [5, 2]}", "{'a': {'$in': [[5, 2]]}}", true },
        { "{'a': 'abc'}", "{'a': {'$in': [{'$regularExpression': {'pattern': '^ab', 'options': ''}}]}}", true },
        { "{'a': {'$numberDouble': 'NaN'}}", "{'a': {'$in': [1, {'$numberDouble': 'NaN'}]}}", true },
        { "{'a': 1, 'b': 2}", "{'$and': [{'a': 1}, {'b': 2}]}", true },
        { "{'a': 1, 'b': 2}", "{'$and': [{'a': 1}, {'b': 1}]}", false },
        { "{'a': 1}", "{'$or': [{'a': 2}, {'a': 1}]}", true },
        { "{'a': 3}", "{'$or': [{'a': 2}, {'a': 1}]}", false },
        { "{'a': 3}", "{'$nor': [{'a': 2}, {'a': 1}]}", true },
        { "{'a': 1}", "{'$nor': [{'a': 2}, {'a': 1}]}", false },
        { "{'a': 1}", "{'a': {'$not': {'$gt': 2}}}", true },
        { "{}", "{'a': {'$not': {'$gt': 2}}}", true },
        { "{'a': 5}", "{'a': {'$not': {'$gt': 2, '$lt': 4}}}", true },
        { "{'a': 'abc'}", "{'a': {'$not': {'$regularExpression': {'pattern': 'b', 'options': ''}}}}", false },
    };

    public static TheoryData<string, string, bool> TypesNumbersAndText => new()
    {
        { "{'a': 1}", "{'a': {'$type': 'int'}}", true },
        { "{'a': 1}", "{'a': {'$type': 16}}", true },
        { "{'a': 1}", "{'a': {'$type': 'long'}}", false },
        { "{'a': 1.5}", "{'a': {'$type': 'number'}}", true },
        { "{'a': 'x'}", "{'a': {'$type': ['int', 'string']}}", true },
        { "{'a': ['x']}", "{'a': {'$type': 'string'}}", true },
        { "{'a': ['x']}", "{'a': {'$type': 'array'}}", true },
        { "{'a': [[]]}", "{'a': {'$type': 'array'}}", true },
        { "{'a': {'$minKey': 1}}", "{'a': {'$type': -1}}", true },
        { "{}", "{'a': {'$type': 'null'}}", false },
        { "{'a': 7}", "{'a': {'$mod': [4, 3]}}", true },
        { "{'a': 7.9}", "{'a': {'$mod': [4, 3]}}", true },
        { "{'a': -7}", "{'a': {'$mod': [4, -3]}}", true },
        { "{'a': 'x'}", "{'a': {'$mod': [4, 3]}}", false },
        { "{'a': {'$numberLong': '-9223372036854775808'}}", "{'a': {'$mod': [-1, 0]}}", true },
        { "{'a': [1, 7]}", "{'a': {'$mod': [4, 3]}}", true },
        { "{'a': 'Hello'}", "{'a': {'$regex': 'ell'}}", true },
        { "{'a': 'Hello'}", "{'a': {'$regex': '^hel'}}", false },
        { "{'a': 'Hello'}", "{'a': {'$regex': '^hel', '$options': 'i'}}", true },
        { "{'a': 'Hello'}", "{'a': {'$options': 'i', '$regex': '^hel'}}", true },
        { "{'a': 'a\\nb'}", "{'a': {'$regex': '^b', '$options': 'm'}}", true },
        { "{'a': 'a\\nb'}", "{'a': {'$regex': 'a.b', '$options': 's'}}", true },
        { "{'a': 'ab'}", "{'a': {'$regex': 'a b', '$options': 'x'}}", true },
        { "{'a': ['x', 'Hello']}", "{'a': {'$regularExpression': {'pattern': 'ell', 'options': ''}}}", true },
        { "{'a': 5}", "{'a': {'$regex': '5'}}", false },
        { "{'a': {'$regularExpression': {'pattern': 'ell', 'options': ''}}}", "{'a': {'$regularExpression': {'pattern': 'ell', 'options': ''}}}", true },
        { "{'a': 'Hello'}", "{'a': {'$eq': {'$regularExpression': {'pattern': 'ell', 'options': ''}}}}", false },
        { "{'a': 54}", "{'a': {'$bitsAllSet': 50}}", true },
        { "{'a': 54}", "{'a': {'$bitsAllSet': [1, 5]}}", true },
        { "{'a': 54}", "{'a': {'$bitsAllSet': [0]}}", false },
        { "{'a': 54}", "{'a': {'$bitsAllClear': [0, 3]}}", true },
        { "{'a': 54}", "{'a': {'$bitsAnySet': [0, 1]}}", true },
        { "{'a': 54}", "{'a': {'$bitsAnyClear': [1, 2]}}", false },
        { "{'a': -1}", "{'a': {'$bitsAllSet': [0, 200]}}", true },
        { "{'a': 1.5}", "{'a': {'$bitsAllSet': [0]}}", false },
        { "{'a': {'$binary': {'base64': 'Ng==', 'subType': '00'}}}", "{'a': {'$bitsAllSet': {'$binary': {'base64': 'Mg==', 'subType': '00'}}}}", true },
        { "{'a': {'$binary': {'base64': 'Ng==', 'subType': '00'}}}", "{'a': {'$bitsAllClear': [200]}}", true },
        { "{'a': 1}", "{'$jsonSchema': {'required': ['a'], 'properties': {'a': {'bsonType': 'int'}}}}", true },
        { "{'a': 'x'}", "{'$jsonSchema': {'properties': {'a': {'bsonType': 'int'}}}}", false },
    };

    [Theory]
    [MemberData(nameof(Equality))]
    [MemberData(nameof(NullAndMissing))]
    [MemberData(nameof(Ranges))]
    [MemberData(nameof(Arrays))]
    [MemberData(nameof(SetsAndLogic))]
    [MemberData(nameof(TypesNumbersAndText))]
    public void A_filter_matches_what_MongoDB_s_manual_says(string document, string filter, bool matches)
        => Assert.Equal(matches, MatchParser.Parse(Bson.Document(filter)).Matches(Bson.Document(document)));

    [Theory]
    [InlineData("$geoWithin")]
    [InlineData("$geoIntersects")]
    public void What_is_no_geometry_lies_nowhere_and_what_may_be_one_is_refused(string name)
    {
        var filter = MatchParser.Parse(Bson.Document($"{{'a': {{'{name}': {{'$geometry': {{'type': 'Point', 'coordinates': [0, 0]}}}}}}}}"));
        Assert.False(filter.Matches(Bson.Document("{}")));
        Assert.False(filter.Matches(Bson.Document("{'a': 'x'}")));
        Assert.Equal(238, Assert.Throws<ServerException>(() => filter.Matches(Bson.Document("{'a': [0, 0]}"))).Code);
        Assert.Equal(238, Assert.Throws<ServerException>(() => filter.Matches(Bson.Document("{'a': {'type': 'Point', 'coordinates': [0, 0]}}"))).Code);
    }

    [Theory]
    [InlineData(2, "unknown operator: $foo", "{'a': {'$foo': 1}}")]
    [InlineData(2, "unknown operator: b", "{'a': {'$gt': 1, 'b': 2}}")]
    [InlineData(2, "unknown operator: $foo", "{'a': {'$not': {'$foo': 1}}}")]
    [InlineData(2, "unknown operator: $and", "{'a': {'$and': []}}")]
    [InlineData(2, "unknown top level operator: $foo", "{'$foo': 1}")]
    [InlineData(2, "unknown top level operator: $gt", "{'$gt': 1}")]
    [InlineData(238, "$expr", "{'$expr': {'$eq': ['$a', 1]}}")]
    [InlineData(238, "$where", "{'$where': 'true'}")]
    [InlineData(238, "$text", "{'$text': {'$search': 'x'}}")]
    [InlineData(238, "$within", "{'a': {'$within': {}}}")]
    [InlineData(291, "unable to find index for $geoNear query", "{'a': {'$near': [0, 0]}}")]
    [InlineData(291, "unable to find index for $geoNear query", "{'a': {'$nearSphere': [0, 0]}}")]
    [InlineData(2, "$geoWithin must be an object", "{'a': {'$geoWithin': 1}}")]
    [InlineData(2, "$and must be an array", "{'$and': {}}")]
    [InlineData(2, "nonempty array", "{'$or': []}")]
    [InlineData(2, "full objects", "{'$nor': [1]}")]
    [InlineData(2, "$in needs an array", "{'a': {'$in': 1}}")]
    [InlineData(2, "cannot nest $ under $in", "{'a': {'$in': [{'$gt': 1}]}}")]
    [InlineData(2, "$nin needs an array", "{'a': {'$nin': 1}}")]
    [InlineData(2, "$all needs an array", "{'a': {'$all': 1}}")]
    [InlineData(2, "no $ expressions in $all", "{'a': {'$all': [{'$gt': 1}]}}")]
    [InlineData(2, "consistent", "{'a': {'$all': [{'$elemMatch': {}}, 1]}}")]
    [InlineData(2, "$elemMatch needs an Object", "{'a': {'$elemMatch': 1}}")]
    [InlineData(2, "$not needs a regex or a document", "{'a': {'$not': 1}}")]
    [InlineData(2, "$not cannot be empty", "{'a': {'$not': {}}}")]
    [InlineData(9, "$size", "{'a': {'$size': 'x'}}")]
    [InlineData(9, "$size", "{'a': {'$size': -1}}")]
    [InlineData(9, "$size", "{'a': {'$size': 1.5}}")]
    [InlineData(2, "malformed mod", "{'a': {'$mod': [1]}}")]
    [InlineData(2, "malformed mod", "{'a': {'$mod': [1, 2, 3]}}")]
    [InlineData(2, "divisor cannot be 0", "{'a': {'$mod': [0, 1]}}")]
    [InlineData(2, "$options needs a $regex", "{'a': {'$options': 'i'}}")]
    [InlineData(51091, "invalid", "{'a': {'$regex': '('}}")]
    [InlineData(51108, "invalid flag", "{'a': {'$regex': 'a', '$options': 'q'}}")]
    [InlineData(51075, "both", "{'a': {'$regex': {'$regularExpression': {'pattern': 'a', 'options': 'i'}}, '$options': 'i'}}")]
    [InlineData(2, "regex as arg to $ne", "{'a': {'$ne': {'$regularExpression': {'pattern': 'a', 'options': ''}}}}")]
    [InlineData(2, "RegEx as arg", "{'a': {'$gt': {'$regularExpression': {'pattern': 'a', 'options': ''}}}}")]
    [InlineData(2, "undefined", "{'a': {'$undefined': true}}")]
    [InlineData(2, "Unknown type name alias", "{'a': {'$type': 'integer'}}")]
    [InlineData(2, "Invalid numerical type code", "{'a': {'$type': 99}}")]
    [InlineData(9, "at least one type", "{'a': {'$type': []}}")]
    [InlineData(2, "bit positions", "{'a': {'$bitsAllSet': [-1]}}")]
    [InlineData(2, "$bitsAnySet", "{'a': {'$bitsAnySet': -1}}")]
    [InlineData(14, "$jsonSchema must be an object", "{'$jsonSchema': 1}")]
    public void What_is_no_filter_is_an_error(int code, string message, string filter)
    {
        var error = Assert.Throws<ServerException>(() => MatchParser.Parse(Bson.Document(filter)));
        Assert.Equal(code, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_that_never_ends_is_an_error_and_not_a_mismatch()
    {
        var filter = MatchParser.Parse(Bson.Document("{'a': {'$regex': '^(a+)+$'}}"));
        Assert.Throws<ServerException>(() => filter.Matches(Bson.Document($"{{'a': '{new string('a', 40)}!'}}")));
    }
}
