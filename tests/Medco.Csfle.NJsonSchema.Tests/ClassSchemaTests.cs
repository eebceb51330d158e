using System.ComponentModel.DataAnnotations;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Operations.Enforcement;
using Medco.Csfle.Engine.Schema;
using MedcoMd.Model;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Driver;

namespace Medco.Csfle.NJsonSchema.Tests;

public sealed class ClassSchemaTests(ClassSchemaTests.Shared shared) : IClassFixture<ClassSchemaTests.Shared>
{
    private const int DocumentValidationFailure = 121;

    private readonly Clinic<Visit> _clinic = shared.Clinic;

    public static TheoryData<string, BsonValue> WrongValues => new()
    {
        { "name", 1 },
        { "name", BsonNull.Value },
        { "name", "ab" },
        { "name", "" },
        { "name", new string('a', 41) },
        { "age", -1 },
        { "age", 151 },
        { "age", "old" },
        { "age", 3L },
        { "age", BsonNull.Value },
        { "ratio", 0.31 },
        { "price", new BsonDecimal128(99.96m) },
        { "price", 1.5 },
        { "count", -1L },
        { "written", new BsonDecimal128(1m) },
        { "code", "ab-123" },
        { "code", "AB-123 and more" },
        { "units", "ab d" },
        { "state", 99 },
        { "state", "Done" },
        { "former", "Cancelled" },
        { "former", 1 },
        { "wishes", "Quiet" },
        { "token", new BsonBinaryData(Guid.Empty, GuidRepresentation.Standard) },
        { "number", "x" },
        { "at", "yesterday" },
        { "tags", new BsonArray() },
        { "tags", new BsonArray { "a", "b", "c", "d" } },
        { "tags", new BsonArray { 1 } },
        { "tags", new BsonDocument() },
        { "rooms", new BsonArray { 1, 1 } },
        { "addresses", new BsonArray { new BsonDocument("city", 1) } },
        { "addresses", new BsonArray { new BsonDocument() } },
        { "scores", new BsonDocument("a", "b") },
        { "address", new BsonDocument { { "city", "x" }, { "zip", "123" } } },
        { "address", "x" },
        { "contact", new BsonDocument("number", "1") },
        { "contact", new BsonDocument { { "kind", "x" }, { "value", true } } },
        { "referral", new BsonDocument("level", 10) },
        { "note", "12345678901" },
    };

    [Fact]
    public void Whatever_the_driver_writes_for_a_valid_object_is_accepted()
        => Check.One(Config.QuickThrowOnFailure.WithMaxTest(150), Prop.ForAll<int>(seed =>
        {
            var visit = new Visits(seed).Next();
            Validator.ValidateObject(visit, new ValidationContext(visit), validateAllProperties: true);
            try
            {
                _clinic.Objects.InsertOne(visit);
            }
            catch (MongoWriteException exception)
            {
                Assert.Fail($"{exception.WriteError.Details}");
            }
        }));

    [Theory]
    [MemberData(nameof(WrongValues))]
    public void A_value_that_the_class_does_not_allow_is_refused(string element, BsonValue value)
    {
        var document = Visits.Simple().ToBsonDocument();
        _clinic.Documents.InsertOne(document);
        document["_id"] = ObjectId.GenerateNewId();
        document[element] = value;

        var exception = Assert.Throws<MongoWriteException>(() => _clinic.Documents.InsertOne(document));

        Assert.Equal(DocumentValidationFailure, exception.WriteError.Code);
    }

    [Theory]
    [InlineData("name")]
    [InlineData("ssn")]
    [InlineData("insurance")]
    public void A_document_without_a_required_member_is_refused(string element)
    {
        var document = Visits.Simple().ToBsonDocument();
        document.Remove(element);

        var exception = Assert.Throws<MongoWriteException>(() => _clinic.Documents.InsertOne(document));

        Assert.Equal(DocumentValidationFailure, exception.WriteError.Code);
    }

