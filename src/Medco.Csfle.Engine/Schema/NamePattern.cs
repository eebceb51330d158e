using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// A key of <c>patternProperties</c>: a regular expression that MongoDB reads as PCRE and searches for anywhere in a name.
/// What PCRE and .NET could read differently is refused, and what they spell differently is translated, since a name that
/// the server takes for encrypted and this library does not would be stored in clear.
/// </summary>
/// <remarks>
/// Accepted: literals; <c>.</c>; classes of characters, ranges and <c>\d \w \s</c>, negated or not; <c>\d \D \w \W \s \S</c>
/// in their ASCII meaning, which is PCRE's; <c>^ $ \A \z \Z</c>; <c>\t \n \r \f \xHH</c> and escaped punctuation; groups
/// <c>( )</c> and <c>(?: )</c>; <c>|</c>; <c>* + ? {n} {n,} {n,m}</c>, greedy or lazy. Refused: everything else, among it
/// look-around, back references, possessive quantifiers, atomic groups, inline options, named groups, POSIX and Unicode
/// classes, <c>\b</c>, <c>\Q…\E</c>. Matching takes time linear in the name.
/// </remarks>
internal sealed class NamePattern
{
    private const int MaxLength = 1000;
    private const int MaxRepetitions = 1000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly Regex _regex;

    private NamePattern(string text, Regex regex)
    {
        Text = text;
        _regex = regex;
    }

    /// <summary>The pattern as the schema has it.</summary>
    public string Text { get; }

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">The pattern.</param>
    /// <param name="problem">What in it is refused, where the answer is null.</param>
    public static NamePattern? Parse(string text, out string problem)
    {
        problem = "";
        if (text.Length > MaxLength)
        {
            problem = $"it is longer than {MaxLength} characters";
            return null;
        }

        try
        {
            var translated = new Translator(text).Translate();
            return new NamePattern(text, new Regex(translated, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, Timeout));
        }
        catch (UnsupportedPatternException exception)
        {
            problem = exception.Message;
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            problem = "it is not a regular expression";
        }

        return null;
    }

    /// <summary>Searches for the pattern in a name.</summary>
    /// <returns>False where the answer did not come in time.</returns>
    public bool TryMatch(ReadOnlySpan<char> name, out bool isMatch)
    {
        try
        {
            isMatch = _regex.IsMatch(name);
            return true;
        }
        catch (RegexMatchTimeoutException)
        {
            isMatch = false;
            return false;
        }
    }

    private sealed class UnsupportedPatternException(string message) : Exception(message);

    /// <summary>Writes the same pattern in .NET's syntax, or refuses it.</summary>
    private sealed class Translator(string text)
    {
        // PCRE counts a character beyond U+FFFF as one, .NET as two.
        private const string Supplementary = @"[\uD800-\uDBFF][\uDC00-\uDFFF]";

        private readonly StringBuilder _output = new();
        private int _next;
        private int _open;
        private int _repetitions = 1;
        private bool _quantifiable;

        public string Translate()
        {
            while (_next < text.Length) TranslateOne();
            return _open == 0 ? _output.ToString() : throw Refused("a group is not closed");
        }

        private void TranslateOne()
        {
            var current = text[_next];
            switch (current)
            {
                case '\\':
                    TranslateEscape();
                    break;
                case '[':
                    TranslateClass();
                    break;
                case '(':
                    OpenGroup();
                    break;
                case ')':
                    if (--_open < 0) throw Refused("a ')' closes nothing");
                    Emit(")", quantifiable: true);
                    break;
                case '*' or '+' or '?' or '{':
                    TranslateQuantifier();
                    break;
                case '.':
                    Emit($@"(?:{Supplementary}|[^\n\uD800-\uDFFF])", quantifiable: true);
                    break;
                case '^' or '$' or '|':
                    Emit(current.ToString(), quantifiable: false);
                    break;
                default:
                    EmitLiteral();
                    break;
            }
        }

        private void Emit(string translated, bool quantifiable)
        {
            _output.Append(translated);
            _quantifiable = quantifiable;
            _next++;
        }

        private void EmitLiteral()
        {
            var character = TakeCharacter();
            _output.Append(character.IsBmp ? Escape(character.Value) : $"(?:{Escape(character.ToString()[0])}{Escape(character.ToString()[1])})");
            _quantifiable = true;
        }

        private Rune TakeCharacter()
        {
            if (!Rune.TryGetRuneAt(text, _next, out var character)) throw Refused("half a surrogate pair");
            _next += character.Utf16SequenceLength;
            return character;
        }

        private void OpenGroup()
        {
            if (++_open > 50) throw Refused("more than 50 nested groups");
            if (Follows("(?") && !Follows("(?:")) throw Refused("the only group with '(?' is '(?:'");
            if (Follows("(*")) throw Refused("verbs such as '(*UCP)'");
            _output.Append("(?:");
            _next += Follows("(?:") ? 3 : 1;
            _quantifiable = false;
        }

        private void TranslateQuantifier()
        {
            if (!_quantifiable) throw Refused($"'{text[_next]}' repeats nothing; escape it where it is meant literally");
            if (text[_next] == '{')
            {
                var end = text.IndexOf('}', _next);
                if (end < 0) throw Refused("'{' has no '}'; escape it where it is meant literally");
                CountRepetitions(text[(_next + 1)..end]);
                _output.Append(text, _next, end - _next + 1);
                _next = end + 1;
            }
            else
            {
                _output.Append(text[_next++]);
            }

            if (_next < text.Length && text[_next] == '?') _output.Append(text[_next++]);
            if (_next < text.Length && text[_next] == '+') throw Refused("possessive quantifiers");
            _quantifiable = false;
        }

