using Medco.Csfle.TestServer.Aggregation;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Tests;

/// <summary>Whatever stands where an operand is expected, the answer is a result or an error of MongoDB's, never a mistake of this server.</summary>
public sealed class OddOperandTests : IDisposable
{
    private static readonly string[] Odd =
    [
        "null", "0", "1", "-1", "1.5", "''", "'x'", "'$'", "'$a'", "'$$a'", "'a.b'", "true", "[]", "[1]", "['$a', '$b']", "[[]]", "[{}]", "{}", "{'a': 1}", "{'a': '$b'}", "{'$a': 1}",
        "{'': 1}", "[1, 2, 3]", "['$l', -1]", "['$l', {'$numberLong': '-9223372036854775808'}]", "['$l', 1, {'$numberLong': '9223372036854775807'}]",
        "{'$numberLong': '-9223372036854775808'}", "{'$numberLong': '9223372036854775807'}", "{'$numberDouble': 'NaN'}", "{'$numberDouble': '-Infinity'}", "1e300",
        "{'$numberDecimal': 'NaN'}", "{'$numberDecimal': '1E+6144'}", "{'$numberDecimal': '-Infinity'}", "{'$numberDecimal': '0E-6176'}", "{'$minKey': 1}", "{'$maxKey': 1}", "{'$undefined': true}",
        "{'$binary': {'base64': 'AQI=', 'subType': '06'}}", "{'$regularExpression': {'pattern': 'a', 'options': ''}}", "{'$date': {'$numberLong': '9223372036854775807'}}",
        "{'$timestamp': {'t': 1, 'i': 1}}", "{'$symbol': 's'}", "{'$code': 'x'}", "{'$code': 'x', '$scope': {}}", "['$date', '$i']", "['$date', {'$numberLong': '9223372036854775807'}]",
        "{'$each': [1, 2], '$slice': {'$numberLong': '-9223372036854775808'}}", "{'$each': [1], '$position': {'$numberLong': '-9223372036854775808'}}", "{'$each': [{'a': 1}, 5], '$sort': {'a': 1}}", "{'$each': 1}",
        "{'and': {'$numberLong': '-1'}}", "{'path': '$l'}", "{'newRoot': '$o'}", "{'input': '$l', 'in': '$$this', 'cond': '$$this'}", "{'branches': [1]}", "{'vars': 1, 'in': 1}", "{'vars': {'v': 1}, 'in': '$$v'}", "{'if': 1, 'then': 2, 'else': 3}",
    ];

    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public OddOperandTests() => Reset();