    [Theory]
    [InlineData("ssn")]
    [InlineData("weight")]
    [InlineData("insurance.policy")]
    public void Plaintext_in_an_encrypted_field_is_refused(string path)
    {
        var visit = Visits.Simple();
        _clinic.Objects.InsertOne(visit);
        var document = _clinic.Stored.Find(new BsonDocument("_id", visit.Id)).Single();
        var plain = visit.ToBsonDocument();
        var level = path.Split('.')[..^1].Aggregate(document, (found, name) => found[name].AsBsonDocument);
        var source = path.Split('.')[..^1].Aggregate(plain, (found, name) => found[name].AsBsonDocument);
        document["_id"] = ObjectId.GenerateNewId();
        _clinic.Stored.InsertOne(document);
        document["_id"] = ObjectId.GenerateNewId();
        level[path.Split('.')[^1]] = source[path.Split('.')[^1]];

        var exception = Assert.Throws<MongoWriteException>(() => _clinic.Stored.InsertOne(document));

        Assert.Equal(DocumentValidationFailure, exception.WriteError.Code);
    }

    [Fact]
    public async Task What_was_applied_is_what_is_wanted()
    {
        var plan = await _clinic.Enforcement.PlanAsync(countRejectedDocuments: true);

        var collection = Assert.Single(plan.Collections);
        Assert.Equal(EnforcementStatus.Enforced, collection.Status);
        Assert.Empty(collection.Differences);
        Assert.Equal(0, collection.RejectedDocuments);
    }

    [Fact]
    public void Encrypted_members_say_how_they_are_encrypted_and_nothing_else()
    {
        var properties = _clinic.JsonSchema["properties"];

        Assert.Equal(["encrypt"], properties["ssn"].AsBsonDocument.Names);
        Assert.Equal(["algorithm", "bsonType", "keyId"], properties["weight"]["encrypt"].AsBsonDocument.Names.Order());
        Assert.Equal("object", properties["insurance"]["bsonType"]);
        Assert.Equal(["provider"], properties["insurance"]["required"].AsBsonArray.Select(name => name.AsString).Except(["policy"]));
    }

    [Fact]
    public void Names_types_and_constraints_are_those_of_the_stored_document()
    {
        var properties = _clinic.JsonSchema["properties"].AsBsonDocument;

        Assert.Equal(BsonDocument.Parse("""{ bsonType: "int", minimum: 0, maximum: 150 }"""), properties["age"]);
        Assert.Equal(BsonDocument.Parse("""{ bsonType: "string", maxLength: 40, minLength: 2, anyOf: [ { minLength: 3 }, { pattern: "[^\\x00-\uD7FF\uE000-\uFFFF]" } ] }"""), properties["name"]);
        Assert.Equal(BsonDocument.Parse("""{ bsonType: [ "string", "null" ], enum: [ "Planned", "Done", "0", "Finished", null ] }""")["enum"].AsBsonArray.Order(), properties["former"]["enum"].AsBsonArray.Order());
        Assert.Equal(BsonDocument.Parse("""{ bsonType: [ "string", "null" ], pattern: "^(?:\\p{Nd}{5})?$" }"""), properties["address"]["properties"]["zip"]);
        Assert.Equal(BsonDocument.Parse("""{ bsonType: [ "object", "null" ] }"""), properties["referral"]["properties"]["by"]);
        Assert.Equal(BsonDocument.Parse("""{ bsonType: [ "array", "null" ], items: { bsonType: "string" } }"""), properties["others"]);
        Assert.Equal(["bsonType", "anyOf"], properties["units"].AsBsonDocument.Names);
        Assert.Equal(new BsonDocument(), properties["ordered"]);
        Assert.Equal(BsonDocument.Parse("""{ bsonType: [ "array", "null" ] }"""), properties["remarks"]);
        Assert.DoesNotContain("rank", _clinic.JsonSchema["required"].AsBsonArray.Select(name => name.AsString));
    }

