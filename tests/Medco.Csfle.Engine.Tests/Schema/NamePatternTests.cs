using System.Diagnostics;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Schema;

public class NamePatternTests
{
    [Theory]
    [InlineData("ssn", "my_ssn_field", true)]
    [InlineData("^ssn", "my_ssn", false)]
    [InlineData("^ssn$", "ssn", true)]
    [InlineData("^ssn$", "ssn2", false)]
    [InlineData("ssn", "SSN", false)]
    [InlineData("^[sS][sS][nN]$", "SsN", true)]
    [InlineData("^a.c$", "abc", true)]
    [InlineData("^a.c$", "a\nc", false)]
    [InlineData("^a.c$", "a\U0001F600c", true)]
    [InlineData("^a[^b]c$", "a\U0001F600c", true)]
    [InlineData("^a[^b]c$", "abc", false)]
    [InlineData("^\U0001F600{2}$", "\U0001F600\U0001F600", true)]
    [InlineData(@"^\d+$", "123", true)]
    [InlineData(@"^\d+$", "\u0663", false)]
    [InlineData(@"^\D$", "\u0663", true)]
    [InlineData(@"^\w+$", "a_1", true)]
    [InlineData(@"^\w+$", "\u00e4", false)]
    [InlineData(@"^[\w-]+$", "a-b", true)]
    [InlineData(@"^[^\d]$", "7", false)]
    [InlineData(@"^\s$", "\u00a0", false)]
    [InlineData(@"^\W\S$", "-\u00a0", true)]
    [InlineData("^(a|bc)+$", "abca", true)]
    [InlineData("^(?:ab){2,3}$", "ab", false)]
    [InlineData("^(?:ab){2,3}$", "ababab", true)]
    [InlineData("^a{2,}?$", "aaa", true)]
    [InlineData(@"^a\.b$", "axb", false)]
    [InlineData(@"^\x41\$$", "A$", true)]
    [InlineData("^[a-c-]+$", "b-", true)]
    [InlineData("^[-a]+$", "-a", true)]
    [InlineData("^]}$", "]}", true)]
    [InlineData("^#x y$", "#x y", true)]
    [InlineData("", "anything", true)]
    [InlineData("i", "\u0130", false)]
    public void A_pattern_is_searched_for_as_PCRE_reads_it(string pattern, string name, bool expected)
    {
        var parsed = NamePattern.Parse(pattern, out var problem);

        Assert.True(parsed is not null, problem);
        Assert.True(parsed.TryMatch(name, out var isMatch));
        Assert.Equal(expected, isMatch);
    }

    [Theory]
    [InlineData("(?i)a", "(?:")]
    [InlineData("(?=a)", "(?:")]
    [InlineData("(?<!a)b", "(?:")]
    [InlineData("(?<name>a)", "(?:")]
    [InlineData("(?>a)", "(?:")]
    [InlineData("(*UCP)a", "verbs")]
    [InlineData(@"(a)\1", @"'\1'")]
    [InlineData(@"\bssn\b", @"'\b'")]
    [InlineData(@"\Qa\E", @"'\Q'")]
    [InlineData(@"\p{L}", @"'\p'")]
    [InlineData(@"\h", @"'\h'")]
    [InlineData(@"\v", @"'\v'")]
    [InlineData(@"\x{41}", @"'\x'")]
    [InlineData(@"\xZZ", @"'\x'")]
    [InlineData(@"\x4", @"'\x'")]
    [InlineData("[[:alpha:]]", "'[' inside a class")]
    [InlineData("[a-z-[b]]", "'-' in the middle of a class")]
    [InlineData("[]a]", "starts with ']'")]
    [InlineData("[]", "starts with ']'")]
    [InlineData("[a", "'[' has no ']'")]
    [InlineData("[z-a]", "the wrong way round")]
    [InlineData(@"[\d-z]", "a range that starts with a class")]
    [InlineData(@"[\D]", @"'\D'")]
    [InlineData("[a-b-c]", "'-' in the middle of a class")]
    [InlineData("[\U0001F600]", "beyond U+FFFF")]
    [InlineData("a++", "possessive")]
    [InlineData("a**", "repeats nothing")]
    [InlineData("*a", "repeats nothing")]
    [InlineData("^*", "repeats nothing")]
    [InlineData("a|*", "repeats nothing")]
    [InlineData("(", "not closed")]
    [InlineData(")", "closes nothing")]
    [InlineData("a{", "'{' has no '}'")]
    [InlineData("a{,3}", "{n}")]
    [InlineData("a{x}", "{n}")]
    [InlineData("a{3,1}", "the wrong way round")]
    [InlineData("(a{100}){100}", "multiply")]
    [InlineData("a\\", "at the end")]
    public void What_PCRE_and_NET_could_read_differently_is_refused(string pattern, string problem)
    {
        Assert.Null(NamePattern.Parse(pattern, out var found));
        Assert.Contains(problem, found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_is_bounded()
    {
        Assert.NotNull(NamePattern.Parse(new string('a', 1000), out _));
        Assert.Null(NamePattern.Parse(new string('a', 1001), out _));
        Assert.Null(NamePattern.Parse(new string('(', 60) + new string(')', 60), out _));
    }

    [Fact]
    public void A_pattern_made_to_backtrack_answers_at_once()
    {
        var pattern = NamePattern.Parse("^(a+)+$", out _)!;
        var watch = Stopwatch.StartNew();

        Assert.True(pattern.TryMatch(new string('a', 50_000) + "b", out var isMatch));

        Assert.False(isMatch);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1), "took " + watch.Elapsed);
    }
}
