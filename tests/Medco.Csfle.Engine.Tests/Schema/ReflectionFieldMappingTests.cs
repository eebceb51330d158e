#pragma warning disable CA1812, CA1822, CS0169, CS0649, CS0414, IDE0044, IDE0051 // Classes that are only looked at.
using System.Collections;
using System.Collections.Immutable;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Bson.Serialization.Options;

namespace Medco.Csfle.Engine.Tests.Schema;

/// <summary>What is expected here was read off version 3.14 of MongoDB's C# driver, type by type and class by class.</summary>
public class ReflectionFieldMappingTests
{
    public static TheoryData<Type, string> StoredAs => new()
    {
        { typeof(bool), "bool" }, { typeof(byte), "int" }, { typeof(sbyte), "int" }, { typeof(short), "int" }, { typeof(ushort), "int" },
        { typeof(int), "int" }, { typeof(uint), "int" }, { typeof(long), "long" }, { typeof(ulong), "long" }, { typeof(char), "int" },
        { typeof(float), "double" }, { typeof(double), "double" }, { typeof(decimal), "decimal" }, { typeof(string), "string" },
        { typeof(Guid), "binData" }, { typeof(byte[]), "binData" }, { typeof(Memory<byte>), "binData" }, { typeof(ReadOnlyMemory<byte>), "binData" },
        { typeof(DateTime), "date" }, { typeof(DateOnly), "date" }, { typeof(TimeOnly), "long" }, { typeof(DateTimeOffset), "object" },
        { typeof(TimeSpan), "string" }, { typeof(Uri), "string" }, { typeof(Version), "string" }, { typeof(System.Net.IPAddress), "string" },
        { typeof(System.Text.RegularExpressions.Regex), "regex" }, { typeof(BitArray), "object" },
        { typeof(DayOfWeek), "int" }, { typeof(ByteEnum), "int" }, { typeof(LongEnum), "long" }, { typeof(ULongEnum), "long" }, { typeof(DayOfWeek?), "int" },
        { typeof(int?), "int" }, { typeof(Guid?), "binData" }, { typeof(DateTime?), "date" },
        { typeof(int[]), "array" }, { typeof(int[,]), "array" }, { typeof(List<string>), "array" }, { typeof(IEnumerable<int>), "array" },
        { typeof(IReadOnlyList<int>), "array" }, { typeof(HashSet<int>), "array" }, { typeof(Queue<int>), "array" }, { typeof(ImmutableArray<int>), "array" },
        { typeof(ArrayList), "array" }, { typeof(MyList), "array" }, { typeof((int, int)), "array" }, { typeof(Tuple<int, int>), "array" },
        { typeof(Dictionary<string, int>), "object" }, { typeof(IReadOnlyDictionary<string, int>), "object" }, { typeof(Hashtable), "object" },
        { typeof(KeyValuePair<string, int>), "object" }, { typeof(Empty), "object" }, { typeof(EmptyStruct?), "object" },
        { typeof(MongoDB.Bson.ObjectId), "objectId" }, { typeof(MongoDB.Bson.ObjectId?), "objectId" }, { typeof(MongoDB.Bson.BsonDocument), "object" },
        { typeof(object), "?" }, { typeof(IEmpty), "?" }, { typeof(MongoDB.Bson.BsonValue), "?" }, { typeof(System.Numerics.BigInteger), "?" },
        { typeof(Serialized), "?" }, { typeof(Action), "?" }, { typeof(Stream), "?" },
    };

    [Theory]
    [MemberData(nameof(StoredAs))]
    public void A_type_is_stored_as_the_driver_does_it(Type type, string expected)
        => Assert.Equal(expected, ClrTypes.Form(type).Types is { } types ? string.Join(",", types.Types.Select(one => one.Alias())) : "?");

