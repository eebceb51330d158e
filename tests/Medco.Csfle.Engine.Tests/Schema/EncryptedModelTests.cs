#pragma warning disable CA1812, CA1822, CS0649 // Classes that are only looked at.
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using MedcoMd.Model;
using MongoDB.Bson.Serialization.Attributes;

namespace Medco.Csfle.Engine.Tests.Schema;

public class EncryptedModelTests
{
    private static readonly Guid One = new("00000000-0000-0000-0000-000000000001");
    private static readonly Dictionary<string, Guid> Keys = new()
    {
        ["k"] = One,
        ["k2"] = new("00000000-0000-0000-0000-000000000002"),
        ["k3"] = new("00000000-0000-0000-0000-000000000003"),
    };

    [Fact]
    public void The_MedcoMD_classes_give_the_schema_of_the_guide()
    {
        var model = EncryptedModel.FromClass<Patient>(ElementNaming.CamelCase);
        var schema = model.ToSchema(new Dictionary<string, Guid> { ["medco-patients"] = One });

        Assert.Equal("medicalRecords.patients", model.Namespace);
        Assert.Equal(["medco-patients"], model.KeyAltNames);
        AssertJson("""
            {
              "bsonType" : "object",
              "encryptMetadata" : { "keyId" : [ {"$uuid":"00000000-0000-0000-0000-000000000001"} ] },
              "properties": {
                "ssn": { "encrypt": { "bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic" } },
                "bloodType": { "encrypt": { "bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random" } },
                "medicalRecords": { "encrypt": { "bsonType": "array", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random" } },
                "insurance": {
                  "bsonType": "object",
                  "properties": {
                    "policyNumber": { "encrypt": { "bsonType": "int", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic" } }
                  }
                }
              }
            }
            """, schema);
    }

    [Fact]
    public void The_names_are_those_of_the_members_by_default()
        => Assert.NotNull(EncryptedModel.FromClass(typeof(Patient)).ToSchema(new Dictionary<string, Guid> { ["medco-patients"] = One }).EncryptedAt("Insurance.PolicyNumber"));

    [Fact]
    public void The_nearest_data_key_counts()
    {
        var schema = Schema<ManyKeys>();

        Assert.Equal(["k", "k2", "k3"], EncryptedModel.FromClass<ManyKeys>().KeyAltNames);
        AssertJson("""
            {"bsonType":"object","encryptMetadata":{"keyId":[{"$uuid":"00000000-0000-0000-0000-000000000001"}]},
             "properties":{
               "Inherited":{"encrypt":{"bsonType":"string","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random"}},
               "Own":{"encrypt":{"bsonType":"string","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Random","keyId":[{"$uuid":"00000000-0000-0000-0000-000000000002"}]}},
               "Plain":{"bsonType":"object","properties":{"Value":{"encrypt":{"bsonType":"int","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}},
               "Keyed":{"bsonType":"object","encryptMetadata":{"keyId":[{"$uuid":"00000000-0000-0000-0000-000000000003"}]},
                        "properties":{"Value":{"encrypt":{"bsonType":"int","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}},
               "ByMember":{"bsonType":"object","encryptMetadata":{"keyId":[{"$uuid":"00000000-0000-0000-0000-000000000002"}]},
                           "properties":{"Value":{"encrypt":{"bsonType":"int","algorithm":"AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"}}}}}}
            """, schema);
    }

    [Fact]
    public void A_key_field_becomes_a_pointer()
    {
        var schema = Schema<PerDocumentKey>(ElementNaming.CamelCase);

        Assert.Equal("/ownerKey", schema.EncryptedAt("diary").KeyPointer?.Text);
        Assert.Equal("/owner/key", schema.EncryptedAt("nested.note").KeyPointer?.Text);
        Assert.Null(schema.EncryptedAt("diary").KeyId);
        Assert.Empty(EncryptedModel.FromClass<PerDocumentKey>(ElementNaming.CamelCase).KeyAltNames);
    }

