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
            var serializer = BsonSerializer.LookupSerializer(type);
            mapping = SerializedForm.IsClassMap(serializer) ? Map(BsonClassMap.LookupClassMap(type), serializer) : null;
        }
        catch (Exception exception) when (exception is BsonException or ArgumentException or InvalidOperationException)
        {
            throw new EncryptionSchemaException(CsfleErrorCode.InvalidMapping, $"The class {ClassNames.Of(type)}",
                [new(ClassNames.Of(type), $"The driver does not store it: {exception.Message}", "Correct its class map, conventions or serializers.")]);
        }

        _mappings.Add(type, mapping);
        return mapping;
    }

    private static ClassMapping Map(BsonClassMap classMap, IBsonSerializer serializer)
        => new(classMap.ClassType, [.. classMap.AllMemberMaps.Select(member => Map(classMap, member))], [.. classMap.KnownTypes])
        {
            Discriminator = DiscriminatorOf(classMap.ClassType, serializer),
        };

    // Asked as for a place of another type, where the driver always writes it.
    private static Discriminator? DiscriminatorOf(Type type, IBsonSerializer serializer)
    {
        if (type.IsAbstract || serializer is not IHasDiscriminatorConvention { DiscriminatorConvention: { ElementName: { } name } convention }) return null;
        return convention.GetDiscriminator(typeof(object), type) is { } value
            ? new Discriminator(name, Discriminator.ValueIn(new BsonDocument("v", value).ToBson()))
            : null;
    }

    private static MemberMapping Map(BsonClassMap classMap, BsonMemberMap member)
        => new(member.MemberInfo, member.ElementName, SerializedForm.Of(member.GetSerializer()))
        {
            IsId = member == classMap.IdMemberMap,
            IsExtraElements = member == classMap.ExtraElementsMemberMap,
            ProblemOfAbsence = ProblemOfAbsence(classMap, member),
        };

    private static string? ProblemOfAbsence(BsonClassMap classMap, BsonMemberMap member)
    {
        if (member.IsRequired) return "the driver refuses to read a document without it, since it is required";
        if (member is { IsDefaultValueSpecified: true, DefaultValue: not null }) return "it would read back as its default value, which is not null";
        return classMap.CreatorMaps.Any() && classMap.CreatorMaps.All(creator => Needs(creator, member))
            ? "the driver cannot read a document without it, since every constructor takes it"
            : null;
    }

    private static bool Needs(BsonCreatorMap creator, BsonMemberMap member)
        => creator.Arguments?.Any(argument => EncryptionMarks.AreSame(argument, member.MemberInfo)) == true && !creator.HasDefaultValue(member.ElementName);
}
