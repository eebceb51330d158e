using System.Text.RegularExpressions;

namespace Medco.Csfle.TestServer.Query;

/// <summary>
/// A regular expression with MongoDB's options, matched anywhere in the text. .NET's dialect stands in for PCRE; what only
/// PCRE knows is an error, as is a match that takes too long.
/// </summary>
internal sealed class Pattern
{
    private const int InvalidExpression = 51091;
    private const int InvalidFlag = 51108;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private readonly Regex _regex;

    public Pattern(string pattern, string options = "")
    {
        try
        {
            _regex = new Regex(pattern, Options(options), Timeout);
        }
        catch (ArgumentException e)
        {
            throw new ServerException(InvalidExpression, $"Regular expression is invalid: {e.Message}");
        }
    }

    public bool IsMatch(string text)
    {
        try
        {
            return _regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            throw ServerException.BadValue("a regular expression took too long to match");
        }
    }

    private static RegexOptions Options(string options)
    {
        var result = RegexOptions.CultureInvariant;
        foreach (var option in options)
        {
            result |= option switch
            {
                'i' => RegexOptions.IgnoreCase,
                'm' => RegexOptions.Multiline,
                's' => RegexOptions.Singleline,
                'x' => RegexOptions.IgnorePatternWhitespace,
                'u' => RegexOptions.None,
                _ => throw new ServerException(InvalidFlag, $"invalid flag in regex options: {option}"),
            };
        }

        return result;
    }
}
