using System.Diagnostics.CodeAnalysis;
using System.Reflection;

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
internal sealed record ClassMapping(Type Type, IReadOnlyList<MemberMapping> Members, IReadOnlyList<Type> KnownTypes);

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
}

/// <summary>As what values of a type are stored.</summary>
/// <param name="Types">The BSON types; null where they cannot be known before a value is there.</param>
/// <param name="Shape">Whether there is something below.</param>
/// <param name="Contained">
/// The classes of what is below: of the document, of the items, or, for an opaque value, the class or interface that is known of it.
/// </param>
internal sealed record StoredForm(BsonTypeSet? Types, FieldShape Shape, IReadOnlyList<Type> Contained);

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
