using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Schema;

/// <summary>What happens to null in members of classes, from the object to the server and back.</summary>
public sealed class NullPolicyTests
{
    [Fact]
    public void Without_a_policy_null_is_refused_before_anything_is_sent_and_the_error_names_the_member()
    {
        using var collection = new ModelCollection<Unsaid>();

        var exception = AssertRefused(() => collection.Encrypted.InsertOne(new Unsaid()));

        Assert.Contains("Unsaid.Secret", exception.Message, StringComparison.Ordinal);
        Assert.Contains("NullPolicy.Omit", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, collection.InClear.CountDocuments(FilterDefinition<BsonDocument>.Empty));
    }

    [Fact]
    public void Omitted_members_are_not_stored_and_read_back_as_null()
    {
        using var collection = new ModelCollection<Omitting>();
        var (stored, read) = collection.Insert(new Omitting { Name = "a" });

        Assert.Equal(["_id", "Name"], stored.Names);
        Assert.Null(read.Text);
        Assert.Null(read.Number);
        Assert.Null(read.List);
        Assert.Null(read.Embedded);
    }

    [Fact]
    public void Omitted_members_that_have_values_are_encrypted_and_a_replacement_takes_them_away()
    {
        using var collection = new ModelCollection<Omitting>();
        var document = new Omitting { Name = "a", Text = "b", Number = 5, List = [null, "c"], Embedded = new Embedded { Secret = "d", Plain = null } };
        var (stored, read) = collection.Insert(document);

        Assert.Equal(["_id", "Name", "Text", "Number", "List", "Embedded"], stored.Names);
        Assert.All([stored["Text"], stored["Number"], stored["List"], stored["Embedded"]["Secret"]], AssertCiphertext);
        Assert.Equal(BsonNull.Value, stored["Embedded"]["Plain"]);
        Assert.Equal(document.ToBsonDocument(), read.ToBsonDocument());

        document.Text = null;
        document.Embedded.Secret = null;
        collection.Encrypted.ReplaceOne(each => each.Id == document.Id, document, new ReplaceOptions { IsUpsert = true });

        Assert.False(collection.InClear.Find(FilterDefinition<BsonDocument>.Empty).Single().Contains("Text"));
        Assert.Equal(document.ToBsonDocument(), collection.Encrypted.Find(each => each.Number == 5).Single().ToBsonDocument());
    }

    [Fact]
    public void An_update_that_sets_an_omitted_member_to_null_is_refused_and_one_that_removes_it_works()
    {
        using var collection = new ModelCollection<Omitting>();
        collection.Encrypted.InsertOne(new Omitting { Name = "a", Text = "b" });

        var exception = AssertRefused(() => collection.Encrypted.UpdateOne(each => each.Name == "a", Builders<Omitting>.Update.Set(each => each.Text, null)));
        Assert.Contains("$unset", exception.Message, StringComparison.Ordinal);
        Assert.Equal("b", collection.Encrypted.Find(each => each.Name == "a").Single().Text);

        collection.Encrypted.UpdateOne(each => each.Name == "a", Builders<Omitting>.Update.Unset(each => each.Text));
        Assert.Null(collection.Encrypted.Find(each => each.Name == "a").Single().Text);
    }

    [Fact]
    public void Null_is_stored_in_clear_where_that_was_asked_for_and_nothing_else_is()
    {
        using var collection = new ModelCollection<InClear>();
        var document = new InClear { Text = null, Number = null };
        var (stored, read) = collection.Insert(document);

        Assert.Equal(BsonNull.Value, stored["Text"]);
        Assert.Equal(BsonNull.Value, stored["Number"]);
        Assert.Null(read.Text);

        collection.Encrypted.UpdateOne(each => each.Id == document.Id, Builders<InClear>.Update.Set(each => each.Text, "a").Set(each => each.Number, 5));
        stored = collection.InClear.Find(FilterDefinition<BsonDocument>.Empty).Single();
        AssertCiphertext(stored["Text"]);
        AssertCiphertext(stored["Number"]);

        collection.Encrypted.UpdateOne(each => each.Number == 5, Builders<InClear>.Update.Set(each => each.Text, null));
        Assert.Equal(BsonNull.Value, collection.InClear.Find(FilterDefinition<BsonDocument>.Empty).Single()["Text"]);
    }