    [Fact]
    public void Collections_know_the_classes_of_their_items()
    {
        Assert.Equal([typeof(Empty)], ClrTypes.Form(typeof(List<Empty>)).Contained);
        Assert.Equal([typeof(Empty)], ClrTypes.Form(typeof(Dictionary<string, List<Empty[]>>)).Contained);
        Assert.Equal([typeof(Empty), typeof(EmptyStruct)], ClrTypes.Form(typeof((Empty, int, EmptyStruct))).Contained);
        Assert.Empty(ClrTypes.Form(typeof(List<string>)).Contained);
        Assert.Empty(ClrTypes.Form(typeof(ListOfItself)).Contained);
    }

    [Theory]
    [InlineData(typeof(Writable), "F P Init")]
    [InlineData(typeof(Guarded), "Stored opted renamed")]
    [InlineData(typeof(ReadOnly), "_id Name")]
    [InlineData(typeof(HalfReadOnly), "_id Written")]
    [InlineData(typeof(PositionalRecord), "_id Name Extra")]
    [InlineData(typeof(PositionalStruct), "X")]
    [InlineData(typeof(ReadOnlyStruct), "X")]
    [InlineData(typeof(Derived), "Virtual Plain Own")]
    [InlineData(typeof(LowerId), "_id")]
    [InlineData(typeof(MarkedId), "Id _id")]
    [InlineData(typeof(NoId), "Id")]
    [InlineData(typeof(Indexed), "A")]
    public void The_members_are_those_that_the_driver_stores(Type type, string expected)
        => Assert.Equal(expected.Split(' ').Order(), Map(type).Members.Select(member => member.ElementName).Order());

    [Fact]
    public void Camel_case_changes_the_first_character_and_gives_way_to_attributes()
    {
        var names = Map(typeof(Named), ElementNaming.CamelCase).Members.Select(member => member.ElementName);

        Assert.Equal(["bloodType", "sSN", "x", "As_Written", "_id"], names);
    }

    [Fact]
    public void Representations_change_the_type_of_scalars_but_not_of_collections()
    {
        var members = Map(typeof(Represented)).Members.ToDictionary(member => member.ElementName, member => member.Stored.Types is { } types ? types.Describe() : "?");

        Assert.Equal("[ string ]", members["EnumAsString"]);
        Assert.Equal("[ string ]", members["NullableAsString"]);
        Assert.Equal("[ objectId ]", members["StringAsObjectId"]);
        Assert.Equal("[ long ]", members["DateAsTicks"]);
        Assert.Equal("[ string ]", members["BytesAsString"]);
        Assert.Equal("[ array ]", members["Items"]);
        Assert.Equal("[ array ]", members["Pairs"]);
        Assert.Equal("[ object ]", members["Dictionary"]);
        Assert.Equal("?", members["Own"]);
    }

    [Fact]
    public void Extra_elements_and_known_types_are_recognised()
    {
        Assert.True(Map(typeof(ExtraByName)).Members.Single(member => member.ElementName == "ExtraElements").IsExtraElements);
        Assert.True(Map(typeof(ExtraByAttribute)).Members.Single(member => member.ElementName == "Rest").IsExtraElements);
        Assert.Equal([typeof(KnownA), typeof(KnownB), typeof(KnownC)], Map(typeof(Known)).KnownTypes);
    }

    [Theory]
    [InlineData(typeof(int))]
    [InlineData(typeof(string))]
    [InlineData(typeof(List<Empty>))]
    [InlineData(typeof(IEmpty))]
    [InlineData(typeof(object))]
    [InlineData(typeof(Serialized))]
    public void What_is_not_stored_member_by_member_has_no_mapping(Type type) => Assert.Null(new ReflectionFieldMapping(ElementNaming.AsIs).Map(type));

    private static ClassMapping Map(Type type, ElementNaming naming = ElementNaming.AsIs) => new ReflectionFieldMapping(naming).Map(type)!;

    private enum ByteEnum : byte { A }

    private enum LongEnum : long { A }

    private enum ULongEnum : ulong { A }

    private interface IEmpty;

    private sealed class Empty;

    private struct EmptyStruct;

