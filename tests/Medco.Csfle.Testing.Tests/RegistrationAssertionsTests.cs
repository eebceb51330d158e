using Medco.Csfle.Engine;
using MongoDB.Bson;

namespace Medco.Csfle.Testing.Tests;

public sealed class RegistrationAssertionsTests : IDisposable
{
    private readonly CsfleClientFactory _csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection<Person>());

    public void Dispose() => _csfle.Dispose();

    [Fact]
    public void A_model_is_tested_without_a_server()
    {
        var jon = Person.Jon();

        var stored = _csfle.ShouldEncryptAsRegistered(jon);

        stored.ShouldBeEncrypted<Person>(x => x.Ssn, x => x.BloodType, x => x.Insurance.PolicyNumber);
        Assert.Equal(jon.Ssn, _csfle.DecryptDocument<Person>(stored).Ssn);
        Assert.Equal(jon.ToBsonDocument(), _csfle.DecryptDocument<BsonDocument>(stored));
    }

    [Fact]
    public void A_value_that_is_omitted_because_it_is_null_passes()
    {
        var jon = Person.Jon();
        jon.BloodType = null;

        Assert.False(_csfle.ShouldEncryptAsRegistered(jon).Contains("BloodType"));
    }

    [Fact]
    public void A_document_without_any_value_to_encrypt_fails()
        => Assert.Throws<EncryptionAssertionException>(() => _csfle.ShouldEncryptAsRegistered("clinic.people", new BsonDocument("Name", "Jon Doe")));

    [Fact]
    public void Plaintext_that_stands_elsewhere_too_fails()
    {
        var jon = Person.Jon();
        jon.Name = "Jon Doe, policy 123142";

        var exception = Assert.Throws<EncryptionAssertionException>(() => _csfle.ShouldEncryptAsRegistered(jon));

        Assert.Equal("Insurance.PolicyNumber", Assert.Single(exception.Failures).Path);
    }

    [Fact]
    public void A_query_is_tested_without_a_server()
    {
        var find = _csfle.EncryptCommand("clinic", new BsonDocument { { "find", "people" }, { "filter", new BsonDocument("Ssn", 241014209) } });

        find.ShouldBeEncrypted("filter.Ssn.$eq");
        Assert.Throws<QueryAnalysisException>(() => _csfle.EncryptCommand("clinic", new BsonDocument { { "find", "people" }, { "filter", new BsonDocument("BloodType", "AB+") } }));
    }

    [Fact]
    public void A_collection_that_is_not_registered_is_an_error_that_names_those_that_are()
    {
        Assert.Contains("clinic.people", Assert.Throws<ArgumentException>(() => _csfle.EncryptDocument("clinic.persons", Person.Jon())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _csfle.EncryptDocument(new BsonDocument()));
    }

    [Fact]
    public void A_class_that_is_registered_with_several_collections_is_an_error_that_names_them()
    {
        using var csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection<Person>().AddCollection<Person>("clinic.archive"));

        Assert.Contains("clinic.archive", Assert.Throws<ArgumentException>(() => csfle.EncryptDocument(Person.Jon())).Message, StringComparison.Ordinal);
        csfle.ShouldEncryptAsRegistered("clinic.archive", Person.Jon());
    }

    [Fact]
    public async Task A_factory_is_made_asynchronously_too_and_throws_what_is_wrong_with_the_model()
    {
        using var csfle = await CsfleTestFactory.CreateAsync(csfle => csfle.AddCollection<Person>());
        csfle.ShouldEncryptAsRegistered(Person.Jon());

        Assert.Throws<EncryptionSchemaException>(() => CsfleTestFactory.Create(csfle => csfle.AddCollection<Impossible>()));
        await Assert.ThrowsAsync<EncryptionSchemaException>(() => CsfleTestFactory.CreateAsync(csfle => csfle.AddCollection<Impossible>()));
    }

    [EncryptedCollection("clinic.impossible"), DataKey("clinic-people")]
    private sealed class Impossible
    {
        [Deterministic]
        public double Weight { get; set; }
    }
}
