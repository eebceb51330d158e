using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Bson.Serialization.Options;
using MongoDB.Bson.Serialization.Serializers;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Schema;

/// <summary>
/// Every shape of class: inserted through the encrypting client, read back equal, ciphertext at rest where it is marked and clear
/// everywhere else.
/// </summary>
public sealed class ShapeTests
{
    // Before any test maps one of the classes.
    [ModuleInitializer]
    internal static void RegisterConventions()
    {
        ConventionRegistry.Register("ShapeTests.camel", new ConventionPack { new CamelCaseElementNameConvention() }, type => type == typeof(CamelCased) || type == typeof(CamelCasedBelow));
        ConventionRegistry.Register("ShapeTests.enums", new ConventionPack { new EnumRepresentationConvention(BsonType.String) }, type => type == typeof(EnumsByConvention));
        BsonClassMap.RegisterClassMap<WithClassMap>(map =>
        {
            map.AutoMap();
            map.MapMember(each => each.Number).SetElementName("no").SetSerializer(new Int32Serializer(BsonType.String));
            map.MapField("_hidden").SetElementName("hidden");
        });
    }

    [Fact]
    public void Recursion_is_cut_where_the_recursive_member_is_encrypted_as_a_whole()
        => AssertRoundTrip(new Person { Name = "a", Secret = "b", Parent = new Person { Name = "c", Secret = "d" }, Children = [new Person { Secret = "e" }] },
            ["Secret", "Parent", "Children"], ["Name"]);

    [Fact]
    public void A_recursive_class_without_marks_stays_in_clear_beside_what_is_marked()
        => AssertRoundTrip(new Thread { Secret = "a", First = new Comment { Text = "b", Replies = [new Comment { Text = "c" }] } },
            ["Secret"], ["First.Text", "First.Replies.0.Text"]);

    [Fact]
    public void The_same_class_is_encrypted_in_both_places()
        => AssertRoundTrip(new Household { Home = new Address { Street = "a", City = "b" }, Work = new Address { Street = "c", City = "d" } },
            ["Home.Street", "Work.Street"], ["Home.City", "Work.City"]);

    [Fact]
    public void Derived_classes_are_encrypted_in_the_place_of_their_base()
    {
        using var collection = new ModelCollection<Animal>();
        Animal[] animals = [new Animal { Name = "a", Tag = "t" }, new Cat { Name = "b", Mouse = "c", Lives = 9, Tag = "t" }, new Lion { Name = "d", Mouse = "e", Mane = "f", Tag = "t" }];
        collection.Encrypted.InsertMany(animals);

        var stored = collection.InClear.Find(FilterDefinition<BsonDocument>.Empty).ToList();
        Assert.Equal(["Animal", "[Animal, Cat]", "[Animal, Cat, Lion]"], stored.Select(each => each["_t"].ToString()));
        Assert.All(stored, each => AssertCiphertext(each, "Name"));
        Assert.All(stored.Skip(1), each => AssertCiphertext(each, "Mouse"));
        AssertCiphertext(stored[2], "Mane");
        Assert.Equal(9, stored[1]["Lives"].AsInt32);
        Assert.Equal(animals.Select(Json), collection.Encrypted.Find(FilterDefinition<Animal>.Empty).ToList().Select(Json));
        Assert.Equal("b", Assert.Single(collection.Encrypted.OfType<Cat>().Find(cat => cat.Name == "b").ToList()).Name);
    }

    [Fact]
    public void Derived_classes_are_encrypted_inside_of_documents()
        => AssertRoundTrip(new Kennel { Dog = new Puppy { Chip = "a", Toy = "b" }, Plain = "c" }, ["Dog.Chip", "Dog.Toy"], ["Plain", "Dog._t"]);

    [Fact]
    public void Generic_classes_are_encrypted()
        => AssertRoundTrip(new Boxes { Text = new Box<string> { Content = "a", Label = "b" }, Number = new Box<long> { Content = 5, Label = "c" } },
            ["Text.Content", "Number.Content"], ["Text.Label", "Number.Label"]);

