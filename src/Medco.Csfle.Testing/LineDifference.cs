namespace Medco.Csfle.Testing;

/// <summary>The lines in which two texts differ, with a few around them.</summary>
internal static class LineDifference
{
    private const int Context = 3;

    /// <summary>Lines that went begin with <c>-</c>, new ones with <c>+</c>, those around them with a blank.</summary>
    public static string Of(string before, string after)
    {
        var lines = Compare(before.Split('\n'), after.Split('\n'));
        var shown = new List<string>();
        var last = -1;
        for (var i = 0; i < lines.Count; i++)
        {
            var isNear = Enumerable.Range(Math.Max(0, i - Context), (2 * Context) + 1).Any(near => near < lines.Count && lines[near][0] != ' ');
            if (!isNear) continue;
            if (last >= 0 && i > last + 1) shown.Add("  …");
            shown.Add(lines[i]);
            last = i;
        }

        return string.Join('\n', shown);
    }

    // The longest common subsequence: schemas have few lines.
    private static List<string> Compare(string[] before, string[] after)
    {
        var common = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
            {
                common[i, j] = before[i] == after[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var lines = new List<string>();
        int b = 0, a = 0;
        while (b < before.Length || a < after.Length)
        {
            if (b < before.Length && a < after.Length && before[b] == after[a])
            {
                lines.Add($"  {before[b]}");
                b++;
                a++;
            }
            else if (b < before.Length && (a == after.Length || common[b + 1, a] >= common[b, a + 1]))
            {
                lines.Add($"- {before[b++]}");
            }
            else
            {
                lines.Add($"+ {after[a++]}");
            }
        }

        return lines;
    }
}
