namespace Medco.Csfle.Health;

/// <summary>What a health check has found so far. Problems name codes, ids and collections; they never quote an exception.</summary>
internal sealed class HealthFinding
{
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems => _problems;

    public bool HasFailed { get; private set; }

    public Dictionary<string, object> Data { get; } = new(StringComparer.Ordinal);

    /// <summary>Everything works, but somebody has to look.</summary>
    public void Degrade(string problem) => _problems.Add(problem);

    /// <summary>Something does not work, or will not soon.</summary>
    public void Fail(string problem)
    {
        HasFailed = true;
        _problems.Add(problem);
    }
}