    [Fact]
    public void One_class_in_two_places_is_encrypted_in_both()
    {
        var schema = Schema<TwoAddresses>();

        Assert.Equal(One, schema.EncryptedAt("Home.Street").KeyId);
        Assert.Equal(One, schema.EncryptedAt("Work.Street").KeyId);
        Assert.Equal(One, schema.EncryptedAt("Work.Geo.Point").KeyId);
    }

    [Fact]
    public void Nullable_members_keep_the_type_below()
    {
        var schema = Schema<Nullables>();

        Assert.Equal(BsonTypeSet.Of(BsonType.Int32), schema.EncryptedAt("Number").Types);
        Assert.Equal(BsonTypeSet.Of(BsonType.String), schema.EncryptedAt("Text").Types);
        Assert.Equal(BsonTypeSet.Of(BsonType.DateTime), schema.EncryptedAt("Struct.Born").Types);
    }

    [Theory]
    [InlineData(typeof(RecordModel), "Ssn Init")]
    [InlineData(typeof(StructModel), "Ssn")]
    [InlineData(typeof(FieldModel), "Ssn")]
    [InlineData(typeof(InitModel), "Ssn")]
    [InlineData(typeof(ConstructorModel), "Ssn")]
    [InlineData(typeof(GenericModel<int>), "Content")]
    [InlineData(typeof(Holder), "Box.Content")]
    [InlineData(typeof(DerivedModel), "Ssn Own Virtual")]
    [InlineData(typeof(AttributedModel), "ssn opted")]
    [InlineData(typeof(OverridingModel), "Plain")]
    [InlineData(typeof(ImplementingModel), "Ssn")]
    public void Every_way_to_write_a_member_works(Type type, string paths)
    {
        var schema = EncryptedModel.FromClass(type).ToSchema(Keys);

        Assert.Equal(paths.Split(' ').Order(), EncryptedPaths(schema.Root, "").Order());
    }

    [Fact]
    public void A_generic_class_takes_the_type_of_its_argument()
    {
        Assert.Equal(BsonTypeSet.Of(BsonType.Int32), Schema<GenericModel<int>>().EncryptedAt("Content").Types);
        Assert.Equal(BsonTypeSet.Of(BsonType.String), Schema<GenericModel<string>>().EncryptedAt("Content").Types);
    }

    [Fact]
    public void Known_types_add_their_members()
    {
        var schema = Schema<Animal>();

        Assert.Equal(["Chip", "Collar", "Lives"], EncryptedPaths(schema.Root, "").Order());
        Assert.Equal(["Pet.Chip", "Pet.Collar", "Pet.Lives"], EncryptedPaths(Schema<Owner>().Root, "").Order());
    }

    [Fact]
    public void Known_types_can_be_named_at_registration()
    {
        var schema = EncryptedModel.FromClass<Vehicle>(knownTypes: [typeof(Truck)]).ToSchema(Keys);

        Assert.Equal(["Freight", "Plate"], EncryptedPaths(schema.Root, "").Order());
    }

