#pragma warning disable CA1812, CA1822, CS0649 // Classes that are only looked at.
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Schema;

/// <summary>What code says of classes in the place of attributes, or beside them.</summary>
public sealed class EncryptedClassTests
{
    private static readonly Dictionary<string, Guid> Keys = new()
    {
        ["k"] = new("00000000-0000-0000-0000-000000000001"),
        ["k2"] = new("00000000-0000-0000-0000-000000000002"),
    };

    [Fact]
    public void Code_gives_the_schema_that_attributes_give()
    {
        var attributes = EncryptedModel.FromClass<Attributed>();
        var code = EncryptedModel.FromClass<Person>(person => person
            .DataKey("k")
            .Deterministic(p => p.Ssn)
            .Random(p => p.Blood, dataKey: "k2")
            .Random(p => p.Diary, keyField: "/Owner")
            .Embedded(p => p.Policy, policy => policy.DataKey("k2").Deterministic(i => i.Number)));

        Assert.Equal(attributes.ToSchema(Keys).ToJson(), code.ToSchema(Keys).ToJson());
        Assert.Equal(["k", "k2"], code.KeyAltNames);
    }

    [Fact]
    public void A_lambda_may_lead_into_embedded_documents()
    {
        var schema = Schema<Person>(person => person.DataKey("k").Deterministic(p => p.Policy.Number).Random(p => p.Policy.Agent!.Value.Phone));

        Assert.Equal(["Policy.Agent.Phone", "Policy.Number"], EncryptedPaths(schema));
    }

    [Fact]
    public void A_mark_holds_wherever_the_class_is_stored()
    {
        var schema = Schema<Household>(household => household.DataKey("k").Random(h => h.Home.Street));

        Assert.Equal(["Home.Street", "Work.Street"], EncryptedPaths(schema));
    }

    [Fact]
    public void A_mark_on_an_item_of_a_collection_is_refused_like_an_attribute()
        => AssertMistake<Household>(household => household.DataKey("k").Embedded(h => h.Home, home => home.Random(a => a.Lines[0])).Random(h => h.Others[0].Street),
            "Household", "leads to no property or field", "names members only");

    [Fact]
    public void A_mark_below_a_collection_is_refused_though_the_lambda_led_elsewhere()
        => AssertMistake<WithList>(list => list.DataKey("k").Random(w => w.One.Street),
            "WithList.Others", "Address.Street is marked for encryption, but lies below a collection", "Encrypt the whole collection");

    [Fact]
    public void Inherited_members_and_derived_classes_can_be_marked()
    {
        var schema = Schema<Animal>(animal => animal.DataKey("k").Deterministic(a => a.Name).Derived<Cat>(cat => cat.Random(c => c.Mouse).Deterministic(c => c.Name)));

        Assert.Equal(["Mouse", "Name"], EncryptedPaths(schema));
        Assert.Equal(["Name"], EncryptedPaths(Schema<Cat>(cat => cat.DataKey("k").Deterministic(c => c.Name))));
        Assert.Equal(["Mouse"], EncryptedPaths(Schema<Animal>(animal => animal.DataKey("k").Derived<Cat>().Random(a => ((Cat)a).Mouse))));
    }

    [Fact]
    public void A_member_of_a_derived_class_that_is_not_named_is_a_mistake()
        => AssertMistake<Animal>(animal => animal.DataKey("k").Deterministic(a => a.Name).Random(a => ((Cat)a).Mouse),
            "Animal", "Cat may be stored here in place of Animal", "Derived<Cat>()");

    [Fact]
    public void A_generic_class_is_marked_for_its_type_arguments()
        => Assert.Equal(["Text.Content"], EncryptedPaths(Schema<Boxes>(boxes => boxes.DataKey("k").Random(b => b.Text.Content))));

