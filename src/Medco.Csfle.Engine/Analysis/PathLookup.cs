using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>How a dotted path relates to what is encrypted. Every rule of the analysis is phrased with these.</summary>
internal enum PathState
{
    /// <summary>Nothing at the path or below it is encrypted.</summary>
    NotEncrypted,

    /// <summary>The value at the path is encrypted.</summary>
    Encrypted,

    /// <summary>The value at the path is not, but one inside it is.</summary>
    PrefixOfEncrypted,

    /// <summary>The path leads into a value that is encrypted as a whole.</summary>
    BelowEncrypted,

    /// <summary>The path cannot be told: an empty or <c>$</c> component, or an array index where the schema knows documents only.</summary>
    Unresolvable,

    /// <summary>The path differs only in case from one that is encrypted or leads to one that is.</summary>
    CaseVariant,

    /// <summary>What stands there is known only when the pipeline runs, or an earlier stage took an encrypted value away.</summary>
    Unknown,
}

/// <summary>A dotted path looked up in an encryption schema.</summary>
/// <param name="State">How the path relates to what is encrypted.</param>
/// <param name="Node">The node at the path, where <paramref name="State"/> is <see cref="PathState.Encrypted"/>.</param>
/// <param name="Prefix">The node at the path, where <paramref name="State"/> is <see cref="PathState.PrefixOfEncrypted"/>.</param>
/// <param name="Listed">The name that the schema has instead, where <paramref name="State"/> is <see cref="PathState.CaseVariant"/>.</param>
internal readonly record struct PathLookup(PathState State, EncryptedNode? Node = null, PlainNode? Prefix = null, string? Listed = null)
{
    /// <summary>Looks a path up, component by component, from a node on.</summary>
    /// <param name="start">The schema of the document that the path is relative to; null where there is none.</param>
    /// <param name="path">Components joined by dots, UTF-8.</param>
    public static PathLookup Resolve(PlainNode? start, ReadOnlySpan<byte> path)
    {
        SchemaNode? node = start;
        var rest = path;
        while (true)
        {
            if (node is not { HasEncryption: true }) return new PathLookup(PathState.NotEncrypted);
            if (node is UnknownNode) return new PathLookup(PathState.Unknown);
            if (node is not PlainNode plain) return new PathLookup(PathState.BelowEncrypted);

            var dot = rest.IndexOf((byte)'.');
            var component = dot < 0 ? rest : rest[..dot];
            if (component.IsEmpty || component[0] == (byte)'$') return new PathLookup(PathState.Unresolvable);

            // Below the root a number would be read as an index if the data held an array there.
            if (plain != start && IsNumber(component)) return new PathLookup(PathState.Unresolvable);

            node = plain.Find(component);
            if (node is not { HasEncryption: true } && plain.FindCaseVariant(component) is { } listed)
            {
                return new PathLookup(PathState.CaseVariant, Listed: listed);
            }

            if (dot < 0) return At(node);
            rest = rest[(dot + 1)..];
        }
    }

    private static PathLookup At(SchemaNode? node) => node switch
    {
        UnknownNode => new PathLookup(PathState.Unknown),
        EncryptedNode encrypted => new PathLookup(PathState.Encrypted, encrypted),
        PlainNode { HasEncryption: true } plain => new PathLookup(PathState.PrefixOfEncrypted, Prefix: plain),
        _ => new PathLookup(PathState.NotEncrypted),
    };

    private static bool IsNumber(ReadOnlySpan<byte> component) => component.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
}
