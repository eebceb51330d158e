using MedcoMd.Model;
using Medco.Csfle.Engine;
using MongoDB.Bson;
using MongoDB.Bson.Serialization.Attributes;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Clients;

/// <summary>The whole way through MongoDB.Driver: what a doctor, a receptionist and the database see.</summary>
public sealed class EncryptedClientTests : IDisposable
{
    private readonly Patients _patients = new();

    public static TheoryData<string> Encrypted => ["ssn", "bloodType", "medicalRecords", "insurance.policyNumber"];

    [Theory]
    [MemberData(nameof(Encrypted))]
    public async Task What_is_marked_is_stored_as_ciphertext(string path)
    {
        await _patients.Doctor.InsertOneAsync(JonDoe.Create());

        var stored = await _patients.Receptionist.Find(FilterDefinition<BsonDocument>.Empty).SingleAsync();
        var value = path.Split('.').Aggregate((BsonValue)stored, (document, name) => document[name]);

        Assert.Equal(BsonType.Binary, value.BsonType);
        Assert.Equal((BsonBinarySubType)6, value.AsBsonBinaryData.SubType);
    }

    [Fact]
    public async Task What_is_not_marked_is_stored_in_clear()
    {
        await _patients.Doctor.InsertOneAsync(JonDoe.Create());

        var stored = await _patients.Receptionist.Find(new BsonDocument("last4ssn", 4209)).SingleAsync();

        Assert.Equal("Jon Doe", stored["name"]);
        Assert.Equal("MaestCare", stored["insurance"]["provider"]);
    }

    [Fact]
    public async Task A_doctor_finds_by_a_deterministic_field_and_reads_everything()
    {
        await _patients.Doctor.InsertManyAsync([JonDoe.Create(), new Patient { Name = "Jane", Ssn = 1 }]);

        var found = await _patients.Doctor.Find(patient => patient.Ssn == 241014209).SingleAsync();

        Assert.Equivalent(JonDoe.Create(), found, strict: true);
    }

    [Fact]
    public void The_synchronous_methods_do_the_same()
    {
        _patients.Doctor.InsertOne(JonDoe.Create());

        var found = _patients.Doctor.Find(Builders<Patient>.Filter.Eq(patient => patient.Insurance.PolicyNumber, 123142)).Single();

        Assert.Equivalent(JonDoe.Create(), found, strict: true);
        Assert.True(_patients.Receptionist.Find(FilterDefinition<BsonDocument>.Empty).Single()["ssn"].IsBsonBinaryData);
    }

    [Fact]
    public async Task A_query_on_a_random_field_is_refused_with_an_error_that_can_be_caught()
    {
        var exception = await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Doctor.Find(patient => patient.BloodType == "AB+").ToListAsync());

