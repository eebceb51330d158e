using Medco.Csfle.TestServer.Query;

namespace Medco.Csfle.TestServer.Updates;

/// <summary>A path of an update: field names, array indexes, and the placeholders <c>$</c>, <c>$[]</c> and <c>$[identifier]</c>.</summary>
internal sealed class UpdatePath : IComparable<UpdatePath>
{
    public UpdatePath(IReadOnlyList<string> components) => Components = components;

    /// <summary>Reads a path.</summary>
    /// <exception cref="ServerException">It is none.</exception>
    public static UpdatePath Parse(string text)
    {
        if (text.Length == 0) throw new ServerException(ErrorCode.EmptyFieldName, "An empty update path is not valid.");
        var components = text.Split('.');
        foreach (var component in components)
        {
            if (component.Length == 0) throw new ServerException(ErrorCode.EmptyFieldName, $"The update path '{text}' contains an empty field name, which is not allowed.");
            if (component[0] == '$' && !IsPlaceholder(component) && component is not ("$id" or "$ref" or "$db"))
            {
                throw new ServerException(ErrorCode.DollarPrefixedFieldName, $"The dollar ($) prefixed field '{component}' in '{text}' is not allowed in the context of an update's replacement document.");
            }
        }

        if (IsPlaceholder(components[0])) throw ServerException.BadValue($"Cannot have positional (i.e. '$') element in the first position in path '{text}'");
        if (components.Count(component => component == "$") > 1) throw ServerException.BadValue($"Too many positional (i.e. '$') elements found in path '{text}'");
        return new UpdatePath(components);
    }

    public IReadOnlyList<string> Components { get; }

    public string Text => string.Join('.', Components);

    public bool HasPlaceholders => Components.Any(IsPlaceholder);

    /// <summary>The identifier in <c>$[identifier]</c>; empty in <c>$[]</c>; null in anything else.</summary>
    public static string? Identifier(string component)
        => component.StartsWith("$[", StringComparison.Ordinal) && component.EndsWith(']') ? component[2..^1] : null;

    /// <summary>Whether the two name the same place, or one of them a place inside the other.</summary>
    public bool ConflictsWith(UpdatePath other)
    {
        var common = Math.Min(Components.Count, other.Components.Count);
        return Components.Take(common).SequenceEqual(other.Components.Take(common));
    }

    /// <summary>The order in which an update goes through its paths: by name, and by value where both are numbers.</summary>
    public int CompareTo(UpdatePath? other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (var i = 0; i < Components.Count && i < other.Components.Count; i++)
        {
            var (left, right) = (FieldPath.ArrayIndex(Components[i]), FieldPath.ArrayIndex(other.Components[i]));
            var order = left >= 0 && right >= 0 ? left.CompareTo(right) : string.CompareOrdinal(Components[i], other.Components[i]);
            if (order != 0) return order;
        }

        return Components.Count.CompareTo(other.Components.Count);
    }

    private static bool IsPlaceholder(string component) => component == "$" || Identifier(component) is not null;
}