    [Fact]
    public void Known_types_with_other_keys_name_the_key_at_each_field()
    {
        var schema = Schema<Shape>();

        Assert.Equal(One, schema.EncryptedAt("Side").KeyId);
        Assert.Equal(Keys["k2"], schema.EncryptedAt("Radius").KeyId);
        Assert.DoesNotContain("encryptMetadata", schema.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Recursion_works_where_nothing_in_the_cycle_is_encrypted()
        => Assert.Equal(["Ssn"], EncryptedPaths(Schema<WithTree>().Root, ""));

    [Fact]
    public void Recursion_works_where_a_member_encrypted_as_a_whole_cuts_it()
    {
        var schema = Schema<Spouse>();

        Assert.Equal(["Children", "Partner", "Ssn"], EncryptedPaths(schema.Root, "").Order());
        Assert.Equal(BsonTypeSet.Of(BsonType.Document), schema.EncryptedAt("Partner").Types);
        Assert.Equal(BsonTypeSet.Of(BsonType.Array), schema.EncryptedAt("Children").Types);
    }

    [Fact]
    public void Random_needs_no_type()
    {
        var schema = Schema<Anything>();

        Assert.True(schema.EncryptedAt("Value").Types.IsAny);
        Assert.DoesNotContain("\"properties\":{\"Value\":{\"encrypt\":{\"bsonType\"", schema.ToJson().Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mapping_may_name_several_types()
    {
        var mapping = new OneMember(typeof(Anything), typeof(Anything).GetProperty("Value")!, BsonTypeSet.Of(BsonType.String, BsonType.Int32));

        var schema = EncryptedModel.FromMapping(typeof(Anything), mapping, null, null).ToSchema(Keys);

        Assert.Equal(BsonTypeSet.Of(BsonType.String, BsonType.Int32), schema.EncryptedAt("Value").Types);
    }

    [Fact]
    public void A_unique_index_on_a_deterministic_or_plain_field_is_fine()
        => Assert.NotNull(EncryptedModel.FromClass<Patient>(ElementNaming.CamelCase, ["ssn", "name", "insurance.policyNumber", "insurance", "unknown.path"]));

    [Fact]
    public void A_missing_key_id_is_an_error_that_names_the_key()
    {
        var model = EncryptedModel.FromClass<Patient>();

        var error = Assert.Throws<DataKeyException>(() => model.ToSchema(Keys));

        Assert.Equal(CsfleErrorCode.DataKeyNotFound, error.Code);
        Assert.Equal("medco-patients", error.KeyAltName);
        Assert.Contains("'medco-patients', which Patient names", error.Message, StringComparison.Ordinal);
    }

    private static EncryptionSchema Schema<T>(ElementNaming naming = ElementNaming.AsIs) => EncryptedModel.FromClass<T>(naming).ToSchema(Keys);

    private static void AssertJson(string expected, EncryptionSchema schema)
        => Assert.Equal(ExtendedJson.ToJson(ExtendedJson.ToBson(expected), indented: true), schema.ToJson(indented: true));

    private static IEnumerable<string> EncryptedPaths(PlainNode node, string prefix)
        => node.Properties.SelectMany(property => property.Node is PlainNode below ? EncryptedPaths(below, $"{prefix}{property.Name}.") : [prefix + property.Name]);

    private sealed class OneMember(Type type, System.Reflection.MemberInfo member, BsonTypeSet types) : IFieldMapping
    {
        public ClassMapping? Map(Type asked)
            => asked == type ? new ClassMapping(type, [new MemberMapping(member, member.Name, new StoredForm(types, FieldShape.Opaque, []))], []) : null;
    }

    [DataKey("k")]
    private sealed class ManyKeys
    {
        [Random] public string? Inherited { get; set; }
        [Random, DataKey("k2")] public string? Own { get; set; }
        public Value? Plain { get; set; }
        public KeyedValue? Keyed { get; set; }
        [DataKey("k2")] public KeyedValue? ByMember { get; set; }
    }

    private sealed class Value
    {
        [Deterministic, BsonElement("Value")] public int V { get; set; }
    }

    [DataKey("k3")]
    private sealed class KeyedValue
    {
        [Deterministic] public int Value { get; set; }
    }

    private sealed class PerDocumentKey
    {
        public string? OwnerKey { get; set; }
        public KeyOwner? Owner { get; set; }
        [Random(KeyField = "/ownerKey")] public string? Diary { get; set; }
        public NestedNote? Nested { get; set; }
    }

    private sealed class KeyOwner
    {
        public string? Key { get; set; }
    }

    private sealed class NestedNote
    {
        [Random(KeyField = "/owner/key")] public string? Note { get; set; }
    }

    [DataKey("k")]
    private sealed class TwoAddresses
    {
        public Address? Home { get; set; }
        public Address? Work { get; set; }
    }

    private sealed class Address
    {
        [Deterministic] public string? Street { get; set; }
        public Geo? Geo { get; set; }
    }

    private sealed class Geo
    {
        [Random] public double[]? Point { get; set; }
    }

    [DataKey("k")]
    private sealed class Nullables
    {
        [Deterministic] public int? Number { get; set; }
        [Deterministic] public string? Text { get; set; }
        public NullableStruct? Struct { get; set; }
    }

    private struct NullableStruct
    {
        [Deterministic] public DateTime? Born { get; set; }
    }

    [DataKey("k")]
    private sealed record RecordModel([property: Deterministic] int Ssn, string Name)
    {
        [Random] public string? Init { get; init; }
    }

    [DataKey("k")]
    private struct StructModel
    {
        [Deterministic] public int Ssn { get; set; }
    }

    [DataKey("k")]
    private sealed class FieldModel
    {
        [Deterministic] public int Ssn;
    }

    [DataKey("k")]
    private sealed class InitModel
    {
        [Deterministic] public required int Ssn { get; init; }
    }

    [DataKey("k")]
    private sealed class ConstructorModel(int ssn)
    {
        [Deterministic] public int Ssn { get; } = ssn;
    }

    [DataKey("k")]
    private sealed class GenericModel<T>
    {
        [Deterministic] public T? Content { get; set; }
    }

    private sealed class Holder
    {
        public GenericModel<string>? Box { get; set; }
    }

    [DataKey("k")]
    private abstract class BaseModel
    {
        [Deterministic] public int Ssn { get; set; }
        [Random] public virtual string? Virtual { get; set; }
    }

    private sealed class DerivedModel : BaseModel
    {
        [Random] public string? Own { get; set; }
        public override string? Virtual { get; set; }
    }

    [DataKey("k")]
    private sealed class AttributedModel
    {
        [Deterministic, BsonElement("ssn"), BsonRepresentation(MongoDB.Bson.BsonType.String)] public double Ssn { get; set; }
        [Random, BsonElement("opted")] internal string? Opted { get; set; }
    }

    private abstract class PlainModel
    {
        public virtual string? Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class OverridingModel : PlainModel
    {
        [Random] public override string? Plain { get; set; }
    }

    private interface IMarked
    {
        [Deterministic] int Ssn { get; }
    }

    [DataKey("k")]
    private sealed class ImplementingModel : IMarked
    {
        [Deterministic] public int Ssn { get; set; }
    }

    [DataKey("k"), BsonKnownTypes(typeof(Dog), typeof(Cat))]
    private abstract class Animal
    {
        [Deterministic] public string? Chip { get; set; }
        public string? Name { get; set; }
    }

    private sealed class Dog : Animal
    {
        [Random] public string? Collar { get; set; }
    }

    private sealed class Cat : Animal
    {
        [Random] public int Lives { get; set; }
    }

    private sealed class Owner
    {
        public Animal? Pet { get; set; }
    }

    [DataKey("k")]
    private class Vehicle
    {
        [Deterministic] public string? Plate { get; set; }
    }

    private sealed class Truck : Vehicle
    {
        [Random] public string? Freight { get; set; }
    }

    [BsonKnownTypes(typeof(Square), typeof(Circle))]
    private abstract class Shape;

    [DataKey("k")]
    private sealed class Square : Shape
    {
        [Random] public int Side { get; set; }
    }

    [DataKey("k2")]
    private sealed class Circle : Shape
    {
        [Random] public int Radius { get; set; }
    }

    [DataKey("k")]
    private sealed class WithTree
    {
        [Deterministic] public int Ssn { get; set; }
        public Tree? Tree { get; set; }
    }

    private sealed class Tree
    {
        public Tree? Left { get; set; }
        public List<Tree>? Others { get; set; }
        public int Label { get; set; }
    }

    [DataKey("k")]
    private sealed class Spouse
    {
        [Deterministic] public int Ssn { get; set; }
        [Random] public Spouse? Partner { get; set; }
        [Random] public List<Spouse>? Children { get; set; }
    }

    [DataKey("k")]
    private sealed class Anything
    {
        [Random] public object? Value { get; set; }
    }
}