    public static TheoryData<string, string> Places
    {
        get
        {
            var places = new TheoryData<string, string>();
            foreach (var name in new[] { "$set", "$setOnInsert", "$unset", "$rename", "$inc", "$mul", "$min", "$max", "$currentDate", "$bit", "$push", "$addToSet", "$pull", "$pullAll", "$pop" })
            {
                foreach (var path in new[] { "i", "l", "m", "o", "date", "z", "new", "l.0", "o.x", "l.$[]", "big" }) places.Add(name, $"{{'update': 'c', 'updates': [{{'q': {{}}, 'u': {{'{name}': {{'{path}': @}}}}}}]}}");
                places.Add(name, $"{{'update': 'c', 'updates': [{{'q': {{}}, 'u': {{'{name}': @}}}}]}}");
            }

            foreach (var name in Operators.Table.Keys.Concat(["$literal", "$const", "$and", "$or", "$ifNull", "$cond", "$switch", "$let", "$map", "$filter"]))
            {
                places.Add(name, $"{{'aggregate': 'c', 'pipeline': [{{'$project': {{'v': {{'{name}': @}}}}}}], 'cursor': {{}}}}");
                places.Add(name, $"{{'aggregate': 'c', 'pipeline': [{{'$project': {{'v': {{'{name}': ['$i', @]}}}}}}], 'cursor': {{}}}}");
                places.Add(name, $"{{'aggregate': 'c', 'pipeline': [{{'$project': {{'v': {{'{name}': [@, '$date']}}}}}}], 'cursor': {{}}}}");
            }

            foreach (var name in new[] { "$match", "$project", "$addFields", "$unset", "$group", "$sort", "$limit", "$skip", "$count", "$unwind", "$lookup", "$sortByCount", "$replaceRoot", "$replaceWith", "$facet" })
            {
                places.Add(name, $"{{'aggregate': 'c', 'pipeline': [{{'{name}': @}}], 'cursor': {{}}}}");
            }

            foreach (var name in new[] { "$sum", "$avg", "$min", "$max", "$first", "$last", "$push", "$addToSet", "$mergeObjects", "$count" })
            {
                places.Add(name, $"{{'aggregate': 'c', 'pipeline': [{{'$group': {{'_id': @, 'v': {{'{name}': @}}}}}}], 'cursor': {{}}}}");
            }

            foreach (var command in new[]
            {
                "{'update': 'c', 'updates': [{'q': @, 'u': @, 'upsert': true}]}",
                "{'update': 'c', 'updates': [{'q': {'k': @}, 'u': {'$set': {'v': 1}}, 'upsert': true}]}",
                "{'update': 'c', 'updates': [{'q': {'$and': @}, 'u': {'$set': {'v': 1}}, 'upsert': true}]}",
                "{'update': 'c', 'updates': [{'q': {'$or': [@]}, 'u': {'$set': {'v': 1}}, 'upsert': true}]}",
                "{'update': 'c', 'updates': [{'q': {'k': {'$in': [@]}}, 'u': {'$set': {'v': 1}}, 'upsert': true}]}",
                "{'update': 'c', 'updates': [{'q': {}, 'u': {'$set': {'l.$[e]': 1}}, 'arrayFilters': [@]}]}",
                "{'update': 'c', 'updates': [{'q': {}, 'u': {'$set': {'l.$[e]': 1}}, 'arrayFilters': [{'e': @}]}]}",
                "{'update': 'c', 'updates': [{'q': {'l': @}, 'u': {'$set': {'l.$': 1}}}]}",
                "{'update': 'c', 'updates': [@]}", "{'delete': 'c', 'deletes': [{'q': @, 'limit': 1}]}", "{'delete': 'c', 'deletes': [{'q': {}, 'limit': @}]}", "{'delete': 'c', 'deletes': [@]}",
                "{'findAndModify': 'c', 'query': @, 'update': @, 'sort': @, 'fields': @, 'arrayFilters': @}", "{'findAndModify': 'c', 'update': @, 'new': true}", "{'findAndModify': 'c', 'update': {'$set': {'v': 1}}, 'fields': @}",
                "{'count': 'c', 'query': @}", "{'count': 'c', 'limit': @}", "{'count': 'c', 'skip': @}", "{'count': 'c', 'hint': @}", "{'count': @}", "{'distinct': 'c', 'key': @}", "{'aggregate': @, 'pipeline': @, 'cursor': {}}", "{'aggregate': 'c', 'pipeline': [@], 'cursor': @}",
                "{'createIndexes': 'c', 'indexes': [@]}", "{'createIndexes': 'c', 'indexes': @}", "{'createIndexes': 'c', 'indexes': [{'key': @, 'name': 'n'}]}", "{'createIndexes': 'c', 'indexes': [{'key': {'l': @}, 'name': 'n'}]}", "{'createIndexes': 'c', 'indexes': [{'key': {'l': 1}, 'name': @, 'unique': @}]}",
                "{'createIndexes': 'c', 'indexes': [{'key': {'l': 1}, 'name': 'n', 'partialFilterExpression': @}]}", "{'createIndexes': 'c', 'indexes': [{'key': {'l': 1}, 'name': 'n', 'partialFilterExpression': {'a': @}}]}",
                "{'dropIndexes': 'c', 'index': @}", "{'listIndexes': @, 'cursor': @}", "{'collMod': 'c', 'validator': @}", "{'collMod': @}", "{'renameCollection': @, 'to': @}", "{'listDatabases': 1, 'filter': @}",
                "{'find': 'c', 'projection': @}", "{'find': 'c', 'projection': {'o.x': @}}", "{'find': 'c', 'hint': @}",
            })
            {
                places.Add(Bson.Document(command.Replace("@", "1", StringComparison.Ordinal))[0].Name, command);
            }

            return places;
        }
    }

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(Places))]
    public void Odd_operands_are_answered(string name, string place)
    {
        var database = name is "listDatabases" or "renameCollection" ? "admin" : "test";
        foreach (var operand in Odd)
        {
            byte[] command;
            try
            {
                command = Bson.Bytes(place.Replace("@", operand, StringComparison.Ordinal));
            }
            catch (Engine.BsonFormatException)
            {
                // Extended JSON takes some of these names for its own.
                continue;
            }

            var reply = Document.Parse(_server.RunCommand(database, command));
            var errors = (reply.Find("writeErrors")?.Items.Select(item => item.Document) ?? []).Append(reply);
            Assert.All(errors, error => Assert.False(error.Find("code") is { } code && ServerCalls.Int(code) == ErrorCode.InternalError, $"{name} {operand}: {Bson.Json(error)}"));
            if (!Bson.Json(_server.RunOk("{'find': 'c'}")).Contains("'i': 7, 'l': [1, 2, 3], 'm'", StringComparison.Ordinal)) Reset();
        }
    }

    private void Reset()
    {
        _server.RunOk("{'drop': 'c'}");
        _server.RunOk("{'insert': 'c', 'documents': [{'_id': 1, 'i': 7, 'l': [1, 2, 3], 'm': {'$numberDecimal': '1.5'}, 'o': {'x': 1}, 'date': {'$date': '2024-01-01T00:00:00Z'}, 'z': null, 'big': {'$numberLong': '-9223372036854775808'}}]}");
    }
}
