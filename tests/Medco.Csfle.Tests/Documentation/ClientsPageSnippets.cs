using System.Security.Cryptography;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Driver;
using MongoDB.Driver.Linq;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/clients.md shows, compiled and run.</summary>
public sealed class ClientsPageSnippets
{
    [Fact]
    public async Task Three_forms_add_up_to_one_registration()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Csfle:KeyVault"] = "encryption.__keyVault",
            ["Clinic:ConnectionString"] = "mongodb://clinic.example",
            ["Clinic:LocalMasterKey:Base64"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(96)),
        }).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);

        services.AddCsfle();                                           // the section "Csfle" of the configuration in the container
        services.AddCsfle(configuration.GetSection("Clinic"));         // any other section
        services.AddCsfle(csfle => csfle.AddCollection<Patient>());    // code

        services.AddCsfle(csfle => csfle
            .ConfigureClient(settings =>
            {
                settings.ApplicationName = "records";
                settings.ServerSelectionTimeout = TimeSpan.FromSeconds(5);
            }));
        services.AddSingleton<Records>();
        await using var provider = services.BuildServiceProvider();

        var settings = provider.GetRequiredService<Records>().Encrypted.Settings;
        Assert.Equal(("clinic.example", "records"), (settings.Server.Host, settings.ApplicationName));
        Assert.Null(provider.GetRequiredService<Records>().Unencrypted.Settings.AutoEncryptionOptions);
    }

    [Fact]
    public async Task Reading_and_writing()
    {
        using var fixture = new Patients();
        var patients = fixture.Doctor;
        await patients.InsertOneAsync(JonDoe.Create());

        var byNumber = await patients.Find(p => p.Ssn == 241014209).ToListAsync();
        var names = await patients.AsQueryable().Where(p => p.Insurance.PolicyNumber == 123142).Select(p => p.Name).ToListAsync();
        var numbers = await (await patients.DistinctAsync(p => p.Ssn, p => p.Name == "Jon Doe")).ToListAsync();
        await patients.UpdateOneAsync(p => p.Ssn == 241014209, Builders<Patient>.Update.Set(p => p.BloodType, "0-"));

        Assert.Equal("AB+", Assert.Single(byNumber).BloodType);
        Assert.Equal(["Jon Doe"], names);
        Assert.Equal([241014209], numbers);
        Assert.Equal("0-", (await patients.Find(p => p.Ssn == 241014209).SingleAsync()).BloodType);
    }

    [Fact]
    public async Task What_is_refused_can_be_caught()
    {
        using var fixture = new Patients();
        var patients = fixture.Doctor;
        var told = "";

        try
        {
            await patients.Find(p => p.BloodType == "AB+").ToListAsync();
        }
        catch (QueryAnalysisException refused)
        {
            told = $"{refused.Code}: {refused.Path} of {refused.Collection}. {refused.Remedy}";
        }

        Assert.StartsWith($"CSFLE3003: bloodType of {fixture.Namespace}. ", told, StringComparison.Ordinal);
    }

    [ReplicaSetFact]
    public async Task A_transaction()
    {
        using var fixture = new Patients((_, _) => { }, asReplicaSet: true);
        var (client, patients) = (fixture.Encrypted, fixture.Doctor);

        using var session = await client.StartSessionAsync();
        await session.WithTransactionAsync(async (s, cancellationToken) =>
        {
            await patients.InsertOneAsync(s, JonDoe.Create(), cancellationToken: cancellationToken);
            await patients.UpdateOneAsync(s, p => p.Ssn == 241014209, Builders<Patient>.Update.Set(p => p.BloodType, "0-"), cancellationToken: cancellationToken);
            return true;
        });

        Assert.Equal("0-", (await patients.Find(p => p.Ssn == 241014209).SingleAsync()).BloodType);
    }

    [ReplicaSetFact]
    public async Task A_change_stream_of_a_plain_client_and_the_document_read_by_the_other()
    {
        using var fixture = new Patients((_, _) => { }, asReplicaSet: true);
        var (patients, inClear) = (fixture.Doctor, fixture.Receptionist);

        using var changes = await inClear.WatchAsync();
        await patients.InsertOneAsync(JonDoe.Create());
        while (!await changes.MoveNextAsync() || !changes.Current.Any()) { }

        var id = changes.Current.First().DocumentKey;
        var patient = await patients.Find(new BsonDocumentFilterDefinition<Patient>(id)).SingleAsync();

        Assert.Equal(241014209, patient.Ssn);
    }

    [Fact]
    public async Task Disposing_the_factory_ends_its_encrypted_clients()
    {
        using var fixture = new Patients();
        await fixture.Doctor.InsertOneAsync(JonDoe.Create());

        ((IDisposable)fixture.Factory).Dispose();

        await Assert.ThrowsAnyAsync<Exception>(() => fixture.Doctor.Find(p => p.Ssn == 241014209).ToListAsync());
    }

    public sealed class Records([EncryptedClient] IMongoClient encrypted, [UnencryptedClient] IMongoClient unencrypted)
    {
        public IMongoClient Encrypted => encrypted;

        public IMongoClient Unencrypted => unencrypted;
    }
}
