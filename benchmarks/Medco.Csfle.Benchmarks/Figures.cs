using System.Text.Json;

namespace Medco.Csfle.Benchmarks;

/// <summary>What was measured of one piece of work.</summary>
/// <param name="Work">The work.</param>
/// <param name="Who">Who did it, one of <see cref="Contestant"/>.</param>
/// <param name="Median">Median time of one operation in nanoseconds.</param>
/// <param name="Allocated">Managed bytes allocated by one operation; null where that was not measured.</param>
internal sealed record Figure(string Work, string Who, double Median, double? Allocated = null);

/// <summary>Who is measured.</summary>
internal static class Contestant
{
    public const string Floor = "floor";
    public const string Engine = "Medco.Csfle";
    public const string LibMongoCrypt = "libmongocrypt";
    public const string DriverEncryption = "MongoDB.Driver.Encryption";
    public const string DriverExplicit = "MongoDB.Driver.Encryption, explicitly";
    public const string PlainDriver = "MongoDB.Driver without encryption";
}

/// <summary>The figures of a run, and where they come from. Written to a file, they go from one program to the other.</summary>
internal sealed class Figures
{
    /// <summary>Versions and settings that the figures depend on.</summary>
    public List<string> Versions { get; init; } = [];

    /// <summary>What was left out, and why.</summary>
    public List<string> LeftOut { get; init; } = [];

    public List<Figure> All { get; init; } = [];

    public void Add(string work, string who, double median, double? allocated = null) => All.Add(new Figure(work, who, median, allocated));

    /// <summary>The figure, or null if it was not measured.</summary>
    public Figure? Find(string work, string who) => All.Find(figure => figure.Work == work && figure.Who == who);

    /// <summary>How many times the median of another this one's is; null if one of them was not measured.</summary>
    public double? Ratio(string work, string who, string other) => Find(work, who)?.Median / Find(work, other)?.Median;

    public void Save(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        File.WriteAllText(file, JsonSerializer.Serialize(this));
    }

    public static Figures Load(string file) => JsonSerializer.Deserialize<Figures>(File.ReadAllText(file))!;

    public static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
