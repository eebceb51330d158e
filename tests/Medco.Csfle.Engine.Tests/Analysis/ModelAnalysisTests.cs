#pragma warning disable CA1812, CS0649 // Classes that are only looked at.
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson.Serialization.Attributes;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>What only a model can say: what happens to null, and of which classes documents may be.</summary>
public sealed class ModelAnalysisTests
{
    private const string E = """{"$encrypted": {"a": 2, "k": "11111111-1111-4111-8111-111111111111", "v": "x"}}""";

    private static readonly EncryptionSchema Schema = EncryptedModel.FromClass<Patient>(patient => patient
        .Embedded(p => p.Omitting, omitting => omitting.Random(o => o!.Secret, nulls: NullPolicy.Omit), nulls: NullPolicy.Omit)
        .Embedded(p => p.Clearing, clearing => { }, nulls: NullPolicy.StoreInClear)
        .Embedded(p => p.Rejecting, rejecting => { }, nulls: NullPolicy.Reject)).ToSchema(
        new Dictionary<string, Guid> { ["k"] = new("11111111-1111-4111-8111-111111111111") });

    [Theory]
    [InlineData("""{"Omitted": null}""", "{}")]
    [InlineData("""{"a": 1, "Omitted": null, "b": 2}""", """{"a": 1, "b": 2}""")]
    [InlineData("""{"Random": "x", "Omitted": null, "Omitted2": null, "b": 2}""", $$"""{"Random": {{E}}, "b": 2}""")]
    [InlineData("""{"Omitted": "x", "Clear": null}""", $$"""{"Omitted": {{E}}, "Clear": null}""")]
    [InlineData("""{"Clear": "x"}""", $$"""{"Clear": {{E}}}""")]
    [InlineData("""{"Clear": null}""", """{"Clear": null}""")]
    [InlineData("""{"Omitted": null, "Omitting": {"Secret": null, "n": 1}}""", """{"Omitting": {"n": 1}}""")]
    [InlineData("""{"Omitting": null}""", """{}""")]
    [InlineData("""{"Unsaid": null}""", """{"Unsaid": null}""")]
    [InlineData("""{"Clearing": null}""", """{"Clearing": null}""")]
    [InlineData("""{"List": null, "n": [null, {"Omitted": null}]}""", """{"n": [null, {"Omitted": null}]}""")]
    public void Null_is_left_out_or_stored_as_the_member_says(string document, string expected)
    {
        AssertSent($$"""{"insert": "coll", "documents": [{{document}}, {"Omitted": "x"}], "ordered": true}""",
            $$"""{"insert": "coll", "documents": [{{expected}}, {"Omitted": {{E}}}], "ordered": true}""");
        AssertSent($$"""{"insert": "coll", "documents": [{{document}}], "ordered": true}""", $$"""{"insert": "coll", "documents": [{{expected}}], "ordered": true}""");
        AssertSent($$"""{"update": "coll", "updates": [{"q": {}, "u": {{document}}, "upsert": true}]}""", $$"""{"update": "coll", "updates": [{"q": {}, "u": {{expected}}, "upsert": true}]}""");
        AssertSent($$"""{"findAndModify": "coll", "query": {"a": 1}, "update": {{document}}, "new": true}""", $$"""{"findAndModify": "coll", "query": {"a": 1}, "update": {{expected}}, "new": true}""");
        AssertSent($$"""{"explain": {"update": "coll", "updates": [{"q": {}, "u": {{document}}}]}, "verbosity": "queryPlanner"}""",
            $$"""{"explain": {"update": "coll", "updates": [{"q": {}, "u": {{expected}}}]}, "verbosity": "queryPlanner"}""");
    }

