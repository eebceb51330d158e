using System.Collections.ObjectModel;
using System.Reflection;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Schema;

/// <summary>
/// Reads the attributes of MongoDB's C# driver by name, so that the engine needs no reference to it. The driver does not
/// inherit them to overriding members, nor does this.
/// </summary>
internal static class DriverAttributes
{
    private const string Namespace = "MongoDB.Bson.Serialization.Attributes";

    /// <summary>True where the driver leaves the member out.</summary>
    public static bool IsIgnored(MemberInfo member) => Find(member, "BsonIgnoreAttribute") is not null;

    /// <summary>True where an attribute makes the driver store a member that it would not have stored without.</summary>
    public static bool IsOptedIn(MemberInfo member)
        => member.CustomAttributes.Any(attribute => attribute.AttributeType.Namespace == Namespace && attribute.AttributeType.Name != "BsonIgnoreAttribute");

    /// <summary>True for <c>[BsonId]</c>.</summary>
    public static bool IsId(MemberInfo member) => Find(member, "BsonIdAttribute") is not null;

    /// <summary>True for a class with <c>[BsonNoId]</c>, none of whose members becomes <c>_id</c> by its name.</summary>
    public static bool HasNoId(Type type) => Find(type, "BsonNoIdAttribute") is not null;

    /// <summary>True for <c>[BsonExtraElements]</c>.</summary>
    public static bool IsExtraElements(MemberInfo member) => Find(member, "BsonExtraElementsAttribute") is not null;

    /// <summary>True where a serializer of the application's own decides how the member, or the class, is stored.</summary>
    public static bool HasOwnSerializer(MemberInfo member) => Find(member, "BsonSerializerAttribute") is not null;

    /// <summary>The name that <c>[BsonElement("name")]</c> gives; null where it gives none.</summary>
    public static string? ElementName(MemberInfo member)
        => Find(member, "BsonElementAttribute") is { } attribute ? Arguments(attribute).OfType<string>().FirstOrDefault() : null;

    /// <summary>
    /// The BSON type that <c>[BsonRepresentation]</c>, <c>[BsonDateTimeOptions]</c>, <c>[BsonTimeSpanOptions]</c> or
    /// <c>[BsonDateOnlyOptions]</c> asks for.
    /// </summary>
    public static BsonType? Representation(MemberInfo member)
    {
        string[] names = ["BsonRepresentationAttribute", "BsonDateTimeOptionsAttribute", "BsonTimeSpanOptionsAttribute", "BsonDateOnlyOptionsAttribute", "BsonTimeOnlyOptionsAttribute"];
        foreach (var name in names)
        {
            if (Find(member, name) is not { } attribute) continue;
            foreach (var argument in attribute.ConstructorArguments.Concat(attribute.NamedArguments.Select(named => named.TypedValue)))
            {
                // The driver's enumeration of BSON types has the numbers of the specification, as ours has.
                if (argument.ArgumentType.FullName != "MongoDB.Bson.BsonType") continue;
                var type = unchecked((BsonType)Convert.ToInt32(argument.Value, System.Globalization.CultureInfo.InvariantCulture));
                if (Enum.IsDefined(type)) return type;
            }
        }

        return null;
    }

    /// <summary>True where <c>[BsonDictionaryOptions]</c> stores a dictionary as an array.</summary>
    public static bool IsDictionaryAsArray(MemberInfo member)
    {
        // DictionaryRepresentation: 0 is Document, 1 ArrayOfArrays, 2 ArrayOfDocuments.
        return Find(member, "BsonDictionaryOptionsAttribute") is { } attribute
            && Arguments(attribute).OfType<int>().Any(representation => representation != 0);
    }

    /// <summary>True for <c>[BsonRequired]</c>.</summary>
    public static bool IsRequired(MemberInfo member) => Find(member, "BsonRequiredAttribute") is not null;

    /// <summary>True for <c>[BsonDiscriminator(RootClass = true)]</c>.</summary>
    public static bool IsRootClass(Type type)
        => Find(type, "BsonDiscriminatorAttribute") is { } attribute
            && attribute.NamedArguments.Any(argument => argument.MemberName == "RootClass" && argument.TypedValue.Value is true);

    /// <summary>The name that <c>[BsonDiscriminator("name")]</c> gives; null where it gives none.</summary>
    public static string? Discriminator(Type type)
        => Find(type, "BsonDiscriminatorAttribute") is { } attribute
            ? attribute.ConstructorArguments.Select(argument => argument.Value).OfType<string>().FirstOrDefault()
            : null;

    /// <summary>The derived classes that <c>[BsonKnownTypes]</c> lists.</summary>
    public static IEnumerable<Type> KnownTypes(Type type)
        => type.CustomAttributes
            .Where(attribute => Is(attribute, "BsonKnownTypesAttribute"))
            .SelectMany(Arguments)
            .SelectMany(argument => argument is ReadOnlyCollection<CustomAttributeTypedArgument> list ? list.Select(item => item.Value) : [argument])
            .OfType<Type>();

    private static IEnumerable<object?> Arguments(CustomAttributeData attribute)
        => attribute.ConstructorArguments.Concat(attribute.NamedArguments.Select(named => named.TypedValue)).Select(argument => argument.Value);

    private static CustomAttributeData? Find(MemberInfo member, string name)
        => member.CustomAttributes.FirstOrDefault(attribute => Is(attribute, name));

    private static bool Is(CustomAttributeData attribute, string name)
        => attribute.AttributeType.Name == name && attribute.AttributeType.Namespace == Namespace;
}