    [Fact]
    public void What_the_server_does_not_check_is_reported_once()
    {
        var reported = _clinic.Unenforced.Select(constraint => $"{constraint.Path} {constraint.Constraint}").ToList();

        Assert.Equal(
            ["email EmailAddress", "insensitive RegularExpression", "rank Required", "remarks MaxLength", "ssn StringLength", "weight Range", "written Range"],
            reported.Order(StringComparer.Ordinal));
        Assert.Contains(_clinic.Unenforced, constraint => constraint is { Path: "ssn", Reason: "the value is encrypted" });
    }

    [Fact]
    public async Task What_the_server_does_not_check_is_logged_once()
    {
        using var logs = new ListedLogs();
        using var clinic = new Clinic<Visit>(loggers: logs);
        await clinic.Enforcement.PlanAsync();

        var line = Assert.Single(logs.Lines, line => line.Id == 6070 && line.Text.Contains("'ssn'", StringComparison.Ordinal));
        Assert.Equal($"The server will not check [StringLength] of 'ssn' in {clinic.Namespace}: the value is encrypted.", line.Text);
    }

    [Fact]
    public void Other_elements_are_refused_where_that_is_asked_for()
    {
        using var strict = new Clinic<Visit>(options => options.AllowOtherElements = false);
        strict.Objects.InsertOne(new Visits(1).Next());
        var visit = Visits.Simple();
        visit.Contact = new Post { Kind = "x", Address = new Address { City = "Trier" } };
        strict.Objects.InsertOne(visit);
        var other = Visits.Simple().ToBsonDocument().Add("unknown", 1);
        var below = Visits.Simple().ToBsonDocument();
        below["insurance"].AsBsonDocument.Add("unknown", 1);

        Assert.Equal(DocumentValidationFailure, Assert.Throws<MongoWriteException>(() => strict.Documents.InsertOne(other)).WriteError.Code);
        Assert.Equal(DocumentValidationFailure, Assert.Throws<MongoWriteException>(() => strict.Documents.InsertOne(below)).WriteError.Code);
        other["_id"] = ObjectId.GenerateNewId();
        _clinic.Documents.InsertOne(other);
    }

    [Fact]
    public void Members_that_cannot_be_null_are_required_where_that_is_asked_for()
    {
        using var strict = new Clinic<Visit>(options => options.RequireNonNullable = true);
        var required = strict.JsonSchema["required"].AsBsonArray.Select(name => name.AsString).ToHashSet();

        Assert.Superset(new HashSet<string> { "age", "tags", "weight", "name" }, required);
        Assert.DoesNotContain("code", required);
        Assert.DoesNotContain("former", required);
        Assert.Equal("array", strict.JsonSchema["properties"]["tags"]["bsonType"]);
    }

    [Fact]
    public void Objects_of_known_types_share_a_schema()
    {
        using var clinic = new Clinic<Finding>(options => options.AllowOtherElements = false);
        clinic.Objects.InsertOne(new Finding { Title = "a", Short = "" });
        clinic.Objects.InsertOne(new Scan { Title = "b", Picture = "x", Short = "c" });
        var schema = clinic.JsonSchema;

        Assert.Equal(["title"], schema["required"].AsBsonArray.Select(name => name.AsString));
        Assert.Equal(["encrypt"], schema["properties"]["picture"].AsBsonDocument.Names);
        Assert.Equal(2, schema["properties"]["short"]["anyOf"].AsBsonArray.Count);
        Assert.Contains(clinic.Unenforced, constraint => constraint is { Path: "", Constraint: nameof(IValidatableObject) });
        var wrong = new Scan { Title = "b", Picture = "x", Short = "too long" };
        Assert.Equal(DocumentValidationFailure, Assert.Throws<MongoWriteException>(() => clinic.Objects.InsertOne(wrong)).WriteError.Code);
    }

