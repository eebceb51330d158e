namespace Medco.Csfle.Engine.Tests;

/// <summary>
/// The official test data of the MongoDB driver specifications and of libmongocrypt. It lives beside the repository, in
/// <c>../shared/vectors</c>, and is read there; nothing of it is part of the project.
/// </summary>
internal static class OfficialVectors
{
    private static readonly string? Root = FindRoot();

    /// <summary>Why the tests over this data are skipped, or null where it is present.</summary>
    public static string? SkipReason
        => Root is null ? "the official test vectors (../shared/vectors beside the repository) are not on this machine" : null;

    /// <summary>The full path of a file or folder below the vectors.</summary>
    public static string PathOf(string relative)
        => Path.Combine(Root ?? throw new InvalidOperationException(SkipReason), relative);

    /// <summary>The text of a file below the vectors.</summary>
    public static string ReadText(string relative) => File.ReadAllText(PathOf(relative));

    private static string? FindRoot()
    {
        var vectors = Path.GetFullPath(Path.Combine(RepositoryFiles.Root, "..", "shared", "vectors"));
        return Directory.Exists(vectors) ? vectors : null;
    }
}

/// <summary>A fact that needs the official vectors and is skipped, with the reason on screen, where they are absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class VectorFactAttribute : FactAttribute
{
    public VectorFactAttribute() => Skip = OfficialVectors.SkipReason;
}