    [Theory]
    [InlineData("""{"Random": null}""", "Random", "Patient.Random")]
    [InlineData("""{"Rejecting": null}""", "Rejecting", "Patient.Rejecting")]
    [InlineData("""{"Unsaid": {"Secret": null}}""", "Unsaid.Secret", "Embedded.Secret")]
    public void Null_is_refused_by_the_name_of_the_member_where_nothing_else_was_said(string document, string path, string member)
    {
        var exception = Assert.Throws<QueryAnalysisException>(() => Analyze($$"""{"insert": "coll", "documents": [{{document}}]}"""));

        Assert.Equal(CsfleErrorCode.ValueNotEncryptable, exception.Code);
        Assert.Equal(path, exception.Path);
        Assert.Contains(member, exception.Message, StringComparison.Ordinal);
        Assert.Contains("NullPolicy.Omit", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"Clear": {"$undefined": true}}""")]
    [InlineData("""{"Clear": {"$minKey": 1}}""")]
    [InlineData("""{"Clear": 5}""")]
    [InlineData("""{"Clear": null, "Clear": "x"}""")]
    [InlineData("""{"Omitted": null, "Omitted": "x"}""")]
    [InlineData("""{"clear": null}""")]
    [InlineData("""{"Unsaid": null, "unsaid": 1}""")]
    public void Nothing_but_null_passes_where_null_may(string document)
        => Assert.Throws<QueryAnalysisException>(() => Analyze($$"""{"insert": "coll", "documents": [{{document}}]}"""));

    [Theory]
    [InlineData("Clear")]
    [InlineData("Unsaid")]
    [InlineData("Clearing")]
    public void An_update_may_set_null_where_it_may_stand(string path)
    {
        var command = $$$"""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"{{{path}}}": null} } }]}""";

        AssertSent(command, command);
    }

    [Theory]
    [InlineData("Random")]
    [InlineData("Omitted")]
    [InlineData("Omitting")]
    [InlineData("Omitting.Secret")]
    [InlineData("Rejecting")]
    public void An_update_does_not_set_null_elsewhere_since_leaving_it_out_would_keep_the_old_value(string path)
    {
        var exception = Assert.Throws<QueryAnalysisException>(() => Analyze($$$"""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"{{{path}}}": null} } }]}"""));

        Assert.Equal(CsfleErrorCode.ValueNotEncryptable, exception.Code);
        Assert.Contains("$unset", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_embedded_document_that_is_set_leaves_its_nulls_out()
        => AssertSent("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Omitting": {"Secret": null, "n": 1}}}}]}""",
            """{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Omitting": {"n": 1}}}}]}""");

    [Fact]
    public void Filters_do_not_ask_for_null_whatever_the_policy()
        => Assert.Equal(CsfleErrorCode.UnsupportedQuery,
            Assert.Throws<QueryAnalysisException>(() => Analyze("""{"find": "coll", "filter": {"Ssn": null}}""")).Code);

    [Fact]
    public void Null_is_not_renamed_to_where_it_may_not_stand()
        => Assert.Equal(CsfleErrorCode.UnsupportedQuery,
            Assert.Throws<QueryAnalysisException>(() => Analyze("""{"update": "coll", "updates": [{"q": {}, "u": {"$rename": {"Clear": "Random"}}}]}""")).Code);

    [Theory]
    [InlineData("""{"insert": "coll", "documents": [{"_t": "Patient"}]}""")]
    [InlineData("""{"insert": "coll", "documents": [{"_t": ["Patient", "Inpatient"]}]}""")]
    [InlineData("""{"insert": "coll", "documents": [{"Contact": {"_t": "Doctor"}}]}""")]
    [InlineData("""{"insert": "coll", "documents": [{"Contacts": [{"_t": "Doctor"}, {"a": 1}, null, 5]}]}""")]
    [InlineData("""{"insert": "coll", "documents": [{"ByName": {"_t": {"_t": "Doctor"}}}]}""")]
    [InlineData("""{"insert": "coll", "documents": [{"ByName": {"_t": 5, "Contact": "Stranger"}}]}""")]
    [InlineData("""{"insert": "coll", "documents": [{"Contact": {"Next": {"Next": {"_t": "Doctor"}}}}]}""")]
    [InlineData("""{"insert": "coll", "documents": [{"Final": {"_t": "Anything"}, "Anything": {"_t": "Anything"}}]}""")]
    [InlineData("""{"update": "coll", "updates": [{"q": {"_t": "Stranger"}, "u": {"$set": {"Contact": {"_t": "Doctor"}, "Contacts.0": {"_t": "Doctor"}}}}]}""")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$push": {"Contacts": {"$each": [{"_t": "Doctor"}]}}}}]}""")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$unset": {"_t": 1, "Contact._t": 1}}}]}""")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$pull": {"Contacts": {"_t": "Stranger"}}}}]}""")]
    [InlineData("""{"find": "coll", "filter": {"_t": "Stranger", "Contact._t": "Stranger"}}""")]
    public void Classes_that_the_model_knows_are_stored_and_any_may_be_asked_for(string command) => AssertSent(command, command);

    [Theory]
    [InlineData("""{"insert": "coll", "documents": [{"_t": "Patient"}, {"_t": "Stranger"}]}""", "_t")]
    [InlineData("""{"insert": "coll", "documents": [{"_t": ["Patient", "Stranger"]}]}""", "_t")]
    [InlineData("""{"insert": "coll", "documents": [{"_t": ["Inpatient"]}]}""", "_t")]
    [InlineData("""{"insert": "coll", "documents": [{"_t": []}]}""", "_t")]
    [InlineData("""{"insert": "coll", "documents": [{"_t": 5}]}""", "_t")]
    [InlineData("""{"insert": "coll", "documents": [{"_t": null}]}""", "_t")]
    [InlineData("""{"insert": "coll", "documents": [{"_t": "Doctor"}]}""", "_t")]
    [InlineData("""{"insert": "coll", "documents": [{"a": {"_t": 1}, "Contact": {"a": 1, "_t": "Stranger"}}]}""", "Contact._t")]
    [InlineData("""{"insert": "coll", "documents": [{"Contact": [{"_t": "Stranger"}]}]}""", "Contact.0._t")]
    [InlineData("""{"insert": "coll", "documents": [{"Contact": {"Next": {"_t": "Stranger"}}}]}""", "Contact.Next._t")]
    [InlineData("""{"insert": "coll", "documents": [{"Contacts": [{"_t": "Doctor"}, {"_t": "Stranger"}]}]}""", "Contacts.1._t")]
    [InlineData("""{"insert": "coll", "documents": [{"Nested": [[], [{"_t": "Stranger"}]]}]}""", "Nested.1.0._t")]
    [InlineData("""{"insert": "coll", "documents": [{"ByName": {"Ann": {"_t": "Stranger"}}}]}""", "ByName.Ann._t")]
    [InlineData("""{"insert": "coll", "documents": [{"Unsaid": {"_t": "Stranger", "Secret": "x"}}]}""", "Unsaid._t")]
    [InlineData("""{"insert": "coll", "documents": [{"Shape": {"_t": "Circle"}}]}""", "Shape._t")]
    [InlineData("""{"insert": "coll", "documents": [{"Final": {"Contact": {"_t": "Stranger"}}}]}""", "Final.Contact._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"_t": "Stranger"}}]}""", "_t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"_t": "Stranger"}}}]}""", "_t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Contact._t": "Stranger"}}}]}""", "Contact._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Contact": {"_t": "Stranger"}}}}]}""", "Contact._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Contact.Next": {"_t": "Stranger"}}}}]}""", "Contact.Next._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Contacts.0": {"_t": "Stranger"}}}}]}""", "Contacts.0._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Contacts.$[]": {"_t": "Stranger"}}}}]}""", "Contacts.$[]._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Contacts.$.Next": {"_t": "Stranger"}}}}]}""", "Contacts.$.Next._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"Contacts": [{"_t": "Stranger"}]}}}]}""", "Contacts.0._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$set": {"ByName.Ann": {"_t": "Stranger"}}}}]}""", "ByName.Ann._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$setOnInsert": {"Contact": {"_t": "Stranger"}}}}]}""", "Contact._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$push": {"Contacts": {"_t": "Stranger"}}}}]}""", "Contacts._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$push": {"Nested": [{"_t": "Stranger"}]}}}]}""", "Nested.0._t")]
    [InlineData("""{"update": "coll", "updates": [{"q": {}, "u": {"$addToSet": {"Contacts": {"$each": [{"_t": "Doctor"}, {"_t": "Stranger"}]}}}}]}""", "Contacts.$each.1._t")]
    [InlineData("""{"findAndModify": "coll", "query": {}, "update": {"$set": {"Contact": {"_t": "Stranger"}}}}""", "Contact._t")]
    public void A_class_that_the_model_does_not_know_is_refused(string command, string path)
    {
        var exception = Assert.Throws<QueryAnalysisException>(() => Analyze(command));

        Assert.Equal(CsfleErrorCode.UnknownClass, exception.Code);
        Assert.Equal(path, exception.Path);
        Assert.Equal("db.coll", exception.Collection);
        Assert.DoesNotContain("Stranger", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Derived<T>()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_encrypted_as_a_whole_may_be_of_any_class()
        => AssertSent("""{"insert": "coll", "documents": [{"Whole": {"_t": "Stranger"}}]}""",
            """{"insert": "coll", "documents": [{"Whole": {"$encrypted": {"a": 2, "k": "11111111-1111-4111-8111-111111111111", "v": {"_t": "Stranger"}}}}]}""");

    [Fact]
    public void A_schema_in_json_says_nothing_about_classes()
    {
        var command = """{"insert": "coll", "documents": [{"_t": "Stranger", "Contact": {"_t": "Stranger"}}]}""";

        Assert.True(Analyze(command, EncryptionSchema.Parse(Schema.ToJson())).IsVerbatim);
    }

    [Fact]
    public void Looking_at_classes_allocates_nothing()
    {
        var contact = """{"_t": "Doctor", "Next": {"Next": {"a": 1}}}""";
        var command = ExtendedJson.ToBson($$"""{"insert": "coll", "documents": [{"Contact": {{contact}}, "Contacts": [{{string.Join(',', Enumerable.Repeat(contact, 50))}}]}]}""");
        var withModel = Allocated(Schema);
        var without = Allocated(EncryptionSchema.Parse(Schema.ToJson()));

        Assert.Equal(without, withModel);

        long Allocated(EncryptionSchema schema)
        {
            var analyzer = new CommandAnalyzer(new UnencryptedNamespaces([]));
            var schemas = new SchemaMap([new("db.coll", schema)]);
            analyzer.Analyze("db", command, schemas);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var round = 0; round < 100; round++) analyzer.Analyze("db", command, schemas);
            return (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
        }
    }

    private static void AssertSent(string command, string expected)
    {
        var plan = Analyze(command);
        var sent = ExtendedJson.ToJson(MarkedCommand.Render(plan), ExtendedJsonMode.Canonical);
        Assert.Equal(ExtendedJson.ToJson(ExtendedJson.ToBson(expected), ExtendedJsonMode.Canonical), sent);
        Assert.Equal(plan.IsVerbatim, ExtendedJson.ToJson(ExtendedJson.ToBson(command), ExtendedJsonMode.Canonical) == sent);
    }

    private static EncryptionPlan Analyze(string command, EncryptionSchema? schema = null)
        => new CommandAnalyzer(new UnencryptedNamespaces([])).Analyze("db", ExtendedJson.ToBson(command), new SchemaMap([new("db.coll", schema ?? Schema)]));

    [DataKey("k"), BsonDiscriminator(RootClass = true), BsonKnownTypes(typeof(Inpatient))]
    private class Patient
    {
        [Random]
        public string? Random { get; set; }

        [Deterministic(Nulls = NullPolicy.StoreInClear)]
        public string? Ssn { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public string? Omitted { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public string? Omitted2 { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public List<string>? List { get; set; }

        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? Clear { get; set; }

        [Random]
        public object? Whole { get; set; }

        public Embedded? Unsaid { get; set; }

        public Embedded? Clearing { get; set; }

        public Embedded? Rejecting { get; set; }

        public Omitting? Omitting { get; set; }

        public Contact? Contact { get; set; }

        public List<Contact> Contacts { get; set; } = [];

        public List<List<Contact>> Nested { get; set; } = [];

        public Dictionary<string, Contact> ByName { get; set; } = [];

        public IShape? Shape { get; set; }

        public Final? Final { get; set; }

        public object? Anything { get; set; }
    }

    private sealed class Inpatient : Patient;

    private class Embedded
    {
        [Random]
        public string? Secret { get; set; }
    }

    private sealed class Omitting
    {
        public string? Secret { get; set; }
    }

    [BsonKnownTypes(typeof(Doctor))]
    private class Contact
    {
        public Contact? Next { get; set; }
    }

    private sealed class Doctor : Contact;

    private interface IShape;

    private sealed class Final
    {
        public Contact? Contact { get; set; }
    }
}
