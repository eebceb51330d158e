using Medco.Csfle.TestServer.Commands;

namespace Medco.Csfle.TestServer.Tests.Commands;

public sealed class GenericArgumentsTests : IDisposable
{
    private readonly InProcessMongoServer _server = InProcessMongoServer.Start();

    public void Dispose() => _server.Dispose();

    /// <summary>Every command in its least form.</summary>
    private static readonly Dictionary<string, string> Least = new()
    {
        ["create"] = "'create': 'c'",
        ["drop"] = "'drop': 'c'",
        ["insert"] = "'insert': 'c', 'documents': [{}]",
        ["update"] = "'update': 'c', 'updates': [{'q': {}, 'u': {}}]",
        ["delete"] = "'delete': 'c', 'deletes': [{'q': {}, 'limit': 0}]",
        ["findAndModify"] = "'findAndModify': 'c', 'remove': true",
        ["findandmodify"] = "'findandmodify': 'c', 'remove': true",
        ["count"] = "'count': 'c'",
        ["distinct"] = "'distinct': 'c', 'key': 'a'",
        ["aggregate"] = "'aggregate': 'c', 'pipeline': [], 'cursor': {}",
        ["createIndexes"] = "'createIndexes': 'c', 'indexes': [{'key': {'a': 1}, 'name': 'a_1'}]",
        ["listIndexes"] = "'listIndexes': 'c'",
        ["dropIndexes"] = "'dropIndexes': 'c', 'index': '*'",
        ["collMod"] = "'collMod': 'c'",
        ["renameCollection"] = "'renameCollection': 'test.c', 'to': 'test.d'",
        ["find"] = "'find': 'c'",
        ["getMore"] = "'getMore': {'$numberLong': '1'}, 'collection': 'c'",
        ["killCursors"] = "'killCursors': 'c', 'cursors': [{'$numberLong': '1'}]",
        ["configureFailPoint"] = "'configureFailPoint': 'failCommand', 'mode': 'off'",
        ["explain"] = "'explain': {'find': 'c'}",
        ["endSessions"] = "'endSessions': []",
    };

    public static TheoryData<string> Commands => [.. CommandTable.Names];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_refuses_a_field_it_does_not_know(string name)
        => Assert.Equal($"BSON field '{name}.surprise' is an unknown field.", _server.RunError(40415, $"{{{LeastOf(name)}, 'surprise': 1}}", DatabaseOf(name)));

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_refuses_a_field_that_stands_twice(string name)
        => _server.RunError(40413, $"{{{LeastOf(name)}, 'comment': 1, 'comment': 2}}", DatabaseOf(name));

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_takes_what_drivers_add(string name)
    {
        const string Added = "'lsid': {'id': {'$uuid': '00112233-4455-6677-8899-aabbccddeeff'}}, '$clusterTime': {}, 'comment': {'why': 1}, "
            + "'$readPreference': {'mode': 'primary'}, 'apiVersion': '1', 'apiStrict': false";
        var reply = _server.Run($"{{{LeastOf(name)}, {Added}}}", DatabaseOf(name));

        // What a command speaks of is not there: that is the one thing wrong with it.
        var missing = name switch
        {
            "getMore" => 43,
            "commitTransaction" or "abortTransaction" => 125,
            "listIndexes" or "dropIndexes" or "collMod" or "renameCollection" => 26,
            _ => 0,
        };
        Assert.Equal(missing, reply.Find("code") is { } code ? ServerCalls.Int(code) : 0);
    }

    [Theory]
    [InlineData(20, "{'insert': 'c', 'documents': [{}], 'txnNumber': {'$numberLong': '1'}}")]
    [InlineData(20, "{'find': 'c', 'startTransaction': true}")]
    [InlineData(322, "{'ping': 1, 'apiVersion': '2'}")]
    [InlineData(322, "{'ping': 1, 'apiStrict': true}")]
    [InlineData(123, "{'find': 'c', 'readConcern': {'level': 'linearizable'}}")]
    [InlineData(9, "{'find': 'c', 'readConcern': {'level': 'strong'}}")]
    [InlineData(72, "{'insert': 'c', 'documents': [{}], 'readConcern': {'level': 'majority'}}")]
    [InlineData(72, "{'find': 'c', 'writeConcern': {'w': 1}}")]
    [InlineData(2, "{'insert': 'c', 'documents': [{}], 'writeConcern': {'w': 2}}")]
    [InlineData(40415, "{'insert': 'c', 'documents': [{}], 'writeConcern': {'v': 2}}")]
    [InlineData(14, "{'insert': 'c', 'documents': [{}], 'writeConcern': {'w': true}}")]
    [InlineData(14, "{'ping': 1, 'lsid': {'id': 1}}")]
    [InlineData(14, "{'ping': 1, 'lsid': 1}")]
    [InlineData(51024, "{'ping': 1, 'maxTimeMS': -1}")]
    public void What_a_standalone_cannot_do_is_an_error(int code, string command) => _server.RunError(code, command);

    [Theory]
    [InlineData("{'find': 'c', 'readConcern': {'level': 'majority'}}")]
    [InlineData("{'find': 'c', 'readConcern': {}}")]
    [InlineData("{'find': 'c', 'maxTimeMS': 1000}")]
    [InlineData("{'insert': 'c', 'documents': [{}], 'writeConcern': {'w': 'majority', 'j': true, 'wtimeout': 100}}")]
    [InlineData("{'create': 'd', 'writeConcern': {'w': 1}}")]
    public void Concerns_that_a_standalone_meets_are_taken(string command) => _server.RunOk(command);

    [Theory]
    [InlineData("nothing")]
    [InlineData("Find")]
    [InlineData("mapReduce")]
    public void A_command_there_is_not_is_told(string name)
        => Assert.Equal($"no such command: '{name}'", _server.RunError(59, $"{{'{name}': 1}}"));

    [Fact]
    public void A_command_without_a_name_is_told() => _server.RunError(59, "{}");

    [Theory]
    [InlineData("a.b")]
    [InlineData("a b")]
    [InlineData("a$b")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void A_database_has_a_proper_name(string database) => _server.RunError(73, "{'find': 'c'}", database);

    /// <summary>Some commands run in one database only.</summary>
    private static string DatabaseOf(string name) => name is "listDatabases" or "renameCollection" or "configureFailPoint" or "commitTransaction" or "abortTransaction" ? "admin" : "test";

    private static string LeastOf(string name) => Least.GetValueOrDefault(name, $"'{name}': 1");
}
