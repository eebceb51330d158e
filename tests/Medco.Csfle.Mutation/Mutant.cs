using System.Globalization;

namespace Medco.Csfle.Mutation;

/// <summary>A deliberate fault in one file of the engine.</summary>
/// <param name="Number">Its place in the list, from 1.</param>
/// <param name="Name">What is wrong then.</param>
/// <param name="File">The file, below the engine's project.</param>
/// <param name="Tests">The classes of tests that are tried first, as parts of their full names; none for all of them.</param>
/// <param name="Original">The text that is changed; it stands in the file exactly once.</param>
/// <param name="Replacement">What takes its place.</param>
internal sealed record Mutant(int Number, string Name, string File, IReadOnlyList<string> Tests, string Original, string Replacement)
{
    /// <summary>The file with the fault in it.</summary>
    /// <exception cref="FormatException">The text does not stand in the file, or more than once.</exception>
    public string Apply(string source)
    {
        var place = source.IndexOf(Original, StringComparison.Ordinal);
        if (place < 0) throw new FormatException($"the original text is not in {File}");
        if (source.IndexOf(Original, place + 1, StringComparison.Ordinal) >= 0) throw new FormatException($"the original text is in {File} more than once");
        return string.Concat(source.AsSpan(0, place), Replacement, source.AsSpan(place + Original.Length));
    }

    /// <summary>Whether an argument of the command line means this one: its number, or a part of its name or its file.</summary>
    public bool IsMeantBy(string argument)
        => int.TryParse(argument, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number == Number
            : Name.Contains(argument, StringComparison.OrdinalIgnoreCase) || File.Contains(argument, StringComparison.OrdinalIgnoreCase);
}
