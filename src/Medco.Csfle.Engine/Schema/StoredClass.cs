namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// The classes that the documents at one place may be of, and what else of them says of which class it is. A recursive class
/// leads back to itself.
/// </summary>
/// <param name="names">The classes, for messages.</param>
internal sealed class StoredClass(IReadOnlyList<string> names)
{
    private readonly List<(byte[] ElementName, List<byte[]> Values)> _discriminators = [];
    private readonly List<(byte[] ElementName, StoredShape Shape)> _members = [];

    /// <summary>The classes.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <summary>True where nothing needs to be looked at.</summary>
    public bool IsTrivial => _discriminators.Count == 0 && _members.Count == 0;

    /// <summary>The values that the element may have, each with its BSON type in front; null where it says nothing about a class.</summary>
    public List<byte[]>? FindDiscriminator(ReadOnlySpan<byte> utf8Name)
    {
        foreach (var (name, values) in _discriminators)
        {
            if (utf8Name.SequenceEqual(name)) return values;
        }

        return null;
    }

    /// <summary>What may stand in an element; null where there is nothing to look at.</summary>
    public StoredShape? FindMember(ReadOnlySpan<byte> utf8Name)
    {
        foreach (var (name, shape) in _members)
        {
            if (utf8Name.SequenceEqual(name)) return shape;
        }

        return null;
    }

    internal void AddDiscriminator(byte[] elementName, byte[] value)
    {
        var known = _discriminators.Find(each => each.ElementName.AsSpan().SequenceEqual(elementName));
        if (known.Values is null) _discriminators.Add((elementName, [value]));
        else known.Values.Add(value);
    }

    internal void AddMember(byte[] elementName, StoredShape shape) => _members.Add((elementName, shape));
}

/// <summary>What may stand at one place.</summary>
/// <param name="Class">The classes of a document there; null where it is not one of a class.</param>
/// <param name="Items">What the items of an array or dictionary there may be; null where there are none to look at.</param>
internal sealed record StoredShape(StoredClass? Class, StoredShape? Items);
