using Medco.Csfle.Engine.Cryptography;
using MongoDB.Bson;

namespace Medco.Csfle.Testing.Tests;

public sealed class EncryptionAssertionsTests : IDisposable
{
    private readonly CsfleClientFactory _csfle = CsfleTestFactory.Create(csfle => csfle.AddCollection<Person>());

    public void Dispose() => _csfle.Dispose();

    [Fact]
    public void Encrypted_members_pass_by_path_by_expression_and_as_bytes()
    {
        var stored = _csfle.EncryptDocument(Person.Jon());

        stored.ShouldBeEncrypted<Person>(x => x.Ssn, x => x.BloodType, x => x.Insurance.PolicyNumber);
        stored.ShouldBeEncrypted("Insurance.PolicyNumber");
        EncryptionAssertions.ShouldBeEncrypted(stored.ToBson(), "Ssn");
    }

    [Fact]
    public void Algorithm_type_and_data_key_are_compared_where_they_are_expected()
    {
        var stored = _csfle.EncryptDocument(Person.Jon());
        var keyId = _csfle.Keys.GetOrCreateDataKey("clinic-people");

        stored.ShouldBeEncrypted<Person>(x => x.Ssn, new EncryptionExpectation { Algorithm = CsfleAlgorithm.Deterministic, Type = BsonType.Int32, KeyId = keyId });

        Assert.StartsWith("ciphertext (Deterministic, int, data key", Failure(() => stored.ShouldBeEncrypted("Ssn", new() { Algorithm = CsfleAlgorithm.Random })).Found, StringComparison.Ordinal);
        Failure(() => stored.ShouldBeEncrypted("Ssn", new() { Type = BsonType.String }));
        Failure(() => stored.ShouldBeEncrypted<Person>(x => x.Ssn, new EncryptionExpectation { KeyId = Guid.NewGuid() }));
    }

    [Theory]
    [InlineData("Name", "string, in clear")]
    [InlineData("nobody", "not there")]
    [InlineData("Name.First", "not there: 'Name' is string, in clear")]
    [InlineData("Nothing", "null, in clear")]
    [InlineData("Guid", "binary data of subtype 4, in clear")]
    [InlineData("Broken", "binary data of subtype 6 that is no ciphertext")]
    [InlineData("BloodType.Rhesus", "inside of 'BloodType', which is encrypted as a whole")]
    public void What_is_not_ciphertext_fails_with_what_it_is(string path, string found)
    {
        var stored = _csfle.EncryptDocument(Person.Jon());
        stored["Nothing"] = BsonNull.Value;
        stored["Guid"] = new BsonBinaryData(Guid.NewGuid(), GuidRepresentation.Standard);
        stored["Broken"] = new BsonBinaryData([1, 2, 3], BsonBinarySubType.Encrypted);

        var failure = Failure(() => stored.ShouldBeEncrypted(path));

        Assert.Equal((path, "ciphertext", found), (failure.Path, failure.Expected, failure.Found));
    }

    [Fact]
    public void Every_field_that_fails_is_told_and_no_value()
    {
        var document = Person.Jon().ToBsonDocument();

        var exception = Assert.Throws<EncryptionAssertionException>(() => document.ShouldBeEncrypted<Person>(x => x.Ssn, x => x.Insurance.PolicyNumber));

        Assert.Equal(["Ssn", "Insurance.PolicyNumber"], exception.Failures.Select(failure => failure.Path));
        Assert.Equal("'Ssn' should be ciphertext, but is int, in clear.", exception.Message.Split(Environment.NewLine)[0]);
        Assert.DoesNotContain("241014209", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_should_be_in_clear_must_be_there_in_clear()
    {
        var stored = _csfle.EncryptDocument(Person.Jon());

        stored.ShouldNotBeEncrypted<Person>(x => x.Name, x => x.Insurance.Provider);
        EncryptionAssertions.ShouldNotBeEncrypted(stored.ToBson(), "Name");

        Failure(() => stored.ShouldNotBeEncrypted<Person>(x => x.Ssn));
        Failure(() => stored.ShouldNotBeEncrypted("nobody"));
        Failure(() => stored.ShouldNotBeEncrypted("BloodType.Rhesus"));
    }

    [Fact]
    public void Naming_no_field_is_an_error()
        => Assert.Throws<ArgumentException>(() => _csfle.EncryptDocument(Person.Jon()).ShouldBeEncrypted<Person>());

    private static EncryptionAssertionFailure Failure(Action assertion)
        => Assert.Single(Assert.Throws<EncryptionAssertionException>(assertion).Failures);
}
