using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Cryptography;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>libmongocrypt and the managed engine in one process, on the same data.</summary>
public sealed class TwoEnginesTests : IDisposable
{
    private readonly TwoEngines _engines = new();

    [Fact]
    public async Task What_libmongocrypt_writes_the_managed_engine_reads()
    {
        await _engines.OfficialPatients.InsertOneAsync(JonDoe.Create());

        Assert.Equivalent(JonDoe.Create(), await _engines.ManagedPatients.Find(patient => patient.Ssn == 241014209).SingleAsync(), strict: true);
    }

    [Fact]
    public async Task What_the_managed_engine_writes_libmongocrypt_reads()
    {
        await _engines.ManagedPatients.InsertOneAsync(JonDoe.Create());

        Assert.Equivalent(JonDoe.Create(), await _engines.OfficialPatients.Find(patient => patient.Insurance.PolicyNumber == 123142).SingleAsync(), strict: true);
    }

    [Fact]
    public void The_synchronous_methods_do_the_same()
    {
        _engines.OfficialPatients.InsertOne(JonDoe.Create());
        _engines.ManagedPatients.InsertOne(JonDoe.Create());

        Assert.Equal(2, _engines.OfficialPatients.Find(patient => patient.Ssn == 241014209).ToList().Count);
        Assert.Equal(2, _engines.ManagedPatients.Find(patient => patient.Ssn == 241014209).ToList().Count);
    }

    [Fact]
    public async Task Deterministic_values_are_the_same_bytes_and_random_ones_are_not()
    {
        await _engines.OfficialPatients.InsertOneAsync(JonDoe.Create());
        await _engines.ManagedPatients.InsertOneAsync(JonDoe.Create());

        var stored = await _engines.Stored.Find(FilterDefinition<BsonDocument>.Empty).ToListAsync();

        Assert.Equal(2, stored.Count);
        Assert.Equal((BsonBinarySubType)6, stored[0]["ssn"].AsBsonBinaryData.SubType);
        Assert.Equal(stored[0]["ssn"], stored[1]["ssn"]);
        Assert.Equal(stored[0]["insurance"]["policyNumber"], stored[1]["insurance"]["policyNumber"]);
        Assert.NotEqual(stored[0]["bloodType"], stored[1]["bloodType"]);
        Assert.Equal(stored[0]["bloodType"].AsByteArray.Length, stored[1]["bloodType"].AsByteArray.Length);
        Assert.Equal("Jon Doe", stored[0]["name"]);
    }

