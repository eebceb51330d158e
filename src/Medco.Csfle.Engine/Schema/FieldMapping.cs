using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// Says how objects of a class are stored. The driver's own class maps are one answer, <see cref="ReflectionFieldMapping"/> is
/// the one that needs no driver; the builder of the schema takes either.
/// </summary>
internal interface IFieldMapping
{
    /// <summary>How objects of the type are stored; null where they are not stored as documents of named members.</summary>
    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    ClassMapping? Map(Type type);
}

/// <summary>How objects of one class are stored, inherited members included.</summary>
/// <param name="Type">The class or struct.</param>
/// <param name="Members">The members that are stored, base classes first; those that are ignored are absent.</param>
/// <param name="KnownTypes">Derived classes that may be stored in its place.</param>
internal sealed record ClassMapping(Type Type, IReadOnlyList<MemberMapping> Members, IReadOnlyList<Type> KnownTypes)
{
    /// <summary>How documents of the class say that they are of it, where another could stand in their place; null where they do not.</summary>
    public Discriminator? Discriminator { get; init; }
}

/// <summary>What a stored document says its class is.</summary>
/// <param name="ElementName">The name of the element, such as <c>_t</c>.</param>
/// <param name="Value">Its value: the byte of its BSON type, then the value's own bytes.</param>
internal sealed record Discriminator(string ElementName, byte[] Value)
{
    /// <summary>The one value of a document in the form of <see cref="Value"/>.</summary>
    public static byte[] ValueIn(ReadOnlySpan<byte> document)
    {
        var reader = new BsonReader(document);
        reader.Read();
        return [(byte)reader.Type, .. reader.Value];
    }
}

/// <summary>How one member is stored.</summary>
/// <param name="Member">The property or field; for an overridden property, the one of the base class.</param>
/// <param name="ElementName">The name of the element.</param>
/// <param name="Stored">As what.</param>
internal sealed record MemberMapping(MemberInfo Member, string ElementName, StoredForm Stored)
{
    /// <summary>True for the member that becomes <c>_id</c>.</summary>
    public bool IsId { get; init; }

    /// <summary>True for the member that takes the elements which have no member.</summary>
    public bool IsExtraElements { get; init; }

    /// <summary>Why a document without the element cannot be read back as it was written; null where it can.</summary>
    public string? ProblemOfAbsence { get; init; }
}

/// <summary>As what values of a type are stored.</summary>
/// <param name="Types">The BSON types; null where they cannot be known before a value is there.</param>
/// <param name="Shape">Whether there is something below.</param>
/// <param name="Contained">
/// The classes of what is below: of the document, of the items, or, for an opaque value, the class or interface that is known of it.
/// </param>
internal sealed record StoredForm(BsonTypeSet? Types, FieldShape Shape, IReadOnlyList<Type> Contained)
{
    /// <summary>How the items are stored, level by level; what <see cref="Contained"/> lists is at the end of it.</summary>
    public IReadOnlyList<StoredForm> Items { get; init; } = [];

    /// <summary>True for an interface, in the place of which the driver stores documents that say what class they are of.</summary>
    public bool IsInterface { get; init; }
}

/// <summary>What is below a member.</summary>
internal enum FieldShape
{
    /// <summary>Nothing that is known by name: a scalar, or a value of a type that only shows when it is there.</summary>
    Opaque,

    /// <summary>The members of one class.</summary>
    Document,

    /// <summary>Items without names of their own: an array, a list, a dictionary, a tuple.</summary>
    Items,
}
