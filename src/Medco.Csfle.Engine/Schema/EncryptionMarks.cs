using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Medco.Csfle.Engine.Schema;

/// <summary>What is asked for one member, by attributes or by code.</summary>
/// <param name="IsDeterministic"><c>[Deterministic]</c> is there.</param>
/// <param name="IsRandom"><c>[Random]</c> is there.</param>
/// <param name="KeyField"><see cref="RandomAttribute.KeyField"/>, where it is given.</param>
/// <param name="KeyAltName">The name that <c>[DataKey]</c> gives, where it is there.</param>
/// <param name="Nulls">What happens to null, where it is said.</param>
internal readonly record struct EncryptionMarks(bool IsDeterministic, bool IsRandom, string? KeyField, string? KeyAltName, NullPolicy Nulls)
{
    private const BindingFlags Everything = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>True where the value of the member is to be encrypted.</summary>
    public bool IsEncrypted => IsDeterministic || IsRandom;

    /// <summary>The first thing that two marks of the member say differently; null where they agree.</summary>
    public string? Contradiction { get; init; }

    /// <summary>What both say; where one says nothing, the other counts.</summary>
    public EncryptionMarks And(EncryptionMarks other)
        => new(IsDeterministic || other.IsDeterministic, IsRandom || other.IsRandom, KeyField ?? other.KeyField, KeyAltName ?? other.KeyAltName,
            Nulls == NullPolicy.Default ? other.Nulls : Nulls)
        {
            Contradiction = Contradiction ?? other.Contradiction ?? Difference(other),
        };

    /// <summary>
    /// The marks of a member as objects of <paramref name="type"/> have it: for an overridden property those of the last
    /// override and of what it overrides.
    /// </summary>
    /// <exception cref="ArgumentException">An attribute was given an argument that it does not accept.</exception>
    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    public static EncryptionMarks Of(Type type, MemberInfo member)
    {
        member = LastOverride(type, member);
        return new EncryptionMarks(
            Attribute.IsDefined(member, typeof(DeterministicAttribute), inherit: true),
            Attribute.IsDefined(member, typeof(RandomAttribute), inherit: true),
            ((RandomAttribute?)Attribute.GetCustomAttribute(member, typeof(RandomAttribute), inherit: true))?.KeyField,
            ((DataKeyAttribute?)Attribute.GetCustomAttribute(member, typeof(DataKeyAttribute), inherit: true))?.KeyAltName,
            NullsOf(member));
    }

    /// <summary>All members of the type and its base classes that carry a mark themselves, stored or not.</summary>
    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    public static IEnumerable<MemberInfo> MembersOf(Type type)
    {
        for (var level = type; level is not null; level = level.BaseType)
        {
            foreach (var member in level.GetMembers(Everything))
            {
                if (member is PropertyInfo or FieldInfo && CarriesMark(member)) yield return member;
            }
        }
    }

    /// <summary>True where both are the same property or field, one perhaps an override of the other.</summary>
    public static bool AreSame(MemberInfo left, MemberInfo right) => Definition(left) == Definition(right);

    /// <summary>The property or field as the class declares it that has it first, type arguments included.</summary>
    public static (Type DeclaringType, Module Module, int Token) Identity(MemberInfo member)
    {
        var declaring = member is PropertyInfo { GetMethod: { } getter } ? getter.GetBaseDefinition().DeclaringType : member.DeclaringType;
        var (module, token) = Definition(member);
        return (declaring!, module, token);
    }

    private string? Difference(EncryptionMarks other)
    {
        if (KeyField is not null && other.KeyField is not null && KeyField != other.KeyField) return "KeyField";
        if (KeyAltName is not null && other.KeyAltName is not null && KeyAltName != other.KeyAltName) return "the data key";
        return Nulls != NullPolicy.Default && other.Nulls != NullPolicy.Default && Nulls != other.Nulls ? "what happens to null" : null;
    }

    private static NullPolicy NullsOf(MemberInfo member)
    {
        var random = ((RandomAttribute?)Attribute.GetCustomAttribute(member, typeof(RandomAttribute), inherit: true))?.Nulls ?? NullPolicy.Default;
        return random != NullPolicy.Default
            ? random
            : ((DeterministicAttribute?)Attribute.GetCustomAttribute(member, typeof(DeterministicAttribute), inherit: true))?.Nulls ?? NullPolicy.Default;
    }

    private static bool CarriesMark(MemberInfo member)
        => member.IsDefined(typeof(DeterministicAttribute), false) || member.IsDefined(typeof(RandomAttribute), false) || member.IsDefined(typeof(DataKeyAttribute), false);

    /// <summary>The member as objects of <paramref name="type"/> have it: for an overridden property the last override.</summary>
    [RequiresUnreferencedCode(EncryptedModel.Trimming)]
    public static MemberInfo LastOverride(Type type, MemberInfo member)
    {
        if (member is not PropertyInfo { GetMethod.IsVirtual: true }) return member;
        for (var level = type; level is not null && level != member.DeclaringType; level = level.BaseType)
        {
            if (Array.Find(level.GetProperties(Everything), property => AreSame(property, member)) is { } found) return found;
        }

        return member;
    }

    // Reflection gives a member that a class inherits another identity than the one its declaring class gives it.
    private static (Module, int) Definition(MemberInfo member)
    {
        var definition = member is PropertyInfo { GetMethod: { } getter } ? getter.GetBaseDefinition() : member;
        return (definition.Module, definition.MetadataToken);
    }
}