        Assert.Equal(CsfleErrorCode.UnsupportedQuery, exception.Code);
        Assert.Equal("bloodType", exception.Path);
        Assert.Equal(_patients.Namespace.FullName, exception.Collection);
    }

    [Fact]
    public void A_query_on_a_random_field_is_refused_synchronously_too()
        => Assert.Throws<QueryAnalysisException>(() => _patients.Doctor.Find(patient => patient.BloodType == "AB+").ToList());

    [Fact]
    public async Task A_receptionist_finds_nothing_by_an_encrypted_field()
    {
        await _patients.Doctor.InsertOneAsync(JonDoe.Create());

        Assert.Empty(await _patients.Receptionist.Find(new BsonDocument("ssn", 241014209)).ToListAsync());
    }

    [Fact]
    public async Task A_write_to_a_collection_that_nobody_registered_is_refused()
    {
        var exception = await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Other<Patient>("patiens").InsertOneAsync(JonDoe.Create()));

        Assert.Equal(CsfleErrorCode.UnregisteredNamespace, exception.Code);
    }

    [Fact]
    public async Task A_write_to_a_collection_that_was_allowed_goes_through_in_clear()
    {
        using var patients = new Patients((csfle, database) => csfle.AllowUnencrypted($"{database}.*"));

        await patients.Other<BsonDocument>("log").InsertOneAsync(new BsonDocument("line", 1));

        Assert.Equal(1, (await patients.OtherInClear("log").Find(new BsonDocument("line", 1)).SingleAsync())["line"]);
    }

    [Fact]
    public async Task A_null_at_an_encrypted_path_is_refused()
        => await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Doctor.InsertOneAsync(new Patient { Ssn = 1, BloodType = null! }));

    [Fact]
    public async Task A_bulk_that_is_refused_fails_with_the_same_error_and_writes_nothing()
    {
        await Assert.ThrowsAsync<QueryAnalysisException>(() => _patients.Doctor.InsertManyAsync([JonDoe.Create(), new Patient { Ssn = 1, BloodType = null! }]));

        Assert.Empty(await _patients.Receptionist.Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
    }

    [Fact]
    public async Task Derived_classes_that_the_class_map_knows_are_encrypted_and_come_back_as_what_they_were()
    {
        using var patients = new Patients((csfle, database) => csfle.AddCollection<Shape>($"{database}.shapes"));
        var shapes = patients.Other<Shape>("shapes");

        await shapes.InsertManyAsync([new Circle { Id = 1, Owner = "me", Secret = 7 }, new Square { Id = 2, Owner = "you" }]);

        var stored = await patients.OtherInClear("shapes").Find(new BsonDocument("_id", 1)).SingleAsync();
        Assert.True(stored["Secret"].IsBsonBinaryData && stored["Owner"].IsBsonBinaryData);
        Assert.Equal(7, Assert.IsType<Circle>(await shapes.Find(shape => shape.Owner == "me").SingleAsync()).Secret);
        Assert.IsType<Square>(await shapes.Find(shape => shape.Owner == "you").SingleAsync());
    }

    [Fact]
    public async Task Clients_derived_from_an_encrypted_one_encrypt_too()
    {
        var derived = _patients.Encrypted.WithReadPreference(ReadPreference.PrimaryPreferred).WithWriteConcern(WriteConcern.W1);

        await _patients.Collection<Patient>(derived).InsertOneAsync(JonDoe.Create());

        Assert.True((await _patients.Receptionist.Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"].IsBsonBinaryData);
        Assert.Equal("AB+", (await _patients.Collection<Patient>(derived).Find(patient => patient.Ssn == 241014209).SingleAsync()).BloodType);
    }

    [Fact]
    public async Task A_second_client_reads_what_the_first_wrote()
    {
        await _patients.Doctor.InsertOneAsync(JonDoe.Create());
        using var second = _patients.Factory.CreateEncryptedClient();

        Assert.Equal("AB+", (await _patients.Collection<Patient>(second).Find(patient => patient.Ssn == 241014209).SingleAsync()).BloodType);
    }

    [Fact]
    public async Task Disposing_one_client_leaves_the_others_working()
    {
        _patients.Factory.CreateEncryptedClient().Dispose();

        await _patients.Doctor.InsertOneAsync(JonDoe.Create());

        Assert.NotNull(await _patients.Doctor.Find(patient => patient.Ssn == 241014209).SingleOrDefaultAsync());
    }

    [Fact]
    public async Task A_client_refuses_to_work_when_its_factory_is_gone()
    {
        ((IDisposable)_patients.Factory).Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => _patients.Doctor.InsertOneAsync(JonDoe.Create()));
        Assert.Throws<ObjectDisposedException>(() => _patients.Factory.CreateEncryptedClient());
    }

    [Fact]
    public async Task The_start_up_needs_no_connection_of_the_client_that_waits_for_it()
    {
        using var patients = new Patients((csfle, _) => csfle.ConfigureClient(settings =>
        {
            settings.MaxConnectionPoolSize = 1;
            settings.WaitQueueTimeout = TimeSpan.FromSeconds(20);
        }));

        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => patients.Doctor.InsertOneAsync(new Patient { Ssn = number })));

        Assert.Equal(20, (await patients.Doctor.Find(FilterDefinition<Patient>.Empty).ToListAsync()).Select(patient => patient.Ssn).Distinct().Count());
    }

    public void Dispose() => _patients.Dispose();

    [BsonKnownTypes(typeof(Circle), typeof(Square)), DataKey("shapes")]
    private abstract class Shape
    {
        public int Id { get; set; }

        [Deterministic]
        public string Owner { get; set; } = "";
    }

    private sealed class Circle : Shape
    {
        [Random]
        public int Secret { get; set; }
    }

    private sealed class Square : Shape;
}
