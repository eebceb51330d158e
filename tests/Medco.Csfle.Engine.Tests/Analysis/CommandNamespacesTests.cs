using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Analysis;

public sealed class CommandNamespacesTests
{
    [Theory]
    [InlineData("""{"insert": "a", "documents": [{"$lookup": {"from": "x"}}]}""", "db.a")]
    [InlineData("""{"find": "a.b"}""", "db.a.b")]
    [InlineData("""{"findAndModify": "a"}""", "db.a")]
    [InlineData("""{"createIndexes": "a"}""", "db.a")]
    [InlineData("""{"explain": {"count": "a"}}""", "db.a")]
    [InlineData("""{"explain": {"aggregate": "a", "pipeline": [{"$lookup": {"from": "b"}}]}}""", "db.a db.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$match": {}}]}""", "db.a")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$lookup": {"from": "b", "pipeline": [{"$lookup": {"from": "c"}}]}}, {"$lookup": {"from": "a"}}]}""", "db.a db.b db.c")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$lookup": {"from": {"db": "other", "coll": "b"}}}]}""", "db.a other.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$facet": {"x": [{"$graphLookup": {"from": "b"}}]}}]}""", "db.a db.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$unionWith": "b"}, {"$unionWith": {"coll": "c", "pipeline": [{"$unionWith": "d"}]}}]}""", "db.a db.b db.c db.d")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$unionWith": {"db": "other", "coll": "c"}}]}""", "db.a db.c other.c")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$out": "b"}]}""", "db.a db.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$out": {"db": "other", "coll": "b"}}]}""", "db.a other.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$merge": "b"}]}""", "db.a db.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$merge": {"into": "b"}}]}""", "db.a db.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$merge": {"into": {"coll": "b", "db": "other"}}}]}""", "db.a other.b")]
    [InlineData("""{"collMod": "a", "viewOn": "b", "pipeline": [{"$lookup": {"from": "c"}}]}""", "db.a db.b db.c")]
    [InlineData("""{"renameCollection": "x.a", "to": "y.b"}""", "x.a y.b")]
    [InlineData("""{"bulkWrite": 1, "ops": [], "nsInfo": [{"ns": "x.a"}, {"ns": "y.b"}, {"ns": "x.a"}]}""", "x.a y.b")]
    [InlineData("""{"getMore": {"$numberLong": "1"}, "collection": "a"}""", "")]
    [InlineData("""{"listCollections": 1}""", "")]
    [InlineData("""{"drop": "a"}""", "")]
    [InlineData("""{"mapReduce": "a"}""", "")]
    [InlineData("""{"aggregate": 1, "pipeline": []}""", "")]
    [InlineData("""{"find": ""}""", "")]
    [InlineData("""{"explain": {}}""", "")]
    [InlineData("""{"explain": 1}""", "")]
    [InlineData("""{"explain": {"explain": {"find": "a"}}}""", "")]
    [InlineData("""{"bulkWrite": 1, "nsInfo": [{"ns": "a"}, {"ns": "."}, {"ns": 1}, 1]}""", "")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$lookup": 1}, {"$merge": {"into": 1}}, {"$out": {"coll": "b"}}]}""", "db.a")]
    [InlineData("{}", "")]
    public void Every_collection_that_a_command_names_is_found(string command, string expected)
        => Assert.Equal(expected, string.Join(" ", CommandNamespaces.Of("db", ExtendedJson.ToBson(command)).Existing));

    [Theory]
    [InlineData("""{"find": "a"}""", "")]
    [InlineData("""{"find": "a.b"}""", "")]
    [InlineData("""{"find": "é"}""", "")]
    [InlineData("""{"find": "A"}""", "db.A")]
    [InlineData("""{"find": "a."}""", "db.a.")]
    [InlineData("""{"find": "b"}""", "db.b")]
    [InlineData("""{"aggregate": "a", "pipeline": [{"$lookup": {"from": "b"}}, {"$out": {"db": "other", "coll": "a"}}, {"$merge": {"into": {"db": "x", "coll": "a"}}}]}""", "db.b x.a")]
    [InlineData("""{"renameCollection": "other.a", "to": "other.b"}""", "other.b")]
    [InlineData("""{"bulkWrite": 1, "nsInfo": [{"ns": "db.a.b"}, {"ns": "db.b"}]}""", "db.b")]
    public void Those_that_are_known_are_left_out(string command, string expected)
    {
        var known = new KnownNamespaces(["db.a.b", "db.zz", "db.é", "db.a", "other.a", "db.aa"]);
        Assert.Equal(expected, string.Join(" ", CommandNamespaces.Of("db", ExtendedJson.ToBson(command), known).Existing));
    }

    [Fact]
    public void A_collection_that_is_created_is_not_there_yet_but_what_a_view_is_on_is()
    {
        var namespaces = CommandNamespaces.Of("db", ExtendedJson.ToBson("""{"create": "v", "viewOn": "a", "pipeline": [{"$lookup": {"from": "b"}}]}"""));
        Assert.Equal("db.v", namespaces.Created);
        Assert.Equal(["db.a", "db.b"], namespaces.Existing);
    }

    [Theory]
    [InlineData("""{"create": "a"}""", true)]
    [InlineData("""{"collMod": "a"}""", true)]
    [InlineData("""{"drop": "a"}""", true)]
    [InlineData("""{"dropDatabase": 1}""", true)]
    [InlineData("""{"renameCollection": "x.a", "to": "y.b"}""", true)]
    [InlineData("""{"insert": "a"}""", false)]
    [InlineData("""{"createIndexes": "a"}""", false)]
    [InlineData("""{"ping": 1}""", false)]
    public void Commands_that_change_schemas_are_known(string command, bool changes)
        => Assert.Equal(changes, CommandNamespaces.Of("db", ExtendedJson.ToBson(command)).ChangesSchemas);

    [Fact]
    public void Explains_nested_without_end_do_not_exhaust_the_stack()
    {
        var command = ExtendedJson.ToBson("""{"find": "a"}""");
        for (var i = 0; i < 150; i++)
        {
            using var writer = new BsonWriter();
            writer.StartDocument();
            writer.WriteDocument("explain"u8, command);
            writer.EndDocument();
            command = writer.ToArray();
        }

        Assert.Empty(CommandNamespaces.Of("db", command).Existing);
    }
}
