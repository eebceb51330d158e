using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;

namespace Medco.Csfle.Tests.Schema;

/// <summary>Where an application changes nothing about the driver, asking the driver and reading the class say the same.</summary>
public sealed class MappingAgreementTests
{
    [Theory]
    [InlineData(typeof(Scalars))]
    [InlineData(typeof(Nullables))]
    [InlineData(typeof(Collections))]
    [InlineData(typeof(Attributed))]
    [InlineData(typeof(Nested))]
    [InlineData(typeof(Derived))]
    [InlineData(typeof(Animal))]
    [InlineData(typeof(Dog))]
    [InlineData(typeof(Recursive))]
    [InlineData(typeof(Immutable))]
    [InlineData(typeof(Positional))]
    [InlineData(typeof(Generic<Nested>))]
    [InlineData(typeof(Extra))]
    [InlineData(typeof(IContact))]
    [InlineData(typeof(List<Nested>))]
    [InlineData(typeof(string))]
    public void Class_maps_and_reflection_agree_on(Type type)
        => Assert.Equal(Describe(new ReflectionFieldMapping(ElementNaming.AsIs).Map(type)), Describe(new ClassMapFieldMapping().Map(type)));

    [Fact]
    public void The_plain_classes_are_mapped_at_all() => Assert.Equal(25, new ClassMapFieldMapping().Map(typeof(Scalars))!.Members.Count);

    private static string Describe(ClassMapping? mapping)
        => mapping is null
            ? "not a document"
            : string.Join('\n', mapping.Members.Select(Describe).Order(StringComparer.Ordinal))
                + $"\nknown: {string.Join(", ", mapping.KnownTypes.Select(type => type.Name).Order(StringComparer.Ordinal))}";

    private static string Describe(MemberMapping member)
        => $"{member.Member.DeclaringType!.Name}.{member.Member.Name} as {member.ElementName}: {member.Stored.Types?.Describe() ?? "anything"}, {member.Stored.Shape}"
            + $" of {string.Join(", ", member.Stored.Contained.Select(type => type.Name).Order(StringComparer.Ordinal))}"
            + (member.IsId ? ", id" : "") + (member.IsExtraElements ? ", extra elements" : "");

    private enum Color
    {
        Red,
    }

    private enum Big : long
    {
        One,
    }

    private interface IContact
    {
        string Name { get; set; }
    }

    private sealed class Scalars
    {
        public ObjectId Id { get; set; }

        public bool Bool { get; set; }

        public byte Byte { get; set; }

        public short Short { get; set; }

        public int Int { get; set; }

        public uint UInt { get; set; }

        public long Long { get; set; }

        public ulong ULong { get; set; }

        public float Float { get; set; }

        public double Double { get; set; }

        public decimal Decimal { get; set; }

        public char Char { get; set; }

        public string String { get; set; } = "";

        public Guid Guid { get; set; }

        public byte[] Bytes { get; set; } = [];

        public DateTime DateTime { get; set; }

        public DateTimeOffset DateTimeOffset { get; set; }

        public DateOnly DateOnly { get; set; }

        public TimeSpan TimeSpan { get; set; }

        public Uri? Uri { get; set; }

        public Version? Version { get; set; }

        public Color Color { get; set; }

        public Big Big { get; set; }

        public object? Anything { get; set; }

        public Decimal128 Decimal128 { get; set; }
    }

    private sealed class Nullables
    {
        public int? Int { get; set; }

        public Guid? Guid { get; set; }

        public DateTime? DateTime { get; set; }

        public Color? Color { get; set; }

        public decimal? Decimal { get; set; }
    }

    private sealed class Collections
    {
        public List<Nested> List { get; set; } = [];

        public Nested[] Array { get; set; } = [];

        public IList<Nested>? Interface { get; set; }

        public IEnumerable<int>? Numbers { get; set; }

        public HashSet<string> Set { get; set; } = [];

        public Dictionary<string, Nested> Dictionary { get; set; } = [];

        public IDictionary<string, int>? DictionaryInterface { get; set; }

        public List<List<Nested>> ListOfLists { get; set; } = [];

        public Dictionary<string, List<Nested>> DictionaryOfLists { get; set; } = [];

        public Queue<Nested> Queue { get; set; } = new();

        public Tuple<int, Nested>? Tuple { get; set; }

        public KeyValuePair<string, Nested> Pair { get; set; }

        public int[,]? Table { get; set; }

        public BsonDocument? Document { get; set; }

        public BsonArray? BsonArray { get; set; }

        public BsonValue? Value { get; set; }

        public IContact? Contact { get; set; }

        public List<IContact> Contacts { get; set; } = [];
    }

    private sealed class Attributed
    {
        [BsonId]
        public string Key { get; set; } = "";

        [BsonElement("n")]
        public string Name { get; set; } = "";

        [BsonIgnore]
        public int Ignored { get; set; }

        [BsonRepresentation(MongoDB.Bson.BsonType.String)]
        public Color Color { get; set; }

        [BsonRepresentation(MongoDB.Bson.BsonType.String)]
        public Guid? Guid { get; set; }

        [BsonRepresentation(MongoDB.Bson.BsonType.ObjectId)]
        public string Reference { get; set; } = "";

        [BsonRepresentation(MongoDB.Bson.BsonType.Double)]
        public decimal Price { get; set; }

        [BsonDateTimeOptions(Representation = MongoDB.Bson.BsonType.Document)]
        public DateTime When { get; set; }

        [BsonDictionaryOptions(MongoDB.Bson.Serialization.Options.DictionaryRepresentation.ArrayOfDocuments)]
        public Dictionary<string, int> Counts { get; set; } = [];

        [BsonElement]
        private int Hidden { get; set; }

        public int ReadOnly => 1;

        public int Field = 1;

        public static int Static { get; set; }

        public int Use() => Hidden;
    }

    private class Nested
    {
        public string Name { get; set; } = "";
    }

    private class Base
    {
        public string Id { get; set; } = "";

        public virtual string Name { get; set; } = "";
    }

    private sealed class Derived : Base
    {
        public override string Name { get; set; } = "";

        public int Extra { get; set; }
    }

    [BsonKnownTypes(typeof(Dog), typeof(Cat))]
    private class Animal
    {
        public string Name { get; set; } = "";
    }

    private sealed class Dog : Animal
    {
        public bool Barks { get; set; }
    }

    private sealed class Cat : Animal;

    private sealed class Recursive
    {
        public Recursive? Parent { get; set; }

        public List<Recursive> Children { get; set; } = [];
    }

    private sealed class Immutable(string name, int age)
    {
        public string Name { get; } = name;

        public int Age { get; } = age;
    }

    private sealed record Positional(string Name, Nested Below);

    private sealed class Generic<T>
    {
        public T? Content { get; set; }
    }

    private sealed class Extra
    {
        public string Name { get; set; } = "";

        [BsonExtraElements]
        public BsonDocument? Others { get; set; }
    }
}
