using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Medco.Csfle.Engine.Schema;

/// <summary>What is marked in the classes of one collection, by their attributes and by what was declared beside them.</summary>
[RequiresUnreferencedCode(EncryptedModel.Trimming)]
internal sealed class ModelMarks(DeclaredModel declared)
{
    /// <summary>The marks of a member as objects of <paramref name="type"/> have it.</summary>
    /// <exception cref="ArgumentException">An attribute was given an argument that it does not accept.</exception>
    public EncryptionMarks Of(Type type, MemberInfo member) => EncryptionMarks.Of(type, member).And(declared.Of(member));

    /// <summary>All members of the type and its base classes that are marked themselves, stored or not.</summary>
    public IEnumerable<MemberInfo> MembersOf(Type type)
        => EncryptionMarks.MembersOf(type).Concat(declared.Members.Where(member => member.DeclaringType!.IsAssignableFrom(type)));

    /// <summary>True where the derived type has marked members that the base type, or interface, does not have.</summary>
    public bool AreAddedBy(Type derived, Type type)
        => MembersOf(derived).Any(member => !member.DeclaringType!.IsAssignableFrom(type));
}
