using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Tests;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Testing.Tests;

public sealed class CollectionAssertionsTests : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly CsfleClientFactory _csfle;
    private readonly IMongoClient _encrypted;
    private readonly IMongoClient _plain;
    private readonly IMongoCollection<Person> _people;
    private readonly IMongoCollection<Person> _inClear;

    public CollectionAssertionsTests()
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace("people"));
        _csfle = CsfleTestFactory.Create(csfle => csfle.ConnectTo(_server.ConnectionString).AddCollection<Person>(ns.FullName));
        _encrypted = _csfle.CreateEncryptedClient();
        _plain = _csfle.CreateUnencryptedClient();
        _people = _encrypted.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<Person>(ns.CollectionName);
        _inClear = _plain.GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<Person>(ns.CollectionName);
    }

    public void Dispose()
    {
        _encrypted.Dispose();
        _plain.Dispose();
        _csfle.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task What_an_encrypted_client_stored_passes()
    {
        var jon = Person.Jon();
        await _people.InsertOneAsync(jon);

        await _people.ShouldBeEncryptedAsync(jon, x => x.Ssn, x => x.Insurance.PolicyNumber);
        _people.ShouldBeEncrypted(jon, x => x.Ssn);
        await _people.ShouldBeEncryptedAsync(jon, x => x.BloodType, new EncryptionExpectation { Algorithm = CsfleAlgorithm.Random, Type = BsonType.String });
        _people.ShouldBeEncrypted(jon, x => x.Ssn, new EncryptionExpectation { Algorithm = CsfleAlgorithm.Deterministic });
        await _people.ShouldBeEncryptedAsync(x => x.Ssn == jon.Ssn, x => x.BloodType);
        _people.ShouldBeEncrypted(x => x.Name == jon.Name, x => x.BloodType);
        _inClear.ShouldBeEncrypted(jon, x => x.Ssn);
        await _people.ShouldNotBeEncryptedAsync(jon, x => x.Name);
        _people.ShouldNotBeEncrypted(jon, x => x.Insurance.Provider);
        await _csfle.ShouldBeEncryptedAsRegisteredAsync(_people, jon);
        _csfle.ShouldBeEncryptedAsRegistered(_people, jon);
    }

    [Fact]
    public async Task What_another_client_stored_in_clear_fails()
    {
        var jon = Person.Jon();
        await _inClear.InsertOneAsync(jon);

        var failure = await Failure(() => _people.ShouldBeEncryptedAsync(jon, x => x.Ssn));
        Assert.Equal((_people.CollectionNamespace.FullName, "Ssn", "int, in clear"), (failure.Collection, failure.Path, failure.Found));

        var registered = await Assert.ThrowsAsync<EncryptionAssertionException>(() => _csfle.ShouldBeEncryptedAsRegisteredAsync(_people, jon));
        Assert.Equal(["BloodType", "Insurance.PolicyNumber", "Ssn"], registered.Failures.Select(each => each.Path).Order(StringComparer.Ordinal));
        Assert.Throws<EncryptionAssertionException>(() => _people.ShouldBeEncrypted(x => x.Name == jon.Name, x => x.Ssn));
    }

    [Fact]
    public async Task One_document_in_clear_among_those_that_meet_the_condition_fails()
    {
        await _people.InsertOneAsync(Person.Jon());
        await _people.ShouldBeEncryptedAsync(x => x.Name == "Jon Doe", x => x.Ssn);

        await _inClear.InsertOneAsync(Person.Jon());
        await Failure(() => _people.ShouldBeEncryptedAsync(x => x.Name == "Jon Doe", x => x.Ssn));
    }

    [Fact]
    public async Task Plaintext_in_another_field_fails_with_the_place()
    {
        var jon = Person.Jon();
        jon.Note = "SSN 241014209";
        await _people.InsertOneAsync(jon);

        var failure = await Failure(() => _people.ShouldBeEncryptedAsync(jon, x => x.Ssn));
        Assert.Equal(("Ssn", "also in clear at 'Note'"), (failure.Path, failure.Found));
        Assert.DoesNotContain("241014209", failure.ToString(), StringComparison.Ordinal);
        await Failure(() => _csfle.ShouldBeEncryptedAsRegisteredAsync(_people, jon));
        await _people.ShouldBeEncryptedAsync(jon, x => x.BloodType);
    }

    [Fact]
    public async Task A_document_that_is_not_there_fails()
    {
        await Assert.ThrowsAsync<EncryptionAssertionException>(() => _people.ShouldBeEncryptedAsync(Person.Jon(), x => x.Ssn));
        await Assert.ThrowsAsync<EncryptionAssertionException>(() => _people.ShouldNotBeEncryptedAsync(Person.Jon(), x => x.Name));
        await Assert.ThrowsAsync<EncryptionAssertionException>(() => _people.ShouldBeEncryptedAsync(x => x.Ssn == 1, x => x.Ssn));
    }

    [Fact]
    public async Task A_class_without_an_id_is_found_by_a_condition()
    {
        var withoutId = _people.Database.GetCollection<BsonDocument>(_people.CollectionNamespace.CollectionName);

        var exception = await Assert.ThrowsAsync<ArgumentException>(() => withoutId.ShouldBeEncryptedAsync(new BsonDocument("Ssn", 1), x => x["Ssn"]));

        Assert.Contains("_id", exception.Message, StringComparison.Ordinal);
    }

    private static async Task<EncryptionAssertionFailure> Failure(Func<Task> assertion)
        => Assert.Single((await Assert.ThrowsAsync<EncryptionAssertionException>(assertion)).Failures);
}
