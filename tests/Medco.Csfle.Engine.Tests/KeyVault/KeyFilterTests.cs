using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Tests.Bson;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>Filters where there is no server: what is not known is an error, and never a wrong choice.</summary>
public sealed class KeyFilterTests
{
    [Theory]
    [InlineData("{'keyAltNames': {'$regex': 'a'}}", "'$regex'")]
    [InlineData("{'keyAltNames': {'$regularExpression': {'pattern': 'a', 'options': ''}}}", "a regular expression")]
    [InlineData("{'$where': 'true'}", "'$where'")]
    [InlineData("{'$or': []}", "'$or' of nothing")]
    [InlineData("{'$or': {}}", "'$or' without an array")]
    [InlineData("{'$or': [1]}", "something else than documents")]
    [InlineData("{'_id': {'$in': 1}}", "'$in' without an array")]
    [InlineData("{'_id': {'$exists': 1}}", "'$exists' without a boolean")]
    [InlineData("{'updateDate': {'$lt': 5}}", "something else than a date")]
    [InlineData("{'keyAltNames': {'$not': {'$eq': 'a'}}}", "'$not'")]
    public void What_is_not_known_is_an_error_that_names_it(string filter, string expected)
    {
        var error = Assert.Throws<KeyVaultException>(() => new InMemoryKeyVaultStore().FindMatching(ExtendedJson.ToBson(filter.Replace('\'', '"'))));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("'keyAltNames'", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_filter_it_is_understood_or_a_typed_error()
    {
        var random = new Random(20300103);
        var filter = ExtendedJson.ToBson("""{"$or": [{"keyAltNames": {"$in": ["a", "b"]}}, {"updateDate": {"$gte": {"$date": "2024-01-01T00:00:00Z"}}}], "masterKey.provider": "local"}""");
        var key = TestKeys.New("a");
        var understood = 0;
        for (var i = 0; i < 5000; i++)
        {
            try
            {
                KeyFilter.Parse(Mutation.Of(filter, random)).Matches(key);
                understood++;
            }
            catch (CsfleException)
            {
            }
        }

        Assert.InRange(understood, 1, 4999);
    }
}
