using System.Globalization;
using System.Text;

namespace Medco.Csfle.Engine.Operations;

/// <summary>
/// Makes up names that a pattern of <c>patternProperties</c> is likely to match. Whether they do is for the caller to check:
/// what patterns mean is known to <see cref="Schema.NamePattern"/> alone.
/// </summary>
internal sealed class NameExample
{
    private const string Alphabet = "ax0_A-Z9 ";

    private readonly string _pattern;
    private readonly int _leastRepetitions;
    private int _next;

    private NameExample(string pattern, int leastRepetitions)
    {
        _pattern = pattern;
        _leastRepetitions = leastRepetitions;
    }

    /// <summary>Names for a pattern that <see cref="Schema.NamePattern"/> has accepted.</summary>
    public static IEnumerable<string> For(string pattern)
        => new[] { new NameExample(pattern, 1).Alternatives(), new NameExample(pattern, 0).Alternatives() }.SelectMany(names => names).Where(name => name.Length > 0).Distinct(StringComparer.Ordinal);

    private List<string> Alternatives()
    {
        var all = new List<string> { Sequence() };
        while (Take('|')) all.Add(Sequence());
        return all;
    }

    private string Sequence()
    {
        var name = new StringBuilder();
        while (_next < _pattern.Length && _pattern[_next] is not ('|' or ')'))
        {
            var atom = Atom();
            var count = Repetitions();
            for (var i = 0; i < count; i++) name.Append(atom);
        }

        return name.ToString();
    }

    private string Atom()
    {
        var current = _pattern[_next++];
        switch (current)
        {
            case '^' or '$':
                return "";
            case '.':
                return Alphabet[..1];
            case '(':
                if (_pattern.AsSpan(_next).StartsWith("?:", StringComparison.Ordinal)) _next += 2;
                var group = Alternatives()[0];
                Take(')');
                return group;
            case '[':
                return Class();
            case '\\':
                return Escape();
            default:
                return current.ToString();
        }
    }

    private int Repetitions()
    {
        var count = 1;
        if (Take('*') || Take('?'))
        {
            count = _leastRepetitions;
        }
        else if (!Take('+') && Take('{'))
        {
            var end = _pattern.IndexOf('}', _next);
            var least = _pattern.AsSpan(_next, end - _next);
            if (least.IndexOf(',') is var comma and >= 0) least = least[..comma];
            count = Math.Max(int.Parse(least, NumberStyles.None, CultureInfo.InvariantCulture), _leastRepetitions);
            _next = end + 1;
        }

        Take('?');
        return count;
    }

    private string Class()
    {
        var isNegated = Take('^');
        var members = new List<(string From, string To)>();
        while (_next < _pattern.Length && !Take(']'))
        {
            var from = Member();
            var to = from;
            if (_next + 1 < _pattern.Length && _pattern[_next] == '-' && _pattern[_next + 1] != ']')
            {
                _next++;
                to = Member();
            }

            members.Add((from, to));
        }

        if (!isNegated) return members.Count == 0 ? "" : members[0].From;
        return Alphabet.Select(candidate => candidate.ToString())
            .FirstOrDefault(candidate => !members.Exists(member => string.CompareOrdinal(candidate, member.From) >= 0 && string.CompareOrdinal(candidate, member.To) <= 0)) ?? "";
    }

    private string Member()
    {
        var current = _pattern[_next++];
        return current == '\\' ? Escape() : current.ToString();
    }

    private string Escape()
    {
        var escaped = _pattern[_next++];
        switch (escaped)
        {
            case 'd':
                return "0";
            case 'w' or 'D' or 'S':
                return "a";
            case 's':
                return " ";
            case 'W':
                return "-";
            case 'A' or 'z' or 'Z':
                return "";
            case 't':
                return "\t";
            case 'n':
                return "\n";
            case 'r':
                return "\r";
            case 'f':
                return "\f";
            case 'x' when _next + 2 <= _pattern.Length && byte.TryParse(_pattern.AsSpan(_next, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code):
                _next += 2;
                return ((char)code).ToString();
            default:
                return escaped.ToString();
        }
    }

    private bool Take(char expected)
    {
        if (_next >= _pattern.Length || _pattern[_next] != expected) return false;
        _next++;
        return true;
    }
}