        private void CountRepetitions(string counts)
        {
            var bounds = counts.Split(',');
            if (bounds.Length > 2 || !TryCount(bounds[0], out var least)) throw Refused("'{' that does not start {n}, {n,} or {n,m}");
            var most = least;
            if (bounds.Length == 2 && bounds[1].Length > 0 && !TryCount(bounds[1], out most)) throw Refused("'{' that does not start {n}, {n,} or {n,m}");
            if (most < least) throw Refused("a repetition whose bounds are the wrong way round");

            // Repetitions inside repetitions multiply; so all of them together are bounded.
            _repetitions *= Math.Max(most, 1);
            if (_repetitions > MaxRepetitions) throw Refused($"counted repetitions that multiply to more than {MaxRepetitions}");
        }

        private static bool TryCount(string digits, out int count)
        {
            count = 0;
            return digits.Length is > 0 and <= 4 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count);
        }

        private void TranslateEscape()
        {
            var escaped = Escaped();
            switch (escaped)
            {
                case 'd' or 'w' or 's':
                    _output.Append('[').Append(Shorthand(escaped)).Append(']');
                    _next += 2;
                    _quantifiable = true;
                    break;
                case 'D' or 'W' or 'S':
                    AppendNegated(Shorthand(char.ToLowerInvariant(escaped)));
                    _next += 2;
                    _quantifiable = true;
                    break;
                case 'A' or 'z' or 'Z':
                    _output.Append('\\').Append(escaped);
                    _next += 2;
                    _quantifiable = false;
                    break;
                default:
                    _output.Append(Escape(TakeEscapedCharacter()));
                    _quantifiable = true;
                    break;
            }
        }

        private char Escaped() => _next + 1 < text.Length ? text[_next + 1] : throw Refused("a '\\' at the end");

        private int TakeEscapedCharacter()
        {
            var escaped = Escaped();
            if (escaped == 'x')
            {
                if (_next + 4 > text.Length || !byte.TryParse(text.AsSpan(_next + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                {
                    throw Refused("'\\x' without two hexadecimal digits");
                }

                _next += 4;
                return code;
            }

            var character = escaped switch
            {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                'f' => '\f',
                _ when char.IsAscii(escaped) && (char.IsPunctuation(escaped) || char.IsSymbol(escaped) || escaped == ' ') => escaped,
                _ => throw Refused($"'\\{escaped}'"),
            };
            _next += 2;
            return character;
        }

        private void TranslateClass()
        {
            _next++;
            var isNegated = _next < text.Length && text[_next] == '^';
            if (isNegated) _next++;

            var members = new StringBuilder();
            var first = true;
            while (true)
            {
                if (_next >= text.Length) throw Refused("'[' has no ']'");
                if (text[_next] == ']')
                {
                    if (first) throw Refused("a class that is empty or starts with ']'; escape it where it is meant literally");
                    break;
                }

                AppendMember(members, first);
                first = false;
            }

            _next++;
            if (isNegated) AppendNegated(members.ToString());
            else _output.Append('[').Append(members).Append(']');
            _quantifiable = true;
        }

        private void AppendMember(StringBuilder members, bool isFirst)
        {
            if (text[_next] == '\\' && Escaped() is 'd' or 'w' or 's')
            {
                members.Append(Shorthand(Escaped()));
                _next += 2;
                if (_next + 1 < text.Length && text[_next] == '-' && text[_next + 1] != ']') throw Refused("a range that starts with a class");
                return;
            }

            var isDash = text[_next] == '-';
            var from = TakeMember();
            if (isDash)
            {
                if (!isFirst && !(_next < text.Length && text[_next] == ']')) throw Refused("'-' in the middle of a class; escape it where it is meant literally");
                members.Append(Escape(from));
                return;
            }

            members.Append(Escape(from));
            if (_next + 1 >= text.Length || text[_next] != '-' || text[_next + 1] == ']') return;

            _next++;
            var to = TakeMember();
            if (to < from) throw Refused("a range whose bounds are the wrong way round");
            members.Append('-').Append(Escape(to));
        }

        private int TakeMember()
        {
            if (text[_next] == '[') throw Refused("'[' inside a class; escape it where it is meant literally");
            if (text[_next] == '\\') return TakeEscapedCharacter();
            var character = TakeCharacter();
            return character.IsBmp ? character.Value : throw Refused("characters beyond U+FFFF inside a class");
        }

        private void AppendNegated(string members)
            => _output.Append("(?:").Append(Supplementary).Append("|[^").Append(members).Append(@"\uD800-\uDFFF])");

        private bool Follows(string expected) => text.AsSpan(_next).StartsWith(expected, StringComparison.Ordinal);

        private static string Shorthand(char name) => name switch
        {
            'd' => "0-9",
            'w' => "0-9A-Z_a-z",
            _ => @"\t-\r ",
        };

        private static string Escape(int character) => $@"\u{character:X4}";

        private static UnsupportedPatternException Refused(string what) => new($"it contains what is not read alike everywhere: {what}");
    }
}
