using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Analysis;

public sealed class UnencryptedNamespacesTests
{
    [Theory]
    [InlineData("app.logs", "app.logs", true)]
    [InlineData("app.logs.2024", "app.logs.2024", true)]
    [InlineData("app.logs", "app.logs.2024", false)]
    [InlineData("app.logs", "app.Logs", false)]
    [InlineData("app.logs", "apps.logs", false)]
    [InlineData("app.*", "app.logs", true)]
    [InlineData("app.*", "app.a.b", true)]
    [InlineData("app.*", "App.logs", false)]
    [InlineData("app.*", "app2.logs", false)]
    [InlineData("app.*", "app", false)]
    public void A_pattern_names_one_collection_or_all_of_a_database(string pattern, string ns, bool allowed)
        => Assert.Equal(allowed, new UnencryptedNamespaces([pattern]).Allows(ns));

    [Fact]
    public void An_empty_list_allows_nothing() => Assert.False(new UnencryptedNamespaces([]).Allows("app.logs"));

    [Theory]
    [InlineData("")]
    [InlineData("app")]
    [InlineData("*")]
    [InlineData("*.*")]
    [InlineData("*.logs")]
    [InlineData("app.")]
    [InlineData("app..*")]
    [InlineData("app.logs*")]
    [InlineData("app.logs.*")]
    [InlineData(".logs")]
    [InlineData(".*")]
    [InlineData("a b.logs")]
    [InlineData("app.lo$gs")]
    [InlineData("app.logs.")]
    [InlineData(null)]
    public void Anything_else_is_an_error_that_says_what_to_write(string? pattern)
    {
        var exception = Assert.Throws<NamespaceException>(() => new UnencryptedNamespaces([pattern!]));
        Assert.Equal(CsfleErrorCode.InvalidNamespace, exception.Code);
        Assert.Contains("'db.*'", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("patients")]
    [InlineData("db.*")]
    [InlineData("db.")]
    public void A_schema_under_what_is_no_namespace_would_never_be_found_and_is_an_error(string ns)
    {
        var schema = EncryptionSchema.Parse("""{"bsonType": "object"}""");
        Assert.Contains($"'{ns}'", Assert.Throws<NamespaceException>(() => new SchemaMap([new(ns, schema)])).Message, StringComparison.Ordinal);
    }
}