    [Fact]
    public void Bulk_writes_and_find_one_and_replace_follow_the_policy()
    {
        using var collection = new ModelCollection<Omitting>();
        collection.Encrypted.BulkWrite(
        [
            new InsertOneModel<Omitting>(new Omitting { Name = "a", Text = "b" }),
            new InsertOneModel<Omitting>(new Omitting { Name = "c" }),
        ]);
        var first = collection.Encrypted.Find(each => each.Name == "a").Single();
        first.Text = null;

        collection.Encrypted.FindOneAndReplace(each => each.Id == first.Id, first);

        Assert.All(collection.InClear.Find(FilterDefinition<BsonDocument>.Empty).ToList(), each => Assert.Equal(["_id", "Name"], each.Names));
    }

    [Fact]
    public void What_could_not_be_read_back_without_its_element_may_not_be_omitted()
    {
        AssertMistake<Constructed>("Constructed.Secret", "every constructor takes it");
        AssertMistake<Required>("Required.Secret", "it is required");
        AssertMistake<Defaulted>("Defaulted.Secret", "default value, which is not null");
    }

    [Fact]
    public void A_record_may_omit_its_nulls_since_the_driver_sets_its_properties_one_by_one()
    {
        using var collection = new ModelCollection<Positional>();
        var (stored, read) = collection.Insert(new Positional(ObjectId.GenerateNewId(), null, "a"));

        Assert.False(stored.Contains("Secret"));
        Assert.Equal((null, "a"), (read.Secret, read.Plain));
    }

    [Fact]
    public void A_class_that_its_constructor_fills_may_store_its_nulls_in_clear()
    {
        using var collection = new ModelCollection<ConstructedInClear>();
        var (stored, read) = collection.Insert(new ConstructedInClear(ObjectId.GenerateNewId(), null));

        Assert.Equal(BsonNull.Value, stored["Secret"]);
        Assert.Null(read.Secret);
    }

    private static void AssertMistake<T>(string location, string problem)
    {
        var exception = Assert.Throws<EncryptionSchemaException>(() => EncryptedModel.FromMapping(typeof(T), new ClassMapFieldMapping(), null, null));
        var error = Assert.Single(exception.Errors);
        Assert.Equal(location, error.Location);
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
        Assert.Contains("StoreInClear", error.Remedy, StringComparison.Ordinal);
    }

    private static void AssertCiphertext(BsonValue value) => Assert.Equal(BsonBinarySubType.Encrypted, value.AsBsonBinaryData.SubType);

    private static QueryAnalysisException AssertRefused(Action action)
    {
        var exception = Assert.ThrowsAny<Exception>(action);
        var found = Assert.IsType<QueryAnalysisException>(exception as CsfleException ?? exception.InnerException);
        Assert.Equal(CsfleErrorCode.ValueNotEncryptable, found.Code);
        return found;
    }

    [DataKey("k")]
    private sealed class Unsaid
    {
        public ObjectId Id { get; set; }

        [Random]
        public string? Secret { get; set; }
    }

    [EncryptedCollection("a.b", Nulls = NullPolicy.Omit), DataKey("k")]
    private sealed class Omitting
    {
        public ObjectId Id { get; set; }

        public string? Name { get; set; }

        [Random]
        public string? Text { get; set; }

        [Deterministic]
        public int? Number { get; set; }

        [Random]
        public List<string?>? List { get; set; }

        public Embedded? Embedded { get; set; }
    }

    private sealed class Embedded
    {
        [Random]
        public string? Secret { get; set; }

        public string? Plain { get; set; }
    }

    [DataKey("k")]
    private sealed class InClear
    {
        public ObjectId Id { get; set; }

        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? Text { get; set; }

        [Deterministic(Nulls = NullPolicy.StoreInClear)]
        public int? Number { get; set; }
    }

    [DataKey("k")]
    private sealed class Constructed(string? secret)
    {
        [Random(Nulls = NullPolicy.Omit)]
        public string? Secret { get; } = secret;
    }

    [DataKey("k")]
    private sealed class ConstructedInClear(ObjectId id, string? secret)
    {
        public ObjectId Id { get; } = id;

        [Random(Nulls = NullPolicy.StoreInClear)]
        public string? Secret { get; } = secret;
    }

    [DataKey("k")]
    private sealed record Positional(ObjectId Id, [property: Random(Nulls = NullPolicy.Omit)] string? Secret, string Plain);

    [DataKey("k")]
    private sealed class Required
    {
        [Random(Nulls = NullPolicy.Omit), BsonRequired]
        public string? Secret { get; set; }
    }

    [DataKey("k")]
    private sealed class Defaulted
    {
        [Random(Nulls = NullPolicy.Omit), BsonDefaultValue("x")]
        public string? Secret { get; set; }
    }
}
