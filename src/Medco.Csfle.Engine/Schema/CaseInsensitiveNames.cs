using System.Text;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// Finds names that equal another but for the case of letters (ordinal, invariant). What is asked for is nearly always ASCII
/// and of another length than every name here, so that a look at one array is all it costs.
/// </summary>
internal sealed class CaseInsensitiveNames
{
    // As many are compared in a row before hashing pays.
    private const int LinearSearchLimit = 8;

    private readonly HashSet<string> _names;
    private readonly bool _areAllAscii;
    private readonly string[]?[] _asciiByLength;
    private readonly Dictionary<int, string[]> _asciiByHash;

    /// <summary>A list of names.</summary>
    public CaseInsensitiveNames(IEnumerable<string> names)
    {
        _names = new HashSet<string>(names, StringComparer.OrdinalIgnoreCase);
        _areAllAscii = _names.All(name => Ascii.IsValid(name));
        var ascii = _names.Where(name => Ascii.IsValid(name)).GroupBy(name => name.Length).ToDictionary(group => group.Key, group => group.ToArray());
        _asciiByLength = ascii.Count == 0 ? [] : new string[ascii.Keys.Max() + 1][];
        foreach (var (length, group) in ascii) _asciiByLength[length] = group;
        _asciiByHash = ascii.Values.Where(group => group.Length > LinearSearchLimit).SelectMany(group => group)
            .GroupBy(name => HashOf(Encoding.ASCII.GetBytes(name))).ToDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>A name that equals the given one if case is ignored, or null.</summary>
    public string? Find(ReadOnlySpan<byte> utf8Name)
    {
        if (_names.Count == 0) return null;
        if (!Ascii.IsValid(utf8Name)) return FindDecoded(utf8Name);
        if (utf8Name.Length < _asciiByLength.Length && _asciiByLength[utf8Name.Length] is { } candidates)
        {
            if (candidates.Length > LinearSearchLimit) candidates = _asciiByHash.GetValueOrDefault(HashOf(utf8Name)) ?? [];
            foreach (var candidate in candidates)
            {
                if (Ascii.EqualsIgnoreCase(utf8Name, candidate)) return candidate;
            }
        }

        return _areAllAscii ? null : FindDecoded(utf8Name);
    }

    private string? FindDecoded(ReadOnlySpan<byte> utf8Name)
        => _names.TryGetValue(Encoding.UTF8.GetString(utf8Name), out var name) ? name : null;

    // FNV-1a over the letters without their case.
    private static int HashOf(ReadOnlySpan<byte> ascii)
    {
        var hash = 2166136261u;
        foreach (var value in ascii)
        {
            var folded = value is >= (byte)'A' and <= (byte)'Z' ? value | 0x20u : value;
            hash = unchecked((hash ^ folded) * 16777619u);
        }

        return unchecked((int)hash);
    }
}
