using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Bson.Serialization.Conventions;
using MongoDB.Bson.Serialization.Options;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Schema;

/// <summary>Classes without attributes that code marks, and objects of classes that nobody told of.</summary>
public sealed class KnownClassesTests
{
    static KnownClassesTests()
    {
        BsonSerializer.RegisterDiscriminatorConvention(typeof(Vehicle), new ScalarDiscriminatorConvention("kind"));
        BsonClassMap.RegisterClassMap<Vehicle>(map =>
        {
            map.AutoMap();
            map.SetDiscriminator("v");
        });
    }

    [Fact]
    public void Classes_without_attributes_are_encrypted_as_code_says()
    {
        using var collection = new ModelCollection<Patient>(patient => patient
            .DataKey("k")
            .Deterministic(p => p.Ssn)
            .Random(p => p.Notes, dataKey: "k2", nulls: NullPolicy.Omit)
            .Deterministic(p => p.Insurance!.PolicyNumber)
            .Derived<Inpatient>(inpatient => inpatient.Random(i => i.Ward)));
        collection.Encrypted.InsertMany([
            new Patient { Ssn = 5, Insurance = new Insurance { PolicyNumber = 7, Provider = "p" } },
            new Inpatient { Ssn = 6, Notes = ["n"], Ward = "w", Insurance = new Insurance { PolicyNumber = 8 } },
        ]);

        var stored = collection.InClear.Find(FilterDefinition<BsonDocument>.Empty).ToList();
        Assert.All(stored, each => AssertCiphertext(each["Ssn"]));
        Assert.All(stored, each => AssertCiphertext(each["Insurance"]["PolicyNumber"]));
        Assert.Equal("p", stored[0]["Insurance"]["Provider"].AsString);
        Assert.False(stored[0].Contains("Notes"));
        AssertCiphertext(stored[1]["Notes"]);
        AssertCiphertext(stored[1]["Ward"]);
        Assert.NotEqual(KeyOf(stored[1]["Notes"]), KeyOf(stored[1]["Ward"]));

        var read = Assert.IsType<Inpatient>(collection.Encrypted.Find(each => each.Insurance!.PolicyNumber == 8).Single());
        Assert.Equal((6, "n", "w"), (read.Ssn, Assert.Single(read.Notes!), read.Ward));
    }

    [Fact]
    public void A_derived_class_that_nobody_named_is_refused_before_it_leaves()
    {
        using var collection = new ModelCollection<Patient>(patient => patient.DataKey("k").Deterministic(p => p.Ssn).Derived<Inpatient>());

        var exception = AssertRefused(() => collection.Encrypted.InsertOne(new Outpatient { Ssn = 5, Illness = "i" }));

        Assert.Equal("_t", exception.Path);
        Assert.Contains("Patient, Inpatient", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, collection.InClear.CountDocuments(FilterDefinition<BsonDocument>.Empty));
        AssertRefused(() => collection.Encrypted.ReplaceOne(each => each.Ssn == 5, new Outpatient(), new ReplaceOptions { IsUpsert = true }));
        AssertRefused(() => collection.Encrypted.FindOneAndReplace(each => each.Ssn == 5, new Outpatient()));
        AssertRefused(() => collection.Encrypted.InsertMany([new Patient(), new Inpatient(), new Outpatient()]));
    }

    [Fact]
    public void A_derived_class_inside_of_a_document_is_refused_however_it_is_written()
    {
        using var collection = new ModelCollection<Clinic>();
        collection.Encrypted.InsertOne(new Clinic { Secret = "s", Head = new Staff { Name = "a" }, Others = [new Doctor { Name = "b" }], ByRoom = new() { ["1"] = new Doctor { Name = "c" } } });

        Assert.Equal("Head._t", AssertRefused(() => collection.Encrypted.InsertOne(new Clinic { Secret = "s", Head = new Surgeon() })).Path);
        Assert.Equal("Others.1._t", AssertRefused(() => collection.Encrypted.InsertOne(new Clinic { Secret = "s", Others = [new Doctor(), new Surgeon()] })).Path);
        Assert.Equal("ByRoom.1._t", AssertRefused(() => collection.Encrypted.InsertOne(new Clinic { Secret = "s", ByRoom = new() { ["1"] = new Surgeon() } })).Path);
        Assert.Equal("ByNumber.0.1._t", AssertRefused(() => collection.Encrypted.InsertOne(new Clinic { Secret = "s", ByNumber = new() { [1] = new Surgeon() } })).Path);
        Assert.Equal("ByLetter.0.v._t", AssertRefused(() => collection.Encrypted.InsertOne(new Clinic { Secret = "s", ByLetter = new() { ['a'] = new Surgeon() } })).Path);
        AssertRefused(() => collection.Encrypted.UpdateOne(FilterDefinition<Clinic>.Empty, Builders<Clinic>.Update.Set(each => each.Head, new Surgeon())));
        AssertRefused(() => collection.Encrypted.UpdateOne(FilterDefinition<Clinic>.Empty, Builders<Clinic>.Update.Push(each => each.Others, new Surgeon())));
        AssertRefused(() => collection.Encrypted.UpdateOne(FilterDefinition<Clinic>.Empty, Builders<Clinic>.Update.PushEach(each => each.Others, [new Doctor(), new Surgeon()])));
        AssertRefused(() => collection.Encrypted.UpdateOne(FilterDefinition<Clinic>.Empty, Builders<Clinic>.Update.AddToSet(each => each.Others, new Surgeon())));
        collection.Encrypted.UpdateOne(FilterDefinition<Clinic>.Empty, Builders<Clinic>.Update.Push(each => each.Others, new Doctor { Name = "d" }));

        var read = collection.Encrypted.Find(FilterDefinition<Clinic>.Empty).Single();
        Assert.Equal(["b", "d"], read.Others.Select(each => Assert.IsType<Doctor>(each).Name));
    }