    [Fact]
    public void A_class_that_the_registration_names_may_be_stored_as_well()
    {
        using var clinic = new Clinic<Finding>(options => options.AllowOtherElements = false, declare: finding => finding.Derived<Letter>());

        clinic.Objects.InsertOne(new Letter { Title = "a", Pages = 1 });

        Assert.Equal("int", clinic.JsonSchema["properties"]["pages"]["bsonType"]);
    }

    [Fact]
    public async Task Null_in_encrypted_members_is_what_its_policy_says()
    {
        using var clinic = new Clinic<Report>(options => options.RequireNonNullable = true);
        var report = new Report { Omitted = null!, InClear = null, Text = "x" };
        clinic.Objects.InsertOne(report);
        var stored = clinic.Stored.Find(FilterDefinition<BsonDocument>.Empty).Single();

        Assert.Equal(["_id", "inClear", "text"], stored.Names.Order(StringComparer.Ordinal));
        Assert.Equal(["_id", "text"], clinic.JsonSchema["required"].AsBsonArray.Select(name => name.AsString).Order(StringComparer.Ordinal));
        stored["_id"] = ObjectId.GenerateNewId();
        stored["inClear"] = "plaintext";
        Assert.Equal(DocumentValidationFailure, Assert.Throws<MongoWriteException>(() => clinic.Stored.InsertOne(stored)).WriteError.Code);
        stored["inClear"] = BsonNull.Value;
        stored.Remove("text");
        Assert.Equal(DocumentValidationFailure, Assert.Throws<MongoWriteException>(() => clinic.Stored.InsertOne(stored)).WriteError.Code);
        Assert.Equal(EnforcementStatus.Enforced, Assert.Single((await clinic.Enforcement.PlanAsync()).Collections).Status);
    }

    [Fact]
    public void A_collection_that_is_registered_with_a_schema_gets_the_encryption_rules_alone()
    {
        var schema = EncryptionSchema.Parse(GuideSchema.For(Guid.NewGuid()));
        var context = new ValidatorSchemaContext("clinic.visits", null, schema);
        var options = new EnforcementOptions().UseClassSchema();

        Assert.Equal(context.EncryptionRules.ToArray(), options.SchemaSource.BuildJsonSchema(context));
    }

    [Fact]
    public void An_attribute_that_cannot_be_read_stops_the_start_with_its_member()
    {
        var exception = Assert.Throws<EnforcementException>(() => new Clinic<Broken>());

        Assert.Equal(CsfleErrorCode.InvalidConstraint, exception.Code);
        Assert.Contains("Broken.Value", exception.Message, StringComparison.Ordinal);
    }

    [DataKey("visits")]
    private sealed class Broken
    {
        [Random]
        public string Secret { get; set; } = "";

        [Display(Name = "Missing", ResourceType = typeof(Broken))]
        public int Value { get; set; }
    }

    [DataKey("visits")]
    [BsonKnownTypes(typeof(Scan))]
    private class Finding : IValidatableObject
    {
        public ObjectId Id { get; set; }

        [Required]
        public string Title { get; set; } = "";

        [MaxLength(5)]
        public virtual string? Short { get; set; }

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => [];
    }

    private sealed class Letter : Finding
    {
        public int Pages { get; set; }
    }

    [DataKey("visits")]
    private sealed class Report
    {
        public ObjectId Id { get; set; }

        [Random(Nulls = NullPolicy.Omit)]
        public string Omitted { get; set; } = "";

        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? InClear { get; set; }

        [Random(Nulls = NullPolicy.Omit), Required]
        public string Text { get; set; } = "";
    }

    private sealed class Scan : Finding
    {
        [Random, Required]
        public string Picture { get; set; } = "";

        [MaxLength(5), MinLength(1)]
        public override string? Short { get; set; }
    }

    /// <summary>One collection for all tests that change nothing but its documents.</summary>
    public sealed class Shared : IDisposable
    {
        public Clinic<Visit> Clinic { get; } = new();

        public void Dispose() => Clinic.Dispose();
    }
}
