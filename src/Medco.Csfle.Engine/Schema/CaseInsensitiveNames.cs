using System.Text;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// Finds names that equal another but for the case of letters (ordinal, invariant). What is asked for is nearly always ASCII
/// and of another length than every name here, so that a look at one array is all it costs.
/// </summary>
internal sealed class CaseInsensitiveNames
{
    private readonly string[] _names;
    private readonly string[] _beyondAscii;
    private readonly string[]?[] _asciiByLength;

    /// <summary>A list of names.</summary>
    public CaseInsensitiveNames(IEnumerable<string> names)
    {
        _names = [.. names];
        _beyondAscii = [.. _names.Where(name => !Ascii.IsValid(name))];
        var ascii = _names.Where(name => Ascii.IsValid(name)).GroupBy(name => name.Length).ToDictionary(group => group.Key, group => group.ToArray());
        _asciiByLength = ascii.Count == 0 ? [] : new string[ascii.Keys.Max() + 1][];
        foreach (var (length, group) in ascii) _asciiByLength[length] = group;
    }

    /// <summary>The first name that equals the given one if case is ignored, or null.</summary>
    public string? Find(ReadOnlySpan<byte> utf8Name)
    {
        if (!Ascii.IsValid(utf8Name)) return FindDecoded(_names, utf8Name);
        if (utf8Name.Length < _asciiByLength.Length && _asciiByLength[utf8Name.Length] is { } candidates)
        {
            foreach (var candidate in candidates)
            {
                if (Ascii.EqualsIgnoreCase(utf8Name, candidate)) return candidate;
            }
        }

        return _beyondAscii.Length == 0 ? null : FindDecoded(_beyondAscii, utf8Name);
    }

    private static string? FindDecoded(string[] names, ReadOnlySpan<byte> utf8Name)
    {
        if (names.Length == 0) return null;
        var decoded = Encoding.UTF8.GetString(utf8Name);
        return Array.Find(names, name => name.Equals(decoded, StringComparison.OrdinalIgnoreCase));
    }
}
