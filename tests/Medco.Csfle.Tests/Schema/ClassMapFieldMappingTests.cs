using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Bson.Serialization.Serializers;
using BsonType = Medco.Csfle.Engine.Bson.BsonType;
using DriverType = MongoDB.Bson.BsonType;

namespace Medco.Csfle.Tests.Schema;

/// <summary>What only the driver itself knows: conventions, class maps and serializers of the application.</summary>
public sealed class ClassMapFieldMappingTests
{
    static ClassMapFieldMappingTests()
    {
        ConventionRegistry.Register(
            nameof(ClassMapFieldMappingTests),
            new ConventionPack { new CamelCaseElementNameConvention(), new EnumRepresentationConvention(DriverType.String) },
            type => type == typeof(Conventional));
        BsonClassMap.RegisterClassMap<Registered>(map =>
        {
            map.MapMember(registered => registered.Number).SetElementName("no").SetSerializer(new Int32Serializer(DriverType.Int64));
            map.AddKnownType(typeof(RegisteredBelow));
        });
    }

    [Fact]
    public void Conventions_name_elements_and_choose_representations()
    {
        var mapping = Map(typeof(Conventional));

        Assert.Equal(["bloodType", "maybe"], mapping.Members.Select(member => member.ElementName));
        Assert.All(mapping.Members, member => Assert.Equal(BsonTypeSet.Of(BsonType.String), member.Stored.Types));
    }

    [Fact]
    public void A_registered_class_map_decides_names_types_and_known_types()
    {
        var mapping = Map(typeof(Registered));

        var number = Assert.Single(mapping.Members);
        Assert.Equal("no", number.ElementName);
        Assert.Equal(BsonTypeSet.Of(BsonType.Int64), number.Stored.Types);
        Assert.Equal([typeof(RegisteredBelow)], mapping.KnownTypes);
    }

    [Fact]
    public void What_a_serializer_of_the_application_stores_is_not_known()
    {
        var member = Assert.Single(Map(typeof(WithOwnSerializer)).Members);

        Assert.Null(member.Stored.Types);
        Assert.Equal(FieldShape.Opaque, member.Stored.Shape);
    }

    [Fact]
    public void Marks_below_a_serializer_of_the_application_are_refused_since_they_would_be_without_effect()
    {
        var exception = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromMapping(typeof(HoldsOwnSerializer), new ClassMapFieldMapping(), null, null));

        Assert.Contains(exception.Errors, error => error.Location == "HoldsOwnSerializer.Secret");
    }

    [Fact]
    public void A_class_that_the_driver_refuses_is_reported_by_name()
    {
        var exception = Assert.Throws<EncryptionSchemaException>(() => new ClassMapFieldMapping().Map(typeof(TwoAlike)));

        Assert.Equal("TwoAlike", Assert.Single(exception.Errors).Location);
    }

    [Fact]
    public void A_schema_follows_the_names_and_types_that_are_stored()
    {
        var model = EncryptedModel.FromMapping(typeof(Conventional), new ClassMapFieldMapping(), null, null);

        var schema = model.ToSchema(new Dictionary<string, Guid> { ["key"] = Guid.Parse("11111111-2222-3333-4444-555555555555") });

        Assert.Contains("""
            "bloodType":{"encrypt":{"bsonType":"string"
            """.Trim(), schema.ToJson().Replace(" ", "", StringComparison.Ordinal));
    }

    private static ClassMapping Map(Type type) => new ClassMapFieldMapping().Map(type)!;

    private enum Blood
    {
        A,
    }

    [DataKey("key")]
    private sealed class Conventional
    {
        [Deterministic]
        public Blood BloodType { get; set; }

        public Blood? Maybe { get; set; }
    }

    private class Registered
    {
        public int Number { get; set; }

        public string NotMapped { get; set; } = "";
    }

    private sealed class RegisteredBelow : Registered;

    private sealed class WithOwnSerializer
    {
        [BsonSerializer(typeof(ReversedSerializer))]
        public string Text { get; set; } = "";
    }

    private sealed class ReversedSerializer : SerializerBase<string>
    {
        public override void Serialize(BsonSerializationContext context, BsonSerializationArgs args, string value)
            => context.Writer.WriteString(new string([.. value.Reverse()]));
    }

    [DataKey("key")]
    private sealed class HoldsOwnSerializer
    {
        [Random]
        public string Text { get; set; } = "";

        [BsonSerializer(typeof(SecretSerializer))]
        public Secret? Secret { get; set; }
    }

    private sealed class Secret
    {
        [Random]
        public string Text { get; set; } = "";
    }

    private sealed class SecretSerializer : SerializerBase<Secret>;

    private sealed class TwoAlike
    {
        [BsonElement("x")]
        public string One { get; set; } = "";

        [BsonElement("x")]
        public string Two { get; set; } = "";
    }
}
