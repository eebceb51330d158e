using System.Text;

namespace Medco.Csfle.Engine.Bson;

/// <summary>The options of a BSON regular expression, which bsonspec.org wants in alphabetical order.</summary>
internal static class RegularExpressionOptions
{
    /// <summary>A copy in alphabetical order. Options that are not ASCII mean nothing to anybody and stay as they are.</summary>
    public static byte[] Sort(ReadOnlySpan<byte> options)
    {
        var sorted = options.ToArray();
        if (Ascii.IsValid(options)) Array.Sort(sorted);
        return sorted;
    }
}
