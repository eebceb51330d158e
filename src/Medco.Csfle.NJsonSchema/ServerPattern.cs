using System.Text;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.ClassSchemas;

/// <summary>
/// A .NET regular expression in words that .NET and MongoDB's PCRE read alike, so that the server refuses nothing that
/// <c>[RegularExpression]</c> accepts.
/// </summary>
internal static class ServerPattern
{
    /// <summary>
    /// Finds a character beyond U+FFFF, which .NET counts as two and PCRE as one. Readable by both: the class has all others
    /// but surrogates.
    /// </summary>
    public const string Supplementary = "[^\\x00-\uD7FF\uE000-\uFFFF]";

    // What .NET means by \w, \d and \s; PCRE means ASCII.
    private const string Word = @"\p{L}\p{Mn}\p{Nd}\p{Pc}";
    private const string Digit = @"\p{Nd}";
    private const string Space = @"\t-\r\x85\p{Z}";

    /// <summary>Translates a pattern that has to match the whole text, or nothing of an empty one, as the attribute has it.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="countsUnits">True where it may match a character beyond U+FFFF, which PCRE then counts otherwise.</param>
    /// <param name="problem">What in it is not read alike, where the answer is null.</param>
    public static string? Translate(string pattern, out bool countsUnits, out string problem)
    {
        countsUnits = false;
        if (NamePattern.Parse(pattern, out problem) is null) return null;

        var output = new StringBuilder("^(?:");
        var inClass = false;
        for (var index = 0; index < pattern.Length; index++)
        {
            var current = pattern[index];
            if (current == '\\')
            {
                var escaped = pattern[++index];
                countsUnits |= escaped is 'D' or 'W' or 'S';
                output.Append(TranslateEscape(escaped, inClass));
                continue;
            }

            countsUnits |= char.IsSurrogate(current) || (!inClass && current == '.') || (!inClass && current == '[' && pattern[index + 1] == '^');
            inClass = current == '[' || (inClass && current != ']');
            output.Append(current);
        }

        return output.Append(")?$").ToString();
    }

    private static string TranslateEscape(char escaped, bool inClass) => (escaped, inClass) switch
    {
        ('d', _) => Digit,
        ('w', false) => $"[{Word}]",
        ('w', true) => Word,
        ('s', false) => $"[{Space}]",
        ('s', true) => Space,
        ('D', _) => $"[^{Digit}]",
        ('W', _) => $"[^{Word}]",
        ('S', _) => $"[^{Space}]",
        _ => $"\\{escaped}",
    };
}
