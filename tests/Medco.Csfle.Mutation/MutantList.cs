namespace Medco.Csfle.Mutation;

/// <summary>
/// Reads mutants.txt: a line "= name", a line "file: path", optionally a line "tests: class class", then the original lines
/// behind "- " and the new ones behind "+ ". Lines that start with "#" and blank ones are for the reader.
/// </summary>
internal static class MutantList
{
    public static IReadOnlyList<Mutant> Read(IEnumerable<string> lines)
    {
        var mutants = new List<Mutant>();
        List<string>? current = null;
        foreach (var line in lines.Append("= "))
        {
            if (line.StartsWith("= ", StringComparison.Ordinal))
            {
                if (current is not null) mutants.Add(ReadOne(mutants.Count + 1, current));
                current = [];
            }

            if (line.Length == 0 || line[0] == '#') continue;
            (current ?? throw new FormatException($"'{line}' stands in front of the first mutant")).Add(line);
        }

        if (mutants.GroupBy(mutant => mutant.Name).FirstOrDefault(group => group.Count() > 1) is { } twice) throw new FormatException($"'{twice.Key}' is there twice");
        return mutants;
    }

    private static Mutant ReadOne(int number, List<string> lines)
    {
        var name = Behind(lines, "= ").Single();
        var known = new[] { "= ", "file: ", "tests: ", "- ", "+ " };
        if (lines.Find(line => !known.Any(prefix => line.StartsWith(prefix, StringComparison.Ordinal))) is { } odd) throw new FormatException($"{name}: '{odd}' means nothing");
        if (Behind(lines, "file: ").ToList() is not [var file]) throw new FormatException($"{name}: one line 'file: path' is needed");
        var original = string.Join('\n', Behind(lines, "- "));
        var replacement = string.Join('\n', Behind(lines, "+ "));
        if (original.Length == 0 || original == replacement) throw new FormatException($"{name}: nothing is changed");
        return new Mutant(number, name, file, [.. Behind(lines, "tests: ").SelectMany(tests => tests.Split(' '))], original, replacement);
    }

    private static IEnumerable<string> Behind(IEnumerable<string> lines, string prefix)
        => lines.Where(line => line.StartsWith(prefix, StringComparison.Ordinal)).Select(line => line[prefix.Length..]);
}