    [Fact]
    public void Nullable_members_with_values_are_encrypted()
        => AssertRoundTrip(new Nullables { Number = 1, When = new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc), Flag = true, Text = "a" }, ["Number", "When", "Flag", "Text"], []);

    [Fact]
    public void Positional_records_are_encrypted()
        => AssertRoundTrip(new Positional("a", 5, new PositionalBelow("b", "c")), ["Secret", "Below.Secret"], ["Number", "Below.Plain"]);

    [Fact]
    public void Records_with_init_properties_are_encrypted()
        => AssertRoundTrip(new InitRecord { Secret = "a", Plain = "b" }, ["Secret"], ["Plain"]);

    [Fact]
    public void Required_members_are_encrypted()
        => AssertRoundTrip(new WithRequired { Secret = "a", Plain = "b" }, ["Secret"], ["Plain"]);

    [Fact]
    public void Fields_are_encrypted()
        => AssertRoundTrip(new WithFields { Secret = "a", Plain = "b" }, ["Secret"], ["Plain"]);

    [Fact]
    public void Properties_that_a_constructor_sets_are_encrypted()
        => AssertRoundTrip(new Immutable(ObjectId.GenerateNewId(), "a", "b"), ["Secret"], ["Plain"]);

    [Fact]
    public void Enums_are_encrypted_as_they_are_stored()
        => AssertRoundTrip(new Enums { AsInt = Blood.B, AsString = Blood.B, Big = BigEnum.Two, Maybe = Blood.A, Plain = Blood.B }, ["AsInt", "AsString", "Big", "Maybe"], ["Plain"]);

    [Fact]
    public void Enums_are_encrypted_as_a_convention_stores_them()
    {
        using var collection = new ModelCollection<EnumsByConvention>();
        var (stored, read) = collection.Insert(new EnumsByConvention { Secret = Blood.B, Plain = Blood.A });

        AssertCiphertext(stored, "Secret");
        Assert.Equal("A", stored["Plain"].AsString);
        Assert.Equal(Blood.B, read.Secret);
        Assert.Equal(Blood.B, collection.Encrypted.Find(each => each.Secret == Blood.B).Single().Secret);
    }

    [Fact]
    public void Guids_are_encrypted_in_each_representation()
        => AssertRoundTrip(new Guids { Standard = Guid.NewGuid(), Legacy = Guid.NewGuid(), Text = Guid.NewGuid(), Random = Guid.NewGuid() }, ["Standard", "Legacy", "Text", "Random"], []);

    [Fact]
    public void Decimals_are_encrypted_in_each_representation()
        => AssertRoundTrip(new Decimals { Native = 1.10m, Text = 2.20m, Whole = 3m, Other = new Decimal128(4.40m) }, ["Native", "Text", "Whole", "Other"], []);

    [Fact]
    public void A_deterministic_guid_and_a_decimal_stored_as_text_are_found()
    {
        using var guids = new ModelCollection<Guids>();
        var document = new Guids { Standard = Guid.NewGuid(), Legacy = Guid.NewGuid(), Text = Guid.NewGuid() };
        guids.Encrypted.InsertOne(document);
        using var decimals = new ModelCollection<Decimals>();
        decimals.Encrypted.InsertOne(new Decimals { Text = 2.20m });

        Assert.Single(guids.Encrypted.Find(each => each.Standard == document.Standard && each.Legacy == document.Legacy && each.Text == document.Text).ToList());
        Assert.Single(decimals.Encrypted.Find(each => each.Text == 2.20m).ToList());
    }

    [Fact]
    public void Camel_case_names_are_encrypted()
        => AssertRoundTrip(new CamelCased { SocialNumber = "a", Below = new CamelCasedBelow { BloodType = "b", PlainText = "c" } }, ["socialNumber", "below.bloodType"], ["below.plainText"]);

    [Fact]
    public void Dictionaries_are_encrypted_as_a_whole_in_each_representation()
        => AssertRoundTrip(
            new Dictionaries
            {
                AsDocument = new() { ["a"] = "b" }, AsArrays = new() { [1] = "b" }, AsDocuments = new() { [2] = "c" }, OfDocuments = new() { ["x"] = new PlainAddress { Street = "s" } },
                Plain = new() { ["a"] = new Comment { Text = "t" } },
            },
            ["AsDocument", "AsArrays", "AsDocuments", "OfDocuments"], ["Plain.a.Text"]);

    [Fact]
    public void Arrays_and_collections_are_encrypted_as_a_whole()
        => AssertRoundTrip(
            new Arrays
            {
                Strings = ["a"], Bytes = [1, 2, 3], Documents = [new Comment { Text = "b" }], Nested = [[1, 2], [3]], Set = ["x"], Interface = ["y"], Enumerable = ["z"], Pair = new("k", 1),
                Tuple = ("t", 2), Plain = ["p"], PlainDocuments = [new Comment { Text = "c" }],
            },
            ["Strings", "Bytes", "Documents", "Nested", "Set", "Interface", "Enumerable", "Pair", "Tuple"], ["Plain.0", "PlainDocuments.0.Text"]);

    [Fact]
    public void Nulls_inside_of_what_is_encrypted_as_a_whole_are_part_of_the_ciphertext()
        => AssertRoundTrip(new WithList { Items = ["a", null, "b"], Documents = [null, new Comment { Text = null }] }, ["Items", "Documents"], []);

    [Fact]
    public void Embedded_documents_are_encrypted_inside_and_as_a_whole()
        => AssertRoundTrip(new Embedding { Level = new Level { Secret = "a", Next = new Level2 { Secret = "b", Plain = "c" } }, Whole = new Comment { Text = "d" } },
            ["Level.Secret", "Level.Next.Secret", "Whole"], ["Level.Next.Plain"]);

    [Fact]
    public void Extra_elements_stay_in_clear_and_come_back()
    {
        using var collection = new ModelCollection<WithExtraElements>();
        var (stored, read) = collection.Insert(new WithExtraElements { Secret = "a", Rest = new BsonDocument { ["x"] = 1, ["y"] = new BsonDocument("_t", "Anything") } });

        AssertCiphertext(stored, "Secret");
        Assert.Equal(1, stored["x"].AsInt32);
        Assert.Equal("a", read.Secret);
        Assert.Equal(1, read.Rest["x"].AsInt32);
    }

    [Fact]
    public void An_extra_element_in_the_name_of_an_encrypted_one_is_refused()
    {
        using var collection = new ModelCollection<WithExtraElements>();

        AssertRefused(CsfleErrorCode.WouldLeakPlaintext, () => collection.Encrypted.InsertOne(new WithExtraElements { Rest = new BsonDocument("secret", "a") }));
    }

    [Fact]
    public void Structs_are_encrypted()
        => AssertRoundTrip(new WithStructs { Point = new Point { Secret = "a", Plain = "b" }, Whole = new PlainPoint { Text = "c" }, Maybe = new Point { Secret = "d" } },
            ["Point.Secret", "Maybe.Secret", "Whole"], ["Point.Plain"]);

    [Fact]
    public void Dates_and_times_are_encrypted_in_each_representation()
        => AssertRoundTrip(
            new Dates
            {
                Date = new DateOnly(2020, 1, 2), DateAsString = new DateOnly(2020, 1, 2), Time = new TimeOnly(1, 2, 3), TimeAsString = new TimeOnly(1, 2, 3),
                Offset = new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), OffsetAsString = new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)),
                Moment = new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc), Span = TimeSpan.FromMinutes(5), Ticks = TimeSpan.FromMinutes(6),
            },
            ["Date", "DateAsString", "Time", "TimeAsString", "Offset", "OffsetAsString", "Moment", "Span", "Ticks"], []);

    [Fact]
    public void Raw_members_are_encrypted_whatever_is_in_them()
    {
        using var collection = new ModelCollection<WithBson>();
        var document = new WithBson { Document = new BsonDocument("a", BsonNull.Value), Value = new BsonArray { 1, "b" }, Array = ["c"], Plain = new BsonDocument("d", 1), Any = 5L };
        var (stored, read) = collection.Insert(document);

        foreach (var path in new[] { "Document", "Value", "Array", "Any" }) AssertCiphertext(stored, path);
        Assert.Equal(document.Plain, stored["Plain"]);
        Assert.Equal(document.ToBsonDocument(), read.ToBsonDocument());
    }

    [Fact]
    public void Scalars_are_encrypted()
        => AssertRoundTrip(
            new Scalars { Bool = true, Byte = 1, Short = 2, Int = 3, Long = 4, UInt = 5, Float = 1.5f, Double = 2.5, Char = 'c', Text = "t", Uri = new Uri("https://example.org/"), Id2 = ObjectId.GenerateNewId() },
            ["Bool", "Byte", "Short", "Int", "Long", "UInt", "Float", "Double", "Char", "Text", "Uri", "Id2"], []);

    [Fact]
    public void What_a_registered_class_map_stores_is_encrypted()
    {
        using var collection = new ModelCollection<WithClassMap>();
        var (stored, read) = collection.Insert(new WithClassMap("h") { Number = 5, Plain = "p" });

        AssertCiphertext(stored, "no");
        AssertCiphertext(stored, "hidden");
        Assert.Equal("p", stored["Plain"].AsString);
        Assert.Equal((5, "h", "p"), (read.Number, read.Hidden, read.Plain));
        Assert.Single(collection.Encrypted.Find(each => each.Number == 5).ToList());
    }

    [Fact]
    public void Behind_an_interface_known_classes_are_stored_and_a_whole_is_encrypted()
    {
        using var collection = new ModelCollection<WithInterface>();
        using var named = new ModelCollection<WithNamedInterface>(with => with.Embedded(w => w.Plain, plain => plain.Derived<Square>()));
        var (stored, read) = collection.Insert(new WithInterface { Secret = new Square { Side = 2 } });
        var (other, readOther) = named.Insert(new WithNamedInterface { Secret = "s", Plain = new Square { Side = 3 } });

        AssertCiphertext(stored, "Secret");
        Assert.Equal(2, Assert.IsType<Square>(read.Secret).Side);
        Assert.Equal(3, other["Plain"]["Side"].AsInt32);
        Assert.Equal(3, Assert.IsType<Square>(readOther.Plain).Side);
        AssertRefused(CsfleErrorCode.UnknownClass, () => named.Encrypted.InsertOne(new WithNamedInterface { Secret = "s", Plain = new Disc { Radius = 3 } }));
    }

    [Fact]
    public void Overridden_and_abstract_members_are_encrypted()
        => AssertRoundTrip(new Concrete { Abstract = "a", Virtual = "b" }, ["Abstract", "Virtual"], []);

    [Fact]
    public void A_key_that_the_document_names_is_used()
    {
        using var collection = new ModelCollection<Diary>();
        collection.Encrypted.InsertOne(new Diary { Other = "a" });

        var exception = AssertRefused(CsfleErrorCode.ValueNotEncryptable, () => collection.Encrypted.InsertOne(new Diary { Other = "a", Text = "b" }));
        Assert.Contains("/Owner", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(DeterministicTime), "DeterministicTime.Offset", "[Random]")]
    [InlineData(typeof(MarkedBelowList), "MarkedBelowList.Items", "[Random]")]
    [InlineData(typeof(MarkedBelowInterface), "MarkedBelowInterface.Owner", "[Random]")]
    [InlineData(typeof(EndlessPerson), "EndlessPerson.Parent", "[Random]")]
    [InlineData(typeof(MarkedExtra), "MarkedExtra.Rest", "a member of its own")]
    public void What_cannot_work_is_an_error_at_start_up(Type type, string location, string remedy)
    {
        var exception = Assert.Throws<EncryptionSchemaException>(()
            => Medco.Csfle.Engine.Schema.EncryptedModel.FromMapping(type, new Medco.Csfle.Schema.ClassMapFieldMapping(), null, null));

        var error = Assert.Single(exception.Errors, each => each.Location == location);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    private static void AssertRoundTrip<T>(T document, string[] encrypted, string[] clear)
    {
        using var collection = new ModelCollection<T>();
        var (stored, read) = collection.Insert(document);

        var original = document.ToBsonDocument();
        foreach (var path in encrypted) AssertCiphertext(stored, path);
        foreach (var path in clear) Assert.Equal(At(original, path), At(stored, path));
        Assert.Equal(encrypted.Order(StringComparer.Ordinal), CiphertextsIn(stored, "").Order(StringComparer.Ordinal));
        Assert.Equal(Json(document), Json(read));
    }

    private static IEnumerable<string> CiphertextsIn(BsonValue value, string path) => value switch
    {
        BsonDocument document => document.SelectMany(element => CiphertextsIn(element.Value, path.Length == 0 ? element.Name : $"{path}.{element.Name}")),
        BsonArray array => array.SelectMany((item, index) => CiphertextsIn(item, $"{path}.{index}")),
        BsonBinaryData { SubType: BsonBinarySubType.Encrypted } => [path],
        _ => [],
    };

    private static BsonValue At(BsonDocument document, string path)
        => path.Split('.').Aggregate((BsonValue)document, (value, name) => value is BsonArray array ? array[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)] : value[name]);

    private static void AssertCiphertext(BsonDocument stored, string path) => Assert.Equal(BsonBinarySubType.Encrypted, At(stored, path).AsBsonBinaryData.SubType);

    private static CsfleException AssertRefused(string code, Action action)
    {
        var exception = Assert.ThrowsAny<Exception>(action);
        var found = Assert.IsAssignableFrom<CsfleException>(exception as CsfleException ?? exception.InnerException ?? exception);
        Assert.Equal(code, found.Code);
        return found;
    }

    // Independent of the driver, which wrote the document.
    private static string Json<T>(T value) => JsonSerializer.Serialize(value, value!.GetType(), JsonOptions);

    private static readonly JsonSerializerOptions JsonOptions = new() { IncludeFields = true, Converters = { new JsonStringEnumConverter(), new ObjectIdText(), new DecimalText() } };

    private sealed class ObjectIdText : JsonConverter<ObjectId>
    {
        public override ObjectId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, ObjectId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }

    private sealed class DecimalText : JsonConverter<Decimal128>
    {
        public override Decimal128 Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, Decimal128 value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }

    [DataKey("k")]
    private sealed class Person
    {
        public ObjectId Id { get; set; }

        public string? Name { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public string? Secret { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public Person? Parent { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public List<Person>? Children { get; set; }
    }

    [DataKey("k")]
    private sealed class Thread
    {
        public ObjectId Id { get; set; }

        [Random]
        public string? Secret { get; set; }

        public Comment? First { get; set; }
    }

    private sealed class Comment
    {
        public string? Text { get; set; }

        public List<Comment> Replies { get; set; } = [];
    }

    private sealed class Household
    {
        public ObjectId Id { get; set; }

        public Address? Home { get; set; }

        public Address? Work { get; set; }
    }

    [DataKey("k")]
    private sealed class Address
    {
        [Random]
        public string? Street { get; set; }

        public string? City { get; set; }
    }

    [DataKey("k"), BsonDiscriminator(RootClass = true), BsonKnownTypes(typeof(Cat))]
    private class Animal
    {
        public ObjectId Id { get; set; }

        [Deterministic]
        public string? Name { get; set; }

        public string? Tag { get; set; }
    }

    [BsonKnownTypes(typeof(Lion))]
    private class Cat : Animal
    {
        [Random]
        public string? Mouse { get; set; }

        public int Lives { get; set; }
    }

    private sealed class Lion : Cat
    {
        [Random]
        public string? Mane { get; set; }
    }

    private sealed class Kennel
    {
        public ObjectId Id { get; set; }

        public Dog? Dog { get; set; }

        public string? Plain { get; set; }
    }

    [DataKey("k"), BsonKnownTypes(typeof(Puppy)), JsonDerivedType(typeof(Puppy))]
    private class Dog
    {
        [Random]
        public string? Chip { get; set; }
    }

    private sealed class Puppy : Dog
    {
        [Random]
        public string? Toy { get; set; }
    }

    private sealed class Boxes
    {
        public ObjectId Id { get; set; }

        public Box<string>? Text { get; set; }

        public Box<long>? Number { get; set; }
    }

    [DataKey("k")]
    private sealed class Box<T>
    {
        [Deterministic]
        public T? Content { get; set; }

        public string? Label { get; set; }
    }

    [DataKey("k")]
    private sealed class Nullables
    {
        public ObjectId Id { get; set; }

        [Deterministic]
        public int? Number { get; set; }

        [Deterministic]
        public DateTime? When { get; set; }

        [Random]
        public bool? Flag { get; set; }

        [Random]
        public string? Text { get; set; }
    }

    [DataKey("k")]
    private sealed record Positional([property: Random] string Secret, int Number, PositionalBelow Below)
    {
        public ObjectId Id { get; init; }
    }

    [DataKey("k")]
    private sealed record PositionalBelow([property: Deterministic] string Secret, string Plain);

    [DataKey("k")]
    private sealed record InitRecord
    {
        public ObjectId Id { get; init; }

        [Random]
        public string? Secret { get; init; }

        public string? Plain { get; init; }
    }

    [DataKey("k")]
    private sealed class WithRequired
    {
        public ObjectId Id { get; set; }

        [Random]
        public required string Secret { get; set; }

        public required string Plain { get; set; }
    }

#pragma warning disable CA1051 // Fields, on purpose.
    [DataKey("k")]
    private sealed class WithFields
    {
        public ObjectId Id = ObjectId.GenerateNewId();

        [Random]
        public string? Secret;

        public string? Plain;
    }
#pragma warning restore CA1051

    [DataKey("k")]
    private sealed class Immutable(ObjectId id, string secret, string plain)
    {
        public ObjectId Id { get; } = id;

        [Random]
        public string Secret { get; } = secret;

        public string Plain { get; } = plain;
    }

    private enum Blood
    {
        A,
        B,
    }

    private enum BigEnum : long
    {
        One = 1,
        Two = 1L << 40,
    }

    [DataKey("k")]
    private sealed class Enums
    {
        public ObjectId Id { get; set; }

        [Deterministic]
        public Blood AsInt { get; set; }

        [Deterministic, BsonRepresentation(BsonType.String)]
        public Blood AsString { get; set; }

        [Deterministic]
        public BigEnum Big { get; set; }

        [Deterministic]
        public Blood? Maybe { get; set; }

        public Blood Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class EnumsByConvention
    {
        public ObjectId Id { get; set; }

        [Deterministic]
        public Blood Secret { get; set; }

        public Blood Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class Guids
    {
        public ObjectId Id { get; set; }

        [Deterministic, BsonGuidRepresentation(GuidRepresentation.Standard)]
        public Guid Standard { get; set; }

        [Deterministic, BsonGuidRepresentation(GuidRepresentation.CSharpLegacy)]
        public Guid Legacy { get; set; }

        [Deterministic, BsonRepresentation(BsonType.String)]
        public Guid Text { get; set; }

        [Random, BsonGuidRepresentation(GuidRepresentation.Standard)]
        public Guid Random { get; set; }
    }

    [DataKey("k")]
    private sealed class Decimals
    {
        public ObjectId Id { get; set; }

        [Random]
        public decimal Native { get; set; }

        [Deterministic, BsonRepresentation(BsonType.String)]
        public decimal Text { get; set; }

        [Deterministic, BsonRepresentation(BsonType.Int64)]
        public decimal Whole { get; set; }

        [Random]
        public Decimal128 Other { get; set; }
    }

    [DataKey("k")]
    private sealed class CamelCased
    {
        public ObjectId Id { get; set; }

        [Deterministic]
        public string? SocialNumber { get; set; }

        public CamelCasedBelow? Below { get; set; }
    }

    private sealed class CamelCasedBelow
    {
        [Random]
        public string? BloodType { get; set; }

        public string? PlainText { get; set; }
    }

    [DataKey("k")]
    private sealed class Dictionaries
    {
        public ObjectId Id { get; set; }

        [Random]
        public Dictionary<string, string>? AsDocument { get; set; }

        [Random, BsonDictionaryOptions(DictionaryRepresentation.ArrayOfArrays)]
        public Dictionary<int, string>? AsArrays { get; set; }

        [Random, BsonDictionaryOptions(DictionaryRepresentation.ArrayOfDocuments)]
        public Dictionary<int, string>? AsDocuments { get; set; }

        [Random]
        public Dictionary<string, PlainAddress>? OfDocuments { get; set; }

        public Dictionary<string, Comment>? Plain { get; set; }
    }

    private sealed class PlainAddress
    {
        public string? Street { get; set; }
    }

    [DataKey("k")]
    private sealed class Arrays
    {
        public ObjectId Id { get; set; }

        [Random]
        public string[]? Strings { get; set; }

        [Deterministic]
        public byte[]? Bytes { get; set; }

        [Random]
        public List<Comment>? Documents { get; set; }

        [Random]
        public int[][]? Nested { get; set; }

        [Random]
        public HashSet<string>? Set { get; set; }

        [Random]
        public IReadOnlyList<string>? Interface { get; set; }

        [Random]
        public IEnumerable<string>? Enumerable { get; set; }

        [Random]
        public KeyValuePair<string, int> Pair { get; set; }

        [Random]
        public (string, int) Tuple { get; set; }

        public string[]? Plain { get; set; }

        public List<Comment>? PlainDocuments { get; set; }
    }

    [DataKey("k")]
    private sealed class WithList
    {
        public ObjectId Id { get; set; }

        [Random]
        public List<string?>? Items { get; set; }

        [Random]
        public Comment?[]? Documents { get; set; }
    }

    [DataKey("k")]
    private sealed class Embedding
    {
        public ObjectId Id { get; set; }

        public Level? Level { get; set; }

        [Random]
        public Comment? Whole { get; set; }
    }

    private sealed class Level
    {
        [Random]
        public string? Secret { get; set; }

        public Level2? Next { get; set; }
    }

    private sealed class Level2
    {
        [Random]
        public string? Secret { get; set; }

        public string? Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class WithExtraElements
    {
        public ObjectId Id { get; set; }

        [Random(Nulls = NullPolicy.Omit), BsonElement("Secret")]
        public string? Secret { get; set; }

        [BsonExtraElements]
        public BsonDocument Rest { get; set; } = [];
    }

    [DataKey("k")]
    private sealed class WithStructs
    {
        public ObjectId Id { get; set; }

        public Point Point { get; set; }

        public Point? Maybe { get; set; }

        [Random]
        public PlainPoint Whole { get; set; }
    }

    private struct Point
    {
        [Random(Nulls = NullPolicy.Omit)]
        public string? Secret { get; set; }

        public string? Plain { get; set; }
    }

    private struct PlainPoint
    {
        public string? Text { get; set; }
    }

    [DataKey("k")]
    private sealed class Dates
    {
        public ObjectId Id { get; set; }

        [Deterministic]
        public DateOnly Date { get; set; }

        [Deterministic, BsonRepresentation(BsonType.String)]
        public DateOnly DateAsString { get; set; }

        [Deterministic]
        public TimeOnly Time { get; set; }

        [Deterministic, BsonRepresentation(BsonType.String)]
        public TimeOnly TimeAsString { get; set; }

        [Random]
        public DateTimeOffset Offset { get; set; }

        [Deterministic, BsonRepresentation(BsonType.String)]
        public DateTimeOffset OffsetAsString { get; set; }

        [Deterministic]
        public DateTime Moment { get; set; }

        [Deterministic]
        public TimeSpan Span { get; set; }

        [Deterministic, BsonTimeSpanOptions(BsonType.Int64)]
        public TimeSpan Ticks { get; set; }
    }

    [DataKey("k")]
    private sealed class WithBson
    {
        public ObjectId Id { get; set; }

        [Random]
        public BsonDocument? Document { get; set; }

        [Random]
        public BsonValue? Value { get; set; }

        [Random]
        public BsonArray? Array { get; set; }

        [Random]
        public object? Any { get; set; }

        public BsonDocument? Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class Scalars
    {
        public ObjectId Id { get; set; }

        [Random]
        public bool Bool { get; set; }

        [Deterministic]
        public byte Byte { get; set; }

        [Deterministic]
        public short Short { get; set; }

        [Deterministic]
        public int Int { get; set; }

        [Deterministic]
        public long Long { get; set; }

        [Deterministic]
        public uint UInt { get; set; }

        [Random]
        public float Float { get; set; }

        [Random]
        public double Double { get; set; }

        [Deterministic]
        public char Char { get; set; }

        [Deterministic]
        public string? Text { get; set; }

        [Deterministic]
        public Uri? Uri { get; set; }

        [Deterministic]
        public ObjectId Id2 { get; set; }
    }

    [DataKey("k")]
    private sealed class WithClassMap
    {
        [Random]
#pragma warning disable IDE0044 // The driver does not read what is readonly.
        private string? _hidden;
#pragma warning restore IDE0044

        public WithClassMap()
        {
        }

        public WithClassMap(string hidden) => _hidden = hidden;

        public ObjectId Id { get; set; }

        [Deterministic]
        public int Number { get; set; }

        public string? Plain { get; set; }

        [BsonIgnore]
        public string? Hidden => _hidden;
    }

    private interface IShape;

    private sealed class Square : IShape
    {
        public int Side { get; set; }
    }

    private sealed class Disc : IShape
    {
        public int Radius { get; set; }
    }

    [DataKey("k")]
    private sealed class WithInterface
    {
        public ObjectId Id { get; set; }

        [Random]
        public IShape? Secret { get; set; }
    }

    [DataKey("k")]
    private sealed class WithNamedInterface
    {
        public ObjectId Id { get; set; }

        [Random]
        public string? Secret { get; set; }

        public IShape? Plain { get; set; }
    }

    [DataKey("k")]
    private abstract class Base
    {
        public ObjectId Id { get; set; }

        [Random]
        public abstract string? Abstract { get; set; }

        [Random]
        public virtual string? Virtual { get; set; }
    }

    private sealed class Concrete : Base
    {
        public override string? Abstract { get; set; }

        public override string? Virtual { get; set; }
    }

    [DataKey("k")]
    private sealed class Diary
    {
        public ObjectId Id { get; set; }

        [BsonIgnoreIfNull]
        public string? Owner { get; set; }

        [Random]
        public string? Other { get; set; }

        [Random(KeyField = "/Owner", Nulls = NullPolicy.Omit)]
        public string? Text { get; set; }
    }

    [DataKey("k")]
    private sealed class DeterministicTime
    {
        [Deterministic]
        public DateTimeOffset Offset { get; set; }
    }

    private sealed class MarkedBelowList
    {
        public List<Address> Items { get; set; } = [];
    }

    private interface IOwner
    {
        [Random]
        string Name { get; set; }
    }

    [DataKey("k")]
    private sealed class MarkedBelowInterface
    {
        [Random]
        public string? Secret { get; set; }

        public IOwner? Owner { get; set; }
    }

    [DataKey("k")]
    private sealed class EndlessPerson
    {
        [Random]
        public string? Secret { get; set; }

        public EndlessPerson? Parent { get; set; }
    }

    [DataKey("k")]
    private sealed class MarkedExtra
    {
        [Random, BsonExtraElements]
        public BsonDocument? Rest { get; set; }
    }
}
