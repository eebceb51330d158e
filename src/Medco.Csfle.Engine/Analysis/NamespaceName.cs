using System.Text;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// What may be the name of a collection with its database, <c>db.collection</c>. Source: MongoDB manual, "MongoDB Limits and
/// Thresholds", naming restrictions.
/// </summary>
internal static class NamespaceName
{
    private const int MaxDatabaseLength = 63;

    private const int MaxLength = 255;

    /// <summary>Whether a text is a namespace. What this refuses, no server has.</summary>
    public static bool IsValid(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && IsDatabase(text.AsSpan(0, dot)) && IsCollection(text.AsSpan(dot + 1)) && Encoding.UTF8.GetByteCount(text) <= MaxLength;
    }

    /// <summary>Whether a text is the name of a database.</summary>
    public static bool IsDatabase(ReadOnlySpan<char> name)
        => name.Length > 0 && name.IndexOfAny("/\\. \"$*\0") < 0 && Encoding.UTF8.GetByteCount(name) <= MaxDatabaseLength;

    private static bool IsCollection(ReadOnlySpan<char> name)
        => name.Length > 0 && name[0] != '.' && name[^1] != '.' && name.IndexOfAny('$', '*', '\0') < 0;
}