    private sealed class MyList : List<int>
    {
        public int NotStored { get; set; }
    }

    private sealed class ListOfItself : List<ListOfItself>;

    [BsonSerializer(typeof(object))]
    private sealed class Serialized
    {
        public int A { get; set; }
    }

    private sealed class Writable
    {
        public int F;
        public readonly int Fixed = 1;
        public const int Constant = 2;
        public static int Shared { get; set; }
        public int P { get; set; }
        public int Init { get; init; }
        public int Computed => P;
        internal int Internal { get; set; }
        private int Private { get; set; }
    }

    private sealed class Guarded
    {
        public int Stored { get; private set; }
        [BsonElement("opted")] private int _opted;
        [BsonElement("renamed")] public int Computed => 4;
        [BsonIgnore] public int Ignored { get; set; }
    }

    private sealed class ReadOnly(int id, string name)
    {
        public int Id { get; } = id;
        public string Name { get; } = name;
        public string Computed => Name + Id;
    }

    private sealed class HalfReadOnly(int id, string name)
    {
        public int Id { get; } = id;
        public string Name { get; } = name;
        public int Written { get; set; }
    }

    private sealed record PositionalRecord(int Id, string Name)
    {
        public int Extra { get; init; }
    }

    private record struct PositionalStruct(int X);

    private readonly struct ReadOnlyStruct(int x)
    {
        public int X { get; } = x;
    }

    private class Base
    {
        public virtual int Virtual { get; set; }
        public int Plain { get; set; }
    }

    private sealed class Derived : Base
    {
        public override int Virtual { get; set; }
        public int Own { get; set; }
    }

    private sealed class LowerId
    {
        public int id { get; set; }
    }

    private sealed class MarkedId
    {
        public int Id { get; set; }
        [BsonId] public int Number { get; set; }
    }

    [BsonNoId]
    private sealed class NoId
    {
        public int Id { get; set; }
    }

    private sealed class Indexed
    {
        public int A { get; set; }
        public int this[int index] { get => index; set => A = value; }
    }

    private sealed class Named
    {
        public int BloodType { get; set; }
        public int SSN { get; set; }
        public int X { get; set; }
        [BsonElement("As_Written")] public int Y { get; set; }
        public int Id { get; set; }
    }

    private sealed class Represented
    {
        [BsonRepresentation(MongoDB.Bson.BsonType.String)] public DayOfWeek EnumAsString { get; set; }
        [BsonRepresentation(MongoDB.Bson.BsonType.String)] public int? NullableAsString { get; set; }
        [BsonRepresentation(MongoDB.Bson.BsonType.ObjectId)] public string? StringAsObjectId { get; set; }
        [BsonDateTimeOptions(Representation = MongoDB.Bson.BsonType.Int64)] public DateTime DateAsTicks { get; set; }
        [BsonRepresentation(MongoDB.Bson.BsonType.String)] public byte[]? BytesAsString { get; set; }
        [BsonRepresentation(MongoDB.Bson.BsonType.String)] public List<int>? Items { get; set; }
        [BsonDictionaryOptions(DictionaryRepresentation.ArrayOfArrays)] public Dictionary<string, int>? Pairs { get; set; }
        [BsonDictionaryOptions(DictionaryRepresentation.Document)] public Dictionary<string, int>? Dictionary { get; set; }
        [BsonSerializer(typeof(object))] public string? Own { get; set; }
    }

    private sealed class ExtraByName
    {
        public Dictionary<string, object>? ExtraElements { get; set; }
    }

    private sealed class ExtraByAttribute
    {
        [BsonExtraElements] public MongoDB.Bson.BsonDocument? Rest { get; set; }
    }

    [BsonKnownTypes(typeof(KnownA), typeof(KnownB)), BsonKnownTypes(typeof(KnownC))]
    private abstract class Known;

    private sealed class KnownA : Known;

    private sealed class KnownB : Known;

    private sealed class KnownC : Known;
}