    [Fact]
    public async Task Updates_and_deletes_work_across_the_engines()
    {
        await _engines.ManagedPatients.InsertOneAsync(JonDoe.Create());

        await _engines.OfficialPatients.UpdateOneAsync(patient => patient.Ssn == 241014209, Builders<Patient>.Update.Set(patient => patient.BloodType, "0-"));
        Assert.Equal("0-", (await _engines.ManagedPatients.Find(FilterDefinition<Patient>.Empty).SingleAsync()).BloodType);
        Assert.True((await _engines.Stored.Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["bloodType"].IsBsonBinaryData);

        await _engines.ManagedPatients.DeleteOneAsync(patient => patient.Ssn == 241014209);
        Assert.Empty(await _engines.OfficialPatients.Find(FilterDefinition<Patient>.Empty).ToListAsync());
    }

    [Fact]
    public async Task Libmongocrypt_is_the_engine_unless_the_managed_one_is_chosen()
    {
        using var byDefault = _engines.Factory.CreateEncryptedClient();
        using var otherFactory = _engines.NewFactory(configureFurther: (csfle, _) => csfle.UseEngine(CsfleEngineKind.Managed));
        using var chosen = otherFactory.CreateEncryptedClient();

        var official = await Assert.ThrowsAsync<QueryAnalysisException>(() => _engines.Patients<Patient>(byDefault).Find(patient => patient.BloodType == "AB+").ToListAsync());
        var managed = await Assert.ThrowsAsync<QueryAnalysisException>(() => _engines.Patients<Patient>(chosen).Find(patient => patient.BloodType == "AB+").ToListAsync());

        Assert.Equal(CsfleErrorCode.RefusedByMongocryptd, official.Code);
        Assert.Equal(CsfleErrorCode.UnsupportedQuery, managed.Code);
    }

    [Fact]
    public void A_command_that_query_analysis_refuses_is_the_same_kind_of_error_and_holds_no_command()
    {
        var exception = Assert.Throws<QueryAnalysisException>(() => _engines.OfficialPatients.Find(patient => patient.BloodType == "AB+ sentinel").ToList());

        Assert.Equal(CsfleErrorCode.RefusedByMongocryptd, exception.Code);
        Assert.Equal(_engines.Namespace.FullName, exception.Collection);
        Assert.Contains("bloodType", exception.Message, StringComparison.Ordinal);
        Assert.Null(exception.InnerException);
        Assert.DoesNotContain("sentinel", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_to_a_collection_that_nobody_registered_is_refused_here_too()
    {
        var other = _engines.Collection<Patient>(_engines.Official, "patient");

        var exception = await Assert.ThrowsAsync<QueryAnalysisException>(() => other.InsertOneAsync(JonDoe.Create()));
        Assert.Throws<QueryAnalysisException>(() => other.UpdateOne(FilterDefinition<Patient>.Empty, Builders<Patient>.Update.Set(patient => patient.Name, "x"), new UpdateOptions { IsUpsert = true }));
        Assert.Throws<QueryAnalysisException>(() => _engines.OfficialPatients.Aggregate().Match(FilterDefinition<Patient>.Empty).Out("copies"));

        Assert.Equal(CsfleErrorCode.UnregisteredNamespace, exception.Code);
        Assert.Empty(await _engines.Collection<BsonDocument>(_engines.Plain, "patient").Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
    }

    [Fact]
    public async Task What_may_be_written_in_clear_is_written_in_clear()
    {
        using var factory = _engines.NewFactory(configureFurther: (csfle, database) => csfle.AllowUnencrypted($"{database}.visits"));
        using var client = factory.CreateEncryptedClient();

        await _engines.Collection<BsonDocument>(client, "visits").InsertOneAsync(new BsonDocument("day", 1));

        Assert.Equal(1, (await _engines.Collection<BsonDocument>(_engines.Plain, "visits").Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["day"]);
    }

    [Fact]
    public async Task A_client_that_only_decrypts_reads_and_does_not_write_to_encrypted_collections()
    {
        await _engines.ManagedPatients.InsertOneAsync(JonDoe.Create());
        using var factory = _engines.NewFactory(options =>
        {
            options.MongocryptdUri = "mongodb://localhost:1";
            options.BypassAutoEncryption = true;
        });
        using var client = factory.CreateEncryptedClient();

        Assert.Equivalent(JonDoe.Create(), await _engines.Patients<Patient>(client).Find(FilterDefinition<Patient>.Empty).SingleAsync(), strict: true);
        var exception = await Assert.ThrowsAsync<QueryAnalysisException>(() => _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create()));
        Assert.Equal(CsfleErrorCode.UnregisteredNamespace, exception.Code);
    }

    [Fact]
    public async Task A_client_without_query_analysis_writes_what_the_application_encrypted_where_that_is_allowed()
    {
        using var factory = _engines.NewFactory(
            options =>
            {
                options.MongocryptdUri = "mongodb://localhost:1";
                options.BypassQueryAnalysis = true;
            },
            (csfle, database) => csfle.AllowUnencrypted($"{database}.patients"));
        using var client = factory.CreateEncryptedClient();
        await factory.InitializeAsync();
        var ssn = await factory.Encryption.EncryptAsync(241014209, CsfleAlgorithm.Deterministic, "medco-patients");

        await _engines.Patients<BsonDocument>(client).InsertOneAsync(new BsonDocument { { "name", "Jon Doe" }, { "ssn", ssn } });

        Assert.Equal(241014209, (await _engines.Patients<BsonDocument>(client).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"]);
        Assert.Equal(ssn, (await _engines.Stored.Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"]);
    }

    [Fact]
    public async Task The_error_of_a_server_is_not_decrypted()
    {
        await _engines.Stored.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>("{ ssn: 1 }", new CreateIndexOptions { Unique = true }));
        await _engines.OfficialPatients.InsertOneAsync(JonDoe.Create());

        var exception = await Assert.ThrowsAsync<MongoWriteException>(() => _engines.OfficialPatients.InsertOneAsync(JonDoe.Create()));

        Assert.Equal(ServerErrorCategory.DuplicateKey, exception.WriteError.Category);
        Assert.DoesNotContain("241014209", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_of_the_server_counts_where_it_is_asked_for()
    {
        using var factory = _engines.NewFactory(configureFurther: (csfle, _) => csfle.UseServerSchema());
        using var client = factory.CreateEncryptedClient();
        await factory.InitializeAsync();
        var schema = BsonDocument.Parse(factory.Schemas[_engines.Namespace.FullName].ToJson());
        await _engines.Plain.GetDatabase(_engines.Namespace.DatabaseNamespace.DatabaseName).CreateCollectionAsync(
            "archive", new CreateCollectionOptions<BsonDocument> { Validator = new BsonDocument("$jsonSchema", schema) });

        await _engines.Collection<Patient>(client, "archive").InsertOneAsync(JonDoe.Create());

        Assert.True((await _engines.Collection<BsonDocument>(_engines.Plain, "archive").Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"].IsBsonBinaryData);
        await Assert.ThrowsAsync<QueryAnalysisException>(() => _engines.Collection<Patient>(client, "other").InsertOneAsync(JonDoe.Create()));
    }

    [Fact]
    public async Task Many_threads_share_one_engine()
    {
        await Parallel.ForAsync(0, 40, async (number, cancellationToken) =>
        {
            var patient = JonDoe.Create();
            patient.Ssn = number;
            await (number % 2 == 0 ? _engines.OfficialPatients : _engines.ManagedPatients).InsertOneAsync(patient, null, cancellationToken);
        });

        for (var number = 0; number < 40; number++)
        {
            var ssn = number;
            Assert.Equal(1, await (number % 2 == 0 ? _engines.ManagedPatients : _engines.OfficialPatients).CountDocumentsAsync(patient => patient.Ssn == ssn));
        }
    }

    public void Dispose() => _engines.Dispose();
}
