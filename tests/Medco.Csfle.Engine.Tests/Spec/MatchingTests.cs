using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

public sealed class MatchingTests
{
    [Theory]
    [InlineData("""{"a": 1}""", """{"b": 2, "a": 1}""", true)]
    [InlineData("""{"a": 1, "b": 2}""", """{"a": 1}""", false)]
    [InlineData("""{"a": {"b": 1}}""", """{"a": {"b": 1, "c": 1}}""", false)]
    [InlineData("""{"a": {"b": 1, "c": 2}}""", """{"a": {"c": 2, "b": 1}}""", true)]
    [InlineData("""{"a": [1, 2]}""", """{"a": [1, 2, 3]}""", false)]
    [InlineData("""{"a": [{"b": 1}]}""", """{"a": [{"b": 1, "c": 1}]}""", false)]
    [InlineData("""{"a": 1}""", """{"a": {"$numberDouble": "1.0"}}""", true)]
    [InlineData("""{"a": 1}""", """{"a": {"$numberLong": "1"}}""", true)]
    [InlineData("""{"a": 1}""", """{"a": 1.5}""", false)]
    [InlineData("""{"a": 1}""", """{"a": {"$numberDecimal": "1"}}""", false)]
    [InlineData("""{"a": 1}""", """{"a": "1"}""", false)]
    [InlineData("""{"a": null}""", """{}""", false)]
    [InlineData("""{"a": {"$$exists": true}}""", """{"a": null}""", true)]
    [InlineData("""{"a": {"$$exists": true}}""", """{}""", false)]
    [InlineData("""{"a": {"$$exists": false}}""", """{"a": 1}""", false)]
    [InlineData("""{"a": {"$$type": "binData"}}""", """{"a": {"$binary": {"base64": "AQID", "subType": "06"}}}""", true)]
    [InlineData("""{"a": {"$$type": "binData"}}""", """{"a": "x"}""", false)]
    [InlineData("""{"a": {"$$type": ["int", "long"]}}""", """{"a": {"$numberLong": "1"}}""", true)]
    [InlineData("""{"a": {"$$type": ["int", "long"]}}""", """{}""", false)]
    [InlineData("""{"a": {"$$unsetOrMatches": false}}""", """{}""", true)]
    [InlineData("""{"a": {"$$unsetOrMatches": false}}""", """{"a": false}""", true)]
    [InlineData("""{"a": {"$$unsetOrMatches": false}}""", """{"a": true}""", false)]
    [InlineData("""{"a": {"$$matchesHexBytes": "0102"}}""", """{"a": {"$binary": {"base64": "AQI=", "subType": "00"}}}""", true)]
    [InlineData("""{"a": {"$$matchesHexBytes": "0103"}}""", """{"a": {"$binary": {"base64": "AQI=", "subType": "00"}}}""", false)]
    [InlineData("""{"a": {"$$matchAsDocument": {"b": 1}}}""", """{"a": "{\"b\": 1, \"c\": 1}"}""", false)]
    [InlineData("""{"a": {"$$matchAsDocument": {"$$matchAsRoot": {"b": 1}}}}""", """{"a": "{\"b\": 1, \"c\": 1}"}""", true)]
    [InlineData("""{"a": {"$$lte": 2}}""", """{"a": 3}""", false)]
    [InlineData("""{"a": {"$$lte": 2}}""", """{"a": 2}""", true)]
    [InlineData("""{"a": {"$$matchesEntity": "saved"}}""", """{"a": "x"}""", true)]
    [InlineData("""{"a": {"$$matchesEntity": "saved"}}""", """{"a": "y"}""", false)]
    [InlineData("""{"a": {"$$unknown": 1}}""", """{"a": {"$$unknown": 1}}""", false)]
    public void A_document_matches_as_the_format_says(string expected, string actual, bool matches)
        => Assert.Equal(matches, new Matching(new Dictionary<string, Value> { ["saved"] = SpecDocuments.Value("x") }).IsMet(Value(expected), Value(actual)));

    [Fact]
    public void What_a_cursor_gave_may_have_further_fields_and_what_distinct_gave_may_not()
    {
        var matching = new Matching(new Dictionary<string, Value>());
        var expected = Value("""{"v": [{"x": 1}]}""").Document[0].Value;
        var actual = Value("""{"v": [{"x": 1, "y": 1}]}""").Document[0].Value;
        matching.CheckArray(expected, actual, "find", itemsAreRoot: true);
        Assert.Throws<SpecFailure>(() => matching.CheckArray(expected, actual, "distinct", itemsAreRoot: false));
    }

    [Theory]
    [InlineData("""{"a": 1, "b": [{"c": 1}]}""", """{"b": [{"c": 1}], "a": 1}""", true)]
    [InlineData("""{"a": 1}""", """{"a": {"$numberLong": "1"}}""", false)]
    [InlineData("""{"a": 1}""", """{"a": 1, "b": 1}""", false)]
    [InlineData("""{"a": [1, 2]}""", """{"a": [2, 1]}""", false)]
    public void Stored_data_is_identical_but_for_the_order_of_fields(string expected, string actual, bool identical)
        => Assert.Equal(identical, Matching.AreIdentical(Value(expected), Value(actual)));

    private static Value Value(string json) => new(Document.Parse(ExtendedJson.ToBson(json)));
}