    [Fact]
    public void A_discriminator_convention_of_the_application_is_followed()
    {
        using var collection = new ModelCollection<Garage>(garage => garage.Embedded(g => g.Vehicle, vehicle => vehicle.Derived<Car>()));
        var (stored, read) = collection.Insert(new Garage { Secret = "s", Vehicle = new Car { Plate = "p" } });

        Assert.Equal("Car", stored["Vehicle"]["kind"].AsString);
        AssertCiphertext(stored["Vehicle"]["Plate"]);
        Assert.Equal("p", Assert.IsType<Car>(read.Vehicle).Plate);
        Assert.Equal("Vehicle.kind", AssertRefused(() => collection.Encrypted.InsertOne(new Garage { Secret = "s", Vehicle = new Truck() })).Path);
    }

    [Fact]
    public void Both_mappings_know_the_same_discriminators()
    {
        foreach (var type in new[] { typeof(Clinic), typeof(Doctor), typeof(Root), typeof(Branch), typeof(Leaf), typeof(Generic<Dictionary<string, int>>) })
        {
            var driver = new ClassMapFieldMapping().Map(type)!.Discriminator!;
            var reflection = new ReflectionFieldMapping(ElementNaming.AsIs).Map(type)!.Discriminator!;

            Assert.Equal(driver.ElementName, reflection.ElementName);
            Assert.Equal(driver.Value, reflection.Value);
        }
    }

    [Fact]
    public void Mistakes_of_a_registration_by_code_are_shown_at_start_up_with_all_others()
    {
        var exception = Assert.Throws<EncryptionSchemaException>(() =>
        {
            using var collection = new ModelCollection<Patient>(patient => patient.Deterministic(p => p.Ssn).Random(p => p.Notes!.Count).Random(p => p.ToString()));
            collection.Encrypted.InsertOne(new Patient());
        });

        Assert.Equal(3, exception.Errors.Count);
        Assert.Contains("has no data key", exception.Message, StringComparison.Ordinal);
        Assert.Contains("leads to no property or field", exception.Message, StringComparison.Ordinal);
        Assert.Contains("no document of that collection stores it", exception.Message, StringComparison.Ordinal);
    }

    private static void AssertCiphertext(BsonValue value) => Assert.Equal(BsonBinarySubType.Encrypted, value.AsBsonBinaryData.SubType);

    private static string KeyOf(BsonValue ciphertext) => Convert.ToHexString(ciphertext.AsByteArray.AsSpan(1, 16));

    private static QueryAnalysisException AssertRefused(Action action)
    {
        var exception = Assert.ThrowsAny<Exception>(action);
        var found = Assert.IsType<QueryAnalysisException>(exception as CsfleException ?? exception.InnerException);
        Assert.Equal(CsfleErrorCode.UnknownClass, found.Code);
        return found;
    }

    private class Patient
    {
        public ObjectId Id { get; set; }

        public int Ssn { get; set; }

        public List<string>? Notes { get; set; }

        public Insurance? Insurance { get; set; }
    }

    private sealed class Inpatient : Patient
    {
        public string? Ward { get; set; }
    }

    private sealed class Outpatient : Patient
    {
        public string? Illness { get; set; }
    }

    private sealed class Insurance
    {
        public int PolicyNumber { get; set; }

        public string? Provider { get; set; }
    }

    [DataKey("k")]
    private sealed class Clinic
    {
        public ObjectId Id { get; set; }

        [Random]
        public string? Secret { get; set; }

        public Staff? Head { get; set; }

        public List<Staff> Others { get; set; } = [];

        public Dictionary<string, Staff> ByRoom { get; set; } = [];

        [BsonDictionaryOptions(DictionaryRepresentation.ArrayOfArrays)]
        public Dictionary<int, Staff> ByNumber { get; set; } = [];

        [BsonDictionaryOptions(DictionaryRepresentation.ArrayOfDocuments)]
        public Dictionary<char, Staff> ByLetter { get; set; } = [];
    }

    [BsonKnownTypes(typeof(Doctor))]
    private class Staff
    {
        public string? Name { get; set; }
    }

    private class Doctor : Staff;

    private sealed class Surgeon : Doctor
    {
        public string? Illness { get; set; }
    }

    [DataKey("k")]
    private sealed class Garage
    {
        public ObjectId Id { get; set; }

        [Random]
        public string? Secret { get; set; }

        public Vehicle? Vehicle { get; set; }
    }

    private class Vehicle
    {
        public int Wheels { get; set; }
    }

    private sealed class Car : Vehicle
    {
        [Random]
        public string? Plate { get; set; }
    }

    private sealed class Truck : Vehicle;

    [BsonDiscriminator("r", RootClass = true)]
    private class Root;

    private class Branch : Root;

    [BsonDiscriminator("l")]
    private sealed class Leaf : Branch;

    private sealed class Generic<T>
    {
        public T? Value { get; set; }
    }
}
