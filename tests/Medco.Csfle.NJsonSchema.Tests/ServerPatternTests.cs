using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Medco.Csfle.ClassSchemas;

namespace Medco.Csfle.NJsonSchema.Tests;

public sealed class ServerPatternTests
{
    [Theory]
    [InlineData(@"\d{3}", "123", "12a")]
    [InlineData(@"a|bc", "bc", "abc")]
    [InlineData(@"[\w.-]+@\w+", "jürgen.a@x", "@x")]
    [InlineData(@"\S+", "a", "a b")]
    [InlineData(@"[^\d]+", "ab", "a1")]
    [InlineData(@"a\.b\]", "a.b]", "axb]")]
    [InlineData(@"x\sy", "x y", "xy")]
    public void A_pattern_accepts_and_refuses_what_the_attribute_does(string pattern, string right, string wrong)
    {
        var attribute = new RegularExpressionAttribute(pattern);
        var translated = new Regex(ServerPattern.Translate(pattern, out _, out _)!);

        foreach (var text in new[] { right, wrong, "" }) Assert.Equal(attribute.IsValid(text), translated.IsMatch(text));
        Assert.Matches(translated, right);
        Assert.DoesNotMatch(translated, wrong);
    }

    [Theory]
    [InlineData(@"(?i)a")]
    [InlineData(@"(?=a)a")]
    [InlineData(@"\ba")]
    [InlineData(@"(a)\1")]
    [InlineData(@"a++")]
    public void What_is_not_read_alike_is_left_out(string pattern)
    {
        Assert.Null(ServerPattern.Translate(pattern, out _, out var problem));
        Assert.NotEqual("", problem);
    }

    [Theory]
    [InlineData(@"..", true)]
    [InlineData(@"[^a]", true)]
    [InlineData(@"\W", true)]
    [InlineData(@"[a.]\.", false)]
    [InlineData(@"\w\d[a-z]", false)]
    public void It_is_known_where_characters_beyond_the_basic_plane_could_be_counted_otherwise(string pattern, bool expected)
    {
        ServerPattern.Translate(pattern, out var countsUnits, out _);

        Assert.Equal(expected, countsUnits);
    }
}
