using System.Buffers;
using System.Numerics;
using System.Text;
using System.Text.Unicode;

namespace Medco.Csfle.Engine.Schema;

/// <summary>A name that <c>properties</c> of a schema lists.</summary>
/// <param name="Name">The element name.</param>
/// <param name="Node">What the schema says about it.</param>
internal readonly record struct SchemaProperty(string Name, SchemaNode Node);

/// <summary>A pattern that <c>patternProperties</c> of a schema lists.</summary>
/// <param name="Pattern">Matches element names.</param>
/// <param name="Node">What the schema says about them.</param>
internal readonly record struct SchemaPatternProperty(NamePattern Pattern, SchemaNode Node);

/// <summary>A path that is not encrypted itself; names below it may be.</summary>
internal sealed class PlainNode : SchemaNode
{
    // Below this a comparison of lengths and bytes in a row beats hashing.
    private const int LinearSearchLimit = 6;

    private readonly byte[][] _names;
    private readonly SchemaNode[] _nodes;
    private readonly int[]? _buckets;
    private readonly string _location;
    private readonly CaseInsensitiveNames _encrypted;

    /// <summary>A node with the children that <c>properties</c>, <c>patternProperties</c> and <c>additionalProperties</c> give it.</summary>
    /// <param name="location">The JSON path of this sub-schema, for messages.</param>
    /// <param name="properties">The named children, each name once.</param>
    /// <param name="patterns">Needed only where anything below this node is encrypted.</param>
    /// <param name="additional">What is said about every other name; null where nothing is.</param>
    public PlainNode(string location, IReadOnlyList<SchemaProperty> properties, IReadOnlyList<SchemaPatternProperty> patterns, SchemaNode? additional)
    {
        _location = location;
        Properties = properties;
        PatternProperties = patterns;
        AdditionalProperties = additional;
        _names = [.. properties.Select(property => Encoding.UTF8.GetBytes(property.Name))];
        _nodes = [.. properties.Select(property => property.Node)];
        _buckets = _names.Length > LinearSearchLimit ? Hash(_names) : null;
        _encrypted = new CaseInsensitiveNames(properties.Where(property => property.Node.HasEncryption).Select(property => property.Name));
        HasEncryption = additional is { HasEncryption: true }
            || properties.Any(property => property.Node.HasEncryption)
            || patterns.Any(pattern => pattern.Node.HasEncryption);
    }

    /// <summary>What happens to null in the place of this document; <see cref="NullPolicy.Default"/> stores it, since there is nothing to encrypt in it.</summary>
    public NullPolicy Nulls { get; init; }

    /// <summary>True where null may stand in the place of this document.</summary>
    public bool AllowsNull => Nulls is NullPolicy.Default or NullPolicy.StoreInClear;

    /// <summary>Class and member, where the schema was made from a class.</summary>
    public string? Member { get; init; }

    /// <summary>What documents may say of their classes; only at the root of a schema that was made from a class.</summary>
    public StoredClass? Class { get; init; }

    /// <summary>A node that says nothing about any name.</summary>
    public static PlainNode Empty { get; } = new("", [], [], null);

    /// <inheritdoc/>
    public override bool HasEncryption { get; }

    /// <summary>The children that have a name of their own, in the order of the schema.</summary>
    public IReadOnlyList<SchemaProperty> Properties { get; }

    /// <summary>The children that a pattern names.</summary>
    public IReadOnlyList<SchemaPatternProperty> PatternProperties { get; }

    /// <summary>What the schema says about a name that neither a property nor a pattern covers.</summary>
    public SchemaNode? AdditionalProperties { get; }

    /// <summary>
    /// True where a name that <see cref="Properties"/> does not list may be encrypted, so that a name which is not known
    /// yet has to be taken for one that is.
    /// </summary>
    public bool EncryptsUnlistedNames
        => AdditionalProperties is { HasEncryption: true } || PatternProperties.Any(pattern => pattern.Node.HasEncryption);

    /// <summary>
    /// A name in <c>properties</c> that is encrypted, or leads to one that is, and differs from the given one only in case.
    /// Patterns say themselves which case they mean.
    /// </summary>
    /// <returns>Null where there is none, and where the schema lists the given name exactly as it is.</returns>
    public string? FindCaseVariant(ReadOnlySpan<byte> utf8Name)
        => _encrypted.Find(utf8Name) is { } variant && IndexOf(utf8Name) < 0 ? variant : null;

    /// <summary>What the schema says about the name below this node.</summary>
    /// <returns>Null where it says nothing: not encrypted.</returns>
    /// <exception cref="EncryptionSchemaException">
    /// The patterns that match the name say different things about its encryption, or one of them could not be matched.
    /// </exception>
    /// <exception cref="QueryAnalysisException">The name is not UTF-8 and there are patterns to match it against.</exception>
    public SchemaNode? Find(ReadOnlySpan<byte> utf8Name)
    {
        // A listed name has been compared with the patterns by the parser, so that the hot path stops here.
        var index = IndexOf(utf8Name);
        if (index >= 0) return _nodes[index];
        return PatternProperties.Count == 0 ? AdditionalProperties : FindByPattern(utf8Name);
    }

