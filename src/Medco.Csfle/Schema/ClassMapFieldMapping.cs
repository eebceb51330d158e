using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Medco.Csfle.Schema;

/// <summary>
/// The mapping that the driver really makes: its class maps and serializers are asked, so that conventions, attributes and
/// whatever the application registered come out as they will be written.
/// </summary>
/// <remarks>
/// Asking freezes the class maps, as the first use of a class does: an application registers its conventions, class maps and
/// serializers before.
/// </remarks>
internal sealed class ClassMapFieldMapping : IFieldMapping
{
    private readonly Dictionary<Type, ClassMapping?> _mappings = [];

    /// <inheritdoc/>
    /// <exception cref="EncryptionSchemaException">The driver refuses to store the class.</exception>
    public ClassMapping? Map(Type type)
    {
        if (_mappings.TryGetValue(type, out var known)) return known;
        ClassMapping? mapping;
        try
        {
            mapping = SerializedForm.IsClassMap(BsonSerializer.LookupSerializer(type)) ? Map(BsonClassMap.LookupClassMap(type)) : null;
        }
        catch (Exception exception) when (exception is BsonException or ArgumentException or InvalidOperationException)
        {
            throw new EncryptionSchemaException(CsfleErrorCode.InvalidMapping, $"The class {ClassNames.Of(type)}",
                [new(ClassNames.Of(type), $"The driver does not store it: {exception.Message}", "Correct its class map, conventions or serializers.")]);
        }

        _mappings.Add(type, mapping);
        return mapping;
    }

    private static ClassMapping Map(BsonClassMap classMap)
        => new(classMap.ClassType, [.. classMap.AllMemberMaps.Select(member => Map(classMap, member))], [.. classMap.KnownTypes]);

    private static MemberMapping Map(BsonClassMap classMap, BsonMemberMap member)
        => new(member.MemberInfo, member.ElementName, SerializedForm.Of(member.GetSerializer()))
        {
            IsId = member == classMap.IdMemberMap,
            IsExtraElements = member == classMap.ExtraElementsMemberMap,
        };
}
