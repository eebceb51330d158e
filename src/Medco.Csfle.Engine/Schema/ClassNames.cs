using System.Reflection;

namespace Medco.Csfle.Engine.Schema;

/// <summary>Names of classes and members as C# writes them: <c>Box&lt;Patient&gt;.Content</c>.</summary>
internal static class ClassNames
{
    /// <summary>The name of a class, without its namespace.</summary>
    public static string Of(Type type)
    {
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        return tick < 0 ? type.Name : $"{type.Name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>";
    }

    /// <summary>The name of a member, behind that of the class that declares it.</summary>
    public static string Of(MemberInfo member) => $"{Of(member.DeclaringType!)}.{member.Name}";
}