    [Fact]
    public void The_same_mark_twice_is_one()
    {
        var schema = Schema<Attributed>(person => person.DataKey("k").Deterministic(p => p.Ssn).Deterministic(p => p.Ssn).Random(p => p.Blood, "k2"));

        Assert.Equal(EncryptedModel.FromClass<Attributed>().ToSchema(Keys).ToJson(), schema.ToJson());
    }

    [Fact]
    public void What_contradicts_an_attribute_or_itself_is_a_mistake_and_all_are_shown_at_once()
    {
        var exception = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromClass<Attributed>(person => person
            .DataKey("k2")
            .Random(p => p.Ssn)
            .Random(p => p.Blood, dataKey: "k")
            .Random(p => p.Diary, keyField: "/Other")
            .Embedded(p => p.Policy, policy => policy.Deterministic(i => i.Number, nulls: NullPolicy.Omit).Deterministic(i => i.Number, nulls: NullPolicy.Reject))));

        Assert.Equal(CsfleErrorCode.InvalidMapping, exception.Code);
        AssertError(exception, "Attributed", "say differently the data key");
        AssertError(exception, "Attributed.Ssn", "marked [Deterministic] and [Random]");
        AssertError(exception, "Attributed.Blood", "say differently the data key");
        AssertError(exception, "Attributed.Diary", "say differently KeyField");
        AssertError(exception, "AttributedPolicy.Number", "say differently what happens to null");
    }

    [Fact]
    public void A_class_whose_key_is_said_twice_differently_is_a_mistake()
        => AssertMistake<Person>(person => person.DataKey("k").DataKey("k2").Random(p => p.Blood), "Person", "said twice, differently", "once for each class");

    [Fact]
    public void Lambdas_that_lead_to_no_member_are_mistakes_and_all_are_shown_at_once()
    {
        var exception = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromClass<Person>(person => person
            .DataKey("k")
            .Random(p => p)
            .Random(p => p.Blood.Trim())
            .Random(p => "x" + p.Blood)
            .Random(p => Person.Everybody)
            .Embedded(p => p.Policy.Clone(), policy => policy.Random(i => i.Number))
            .UniqueIndex(p => p.Ssn + 1)));

        Assert.Equal(6, exception.Errors.Count(error => error.Location == "Person" && error.Problem.Contains("leads to no property or field", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_mark_without_effect_is_a_mistake()
    {
        AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Blood).Random(p => p.Computed), "Person.Computed", "is not stored", "public property");
        AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Blood).Random(p => p.Blood.Length), "String.Length", "no document of that collection stores it", "Name a member that is stored");
        AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Policy).Random(p => p.Policy.Number), "Person.Policy", "marked again", "Take the attribute away");
    }

    [Fact]
    public void A_unique_index_on_a_random_member_is_a_mistake()
    {
        AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Blood).UniqueIndex(p => p.Blood), "Person.Blood", "unique index on 'Blood' guarantees nothing", "[Deterministic]");
        AssertMistake<Person>(person => person.DataKey("k").Embedded(p => p.Policy, policy => policy.Random(i => i.Number).UniqueIndex(i => i.Number)),
            "Policy.Number", "unique index on 'Policy.Number' guarantees nothing", "[Deterministic]");
        Assert.Equal(["Ssn"], EncryptedPaths(Schema<Person>(person => person.DataKey("k").Deterministic(p => p.Ssn).UniqueIndex(p => p.Ssn).UniqueIndex(p => p.Blood))));
    }

    [Fact]
    public void Every_check_of_the_attributes_holds()
    {
        AssertMistake<Person>(person => person.DataKey("k").Deterministic(p => p.Weight), "Person.Weight", "stored as 'double'", "[Random]");
        AssertMistake<Person>(person => person.Deterministic(p => p.Ssn), "Person.Ssn", "has no data key", "[DataKey");
        AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Id), "Person.Id", "stored as '_id'", "a field of its own");
        AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Diary, dataKey: "k", keyField: "/Owner"), "Person.Diary", "KeyField takes the key from the document", "Keep one");
    }

    [Fact]
    public void A_blank_name_of_a_key_is_refused_where_it_is_written()
        => Assert.Throws<ArgumentException>(() => EncryptedModel.FromClass<Person>(person => person.DataKey(" ")));

    [Fact]
    public void The_nearest_null_policy_counts()
    {
        var schema = Schema<Person>(person => person
            .DataKey("k").Nulls(NullPolicy.Omit)
            .Random(p => p.Blood)
            .Random(p => p.Diary, nulls: NullPolicy.StoreInClear)
            .Embedded(p => p.Policy, policy => policy.Nulls(NullPolicy.Reject).Random(i => i.Holder)));

        Assert.Equal(NullPolicy.Omit, schema.EncryptedAt("Blood").Nulls);
        Assert.Equal(NullPolicy.StoreInClear, schema.EncryptedAt("Diary").Nulls);
        Assert.True(schema.EncryptedAt("Diary").AllowsNull);
        Assert.False(schema.EncryptedAt("Blood").AllowsNull);
        Assert.Equal(NullPolicy.Omit, Assert.IsType<PlainNode>(schema.At("Policy")).Nulls);
        Assert.Equal(NullPolicy.Reject, schema.EncryptedAt("Policy.Holder").Nulls);
        Assert.Equal("Policy.Holder", schema.EncryptedAt("Policy.Holder").Member);
    }

    [Fact]
    public void A_collection_says_what_happens_to_null_by_attribute_as_well()
    {
        var schema = EncryptedModel.FromClass<WithPolicy>().ToSchema(Keys);

        Assert.Equal(NullPolicy.Omit, schema.EncryptedAt("Blood").Nulls);
        Assert.Equal(NullPolicy.StoreInClear, schema.EncryptedAt("Diary").Nulls);
        Assert.Equal(NullPolicy.Reject, schema.EncryptedAt("Ssn").Nulls);
        AssertMistake<WithPolicy>(policy => policy.Nulls(NullPolicy.Reject), "WithPolicy", "say differently what happens to null", "Say it once");
    }

    [Fact]
    public void The_json_of_a_schema_is_pure()
    {
        var schema = EncryptedModel.FromClass<WithPolicy>().ToSchema(Keys);

        Assert.DoesNotContain("null", schema.ToJson(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("_t", schema.ToJson(), StringComparison.Ordinal);
        Assert.Equal(NullPolicy.Default, EncryptionSchema.Parse(schema.ToJson()).EncryptedAt("Blood").Nulls);
    }

    [Fact]
    public void A_null_policy_where_nothing_is_encrypted_is_a_mistake()
        => AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Blood).Embedded(p => p.Policy, policy => { }, nulls: NullPolicy.Omit),
            "Person.Policy", "says what happens to null, but nothing here is encrypted", "Encrypt something");

    [Fact]
    public void What_could_not_be_read_back_without_its_element_may_not_be_omitted()
    {
        AssertMistake<Required>(required => required.DataKey("k").Nulls(NullPolicy.Omit).Random(r => r.Text), "Required.Text", "Null is to be omitted, but [BsonRequired]", "StoreInClear");
        AssertMistake<Immutable>(immutable => immutable.DataKey("k").Random(i => i.Text, nulls: NullPolicy.Omit), "Immutable.Text", "only a constructor sets it", "StoreInClear");
        AssertMistake<Person>(person => person.DataKey("k").Random(p => p.Blood, nulls: (NullPolicy)99), "Person.Blood", "none of NullPolicy", "Use a value");
    }

    [Fact]
    public void Derived_classes_that_treat_null_differently_in_one_element_are_a_mistake()
        => AssertMistake<Animal>(animal => animal.DataKey("k").Derived<Cat>(cat => cat.Random(c => c.Mouse)).Derived<Owl>(owl => owl.Random(o => o.Mouse, nulls: NullPolicy.Omit)),
            "Cat.Mouse", "also stored by Owl.Mouse, which encrypts it in another way", "mark both alike");

    private static EncryptionSchema Schema<T>(Action<EncryptedClass<T>> configure) => EncryptedModel.FromClass(configure).ToSchema(Keys);

    private static IEnumerable<string> EncryptedPaths(EncryptionSchema schema) => PathsIn(schema.Root, "").Order(StringComparer.Ordinal);

    private static IEnumerable<string> PathsIn(PlainNode node, string prefix) => node.Properties.SelectMany(property => property.Node is PlainNode below
        ? PathsIn(below, $"{prefix}{property.Name}.")
        : [prefix + property.Name]);

    private static void AssertMistake<T>(Action<EncryptedClass<T>> configure, string location, string problem, string remedy)
    {
        var exception = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromClass(configure));
        Assert.Contains(exception.Errors, error => error.Location == location
            && error.Problem.Contains(problem, StringComparison.Ordinal) && error.Remedy.Contains(remedy, StringComparison.Ordinal));
    }

    private static void AssertError(EncryptionSchemaException exception, string location, string problem)
        => Assert.Contains(exception.Errors, error => error.Location == location && error.Problem.Contains(problem, StringComparison.Ordinal));

    private class Person
    {
        public static string Everybody = "";

        public int Id { get; set; }

        public int Ssn { get; set; }

        public string Blood { get; set; } = "";

        public double Weight { get; set; }

        public string Owner { get; set; } = "";

        public string Diary { get; set; } = "";

        public Policy Policy { get; set; } = new();

        public string Computed => Blood;
    }

    private sealed class Policy
    {
        public int Number { get; set; }

        public string? Holder { get; set; }

        public Agent? Agent { get; set; }

        public Policy Clone() => this;
    }

    private struct Agent
    {
        public string Phone { get; set; }
    }

    [DataKey("k")]
    private sealed class Attributed
    {
        public int Id { get; set; }

        [Deterministic]
        public int Ssn { get; set; }

        [Random, DataKey("k2")]
        public string Blood { get; set; } = "";

        public double Weight { get; set; }

        public string Owner { get; set; } = "";

        [Random(KeyField = "/Owner")]
        public string Diary { get; set; } = "";

        public AttributedPolicy Policy { get; set; } = new();
    }

    [DataKey("k2")]
    private sealed class AttributedPolicy
    {
        [Deterministic]
        public int Number { get; set; }

        public string? Holder { get; set; }
    }

    private sealed class Household
    {
        public Address Home { get; set; } = new();

        public Address Work { get; set; } = new();

        public List<Plain> Others { get; set; } = [];
    }

    private sealed class Address
    {
        public string Street { get; set; } = "";

        public string[] Lines { get; set; } = [];
    }

    private sealed class Plain
    {
        public string Street { get; set; } = "";
    }

    private sealed class WithList
    {
        public Address One { get; set; } = new();

        public List<Address> Others { get; set; } = [];
    }

    private sealed class Required
    {
        [MongoDB.Bson.Serialization.Attributes.BsonRequired]
        public string? Text { get; set; }
    }

    private sealed class Immutable(string text)
    {
        public string Text { get; } = text;
    }

    private class Animal
    {
        public string Name { get; set; } = "";
    }

    private sealed class Cat : Animal
    {
        public string Mouse { get; set; } = "";
    }

    private sealed class Owl : Animal
    {
        public string Mouse { get; set; } = "";
    }

    private sealed class Boxes
    {
        public Box<string> Text { get; set; } = new();

        public Box<int> Number { get; set; } = new();
    }

    private sealed class Box<T>
    {
        public T? Content { get; set; }
    }

    [EncryptedCollection("db.coll", Nulls = NullPolicy.Omit), DataKey("k")]
    private sealed class WithPolicy
    {
        [Random]
        public string? Blood { get; set; }

        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? Diary { get; set; }

        [Deterministic(Nulls = NullPolicy.Reject)]
        public int? Ssn { get; set; }
    }
}