    /// <inheritdoc/>
    public override bool EncryptsLike(SchemaNode other)
    {
        if (other is not PlainNode plain) return false;
        if (HasEncryption != plain.HasEncryption) return false;
        if (!HasEncryption) return true;

        return Properties.Count == plain.Properties.Count
            && PatternProperties.Count == plain.PatternProperties.Count
            && (AdditionalProperties is null) == (plain.AdditionalProperties is null)
            && (AdditionalProperties is null || AdditionalProperties.EncryptsLike(plain.AdditionalProperties!))
            && Properties.All(property => plain.IndexOf(Encoding.UTF8.GetBytes(property.Name)) is var index and >= 0
                && property.Node.EncryptsLike(plain._nodes[index]))
            && PatternProperties.Zip(plain.PatternProperties).All(pair => pair.First.Pattern.Text == pair.Second.Pattern.Text
                && pair.First.Node.EncryptsLike(pair.Second.Node));
    }

    /// <summary>Compares what is said about a listed name with what the patterns that match it say.</summary>
    /// <exception cref="EncryptionSchemaException">They disagree.</exception>
    internal void CheckOverlaps()
    {
        if (!HasEncryption || PatternProperties.Count == 0) return;
        foreach (var property in Properties) MatchPatterns(property.Name, property.Node);
    }

    private SchemaNode? FindByPattern(ReadOnlySpan<byte> utf8Name)
    {
        if (!Utf8.IsValid(utf8Name))
        {
            throw new QueryAnalysisException(CsfleErrorCode.MalformedCommand,
                "An element's name is not UTF-8, so that it cannot be compared with the patterns of the encryption schema",
                "Send element names in UTF-8.");
        }

        var buffer = ArrayPool<char>.Shared.Rent(utf8Name.Length);
        try
        {
            var length = Encoding.UTF8.GetChars(utf8Name, buffer);
            return MatchPatterns(buffer.AsSpan(0, length), null) ?? AdditionalProperties;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    private SchemaNode? MatchPatterns(ReadOnlySpan<char> name, SchemaNode? found)
    {
        foreach (var (pattern, node) in PatternProperties)
        {
            if (!IsMatch(pattern, name)) continue;
            if (found is not null && !found.EncryptsLike(node))
            {
                throw Mistake(name, $"is matched by the pattern '{pattern.Text}' and by something else that says otherwise about its encryption.",
                    "Let one entry of 'properties' and 'patternProperties' cover the name, or give all of them the same 'encrypt'.");
            }

            found ??= node;
        }

        return found;
    }

    private bool IsMatch(NamePattern pattern, ReadOnlySpan<char> name)
        => pattern.TryMatch(name, out var isMatch)
            ? isMatch
            : throw Mistake(name, $"could not be compared with the pattern '{pattern.Text}' in time, so that it is not known whether it is encrypted.",
                "Simplify the pattern or shorten the name.");

    private EncryptionSchemaException Mistake(ReadOnlySpan<char> name, string problem, string remedy)
        => new(CsfleErrorCode.InvalidSchema, EncryptionSchema.Subject,
            [new EncryptionSchemaError(EncryptionSchemaParser.Below(_location, SchemaKeywords.PatternProperties), $"The name '{name}' {problem}", remedy)]);

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        if (_buckets is null)
        {
            for (var index = 0; index < _names.Length; index++)
            {
                if (name.SequenceEqual(_names[index])) return index;
            }

            return -1;
        }

        // Open addressing: the table is at most half full, so that a free bucket (-1) ends every search.
        var mask = _buckets.Length - 1;
        for (var bucket = HashOf(name) & mask; _buckets[bucket] >= 0; bucket = (bucket + 1) & mask)
        {
            if (name.SequenceEqual(_names[_buckets[bucket]])) return _buckets[bucket];
        }

        return -1;
    }

    private static int[] Hash(byte[][] names)
    {
        var buckets = new int[(int)BitOperations.RoundUpToPowerOf2(2 * (uint)names.Length)];
        Array.Fill(buckets, -1);
        for (var index = 0; index < names.Length; index++)
        {
            var bucket = HashOf(names[index]) & (buckets.Length - 1);
            while (buckets[bucket] >= 0) bucket = (bucket + 1) & (buckets.Length - 1);
            buckets[bucket] = index;
        }

        return buckets;
    }

    // FNV-1a: element names are short, and the names in the table are the schema's own, not an attacker's.
    private static int HashOf(ReadOnlySpan<byte> name)
    {
        var hash = 2166136261u;
        foreach (var value in name) hash = unchecked((hash ^ value) * 16777619u);
        return (int)(hash >> 1);
    }
}
