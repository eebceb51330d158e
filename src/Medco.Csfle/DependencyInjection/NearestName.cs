namespace Medco.Csfle.DependencyInjection;

/// <summary>Which of the known names somebody may have meant.</summary>
internal static class NearestName
{
    /// <summary>The name that takes the fewest changes of single letters, whatever their case.</summary>
    /// <param name="written">What was written.</param>
    /// <param name="names">The known names; at least one.</param>
    public static string Of(string written, IEnumerable<string> names) => names.MinBy(name => Distance(written.ToUpperInvariant(), name.ToUpperInvariant()))!;

    // Levenshtein's, one row at a time.
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var substituted = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
