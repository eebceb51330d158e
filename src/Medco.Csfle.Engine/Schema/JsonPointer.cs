using System.Diagnostics.CodeAnalysis;
using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// A JSON pointer (RFC 6901) that names, in the document being written, the field that holds the alternate name of the data
/// key: <c>/ownerKey</c>.
/// </summary>
internal sealed class JsonPointer
{
    /// <summary>The most steps a pointer may have.</summary>
    public const int MaxTokens = 100;

    private readonly byte[][] _tokens;

    private JsonPointer(string text, IReadOnlyList<string> tokens)
    {
        Text = text;
        Tokens = tokens;
        _tokens = [.. tokens.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>The pointer as it was written.</summary>
    public string Text { get; }

    /// <summary>The steps, unescaped.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The steps joined by dots, as MongoDB writes a path.</summary>
    public string Path => string.Join('.', Tokens);

    /// <summary>Reads a pointer.</summary>
    /// <param name="text">The pointer.</param>
    /// <param name="pointer">The result.</param>
    /// <param name="problem">What is wrong with it, where the answer is false.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out JsonPointer? pointer, [NotNullWhen(false)] out string? problem)
    {
        pointer = null;
        problem = text switch
        {
            "" => "Empty JSONPointers are not supported.",
            _ when text[0] != '/' => "JSONPointer must start with a '/'.",
            _ when text.Contains('\0') => "JSONPointer cannot contain NUL, which no element name can.",
            _ when HasUnescapedTilde(text) => "JSONPointer cannot contain unescaped ~ character.",
            _ => null,
        };
        if (problem is not null) return false;

        var tokens = text[1..].Split('/');
        if (tokens.Length > MaxTokens)
        {
            problem = $"JSONPointer has {tokens.Length} steps, but {MaxTokens} are the most.";
            return false;
        }

        // In this order, so that "~01" becomes "~1" and not "/".
        pointer = new JsonPointer(text, [.. tokens.Select(token => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))]);
        return true;
    }

    /// <summary>Finds the value the pointer names: through documents by key and through arrays by decimal index.</summary>
    /// <param name="document">The buffer that holds the document.</param>
    /// <param name="documentOffset">Where in the buffer the document starts.</param>
    /// <param name="type">The value's type.</param>
    /// <param name="value">Where in the buffer the value's raw bytes are.</param>
    /// <returns>False where the document has no such value.</returns>
    public bool TryResolve(ReadOnlySpan<byte> document, int documentOffset, out BsonType type, out Range value)
    {
        type = default;
        value = default;
        var reader = new BsonReader(document, documentOffset, 0);
        for (var index = 0; index < _tokens.Length; index++)
        {
            // The elements of an array are named by their decimal index, so that a name serves for both.
            if (!reader.ReadTo(_tokens[index])) return false;
            if (index == _tokens.Length - 1)
            {
                type = reader.Type;
                value = reader.ValueStart..reader.ValueEnd;
                return true;
            }

            if (reader.Type is not (BsonType.Document or BsonType.Array)) return false;
            reader = reader.ReadDocument();
        }

        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static bool HasUnescapedTilde(string text)
    {
        for (var index = text.IndexOf('~'); index >= 0; index = text.IndexOf('~', index + 1))
        {
            if (index + 1 == text.Length || text[index + 1] is not ('0' or '1')) return true;
        }

        return false;
    }
}
