using System.Security.Cryptography;
using Medco.Csfle.TestServer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/getting-started.md shows of an application with a host, compiled and run. Its console program is <see cref="FirstProgramTests"/>.</summary>
public sealed class GettingStartedSnippets
{
    [Fact]
    public async Task A_host_with_a_doctor_and_a_receptionist()
    {
        using var server = InProcessMongoServer.Start();
        string[] args =
        [
            "--environment=Development", $"--Csfle:ConnectionString={server.ConnectionString}", "--Csfle:KeyVault=encryption.__keyVault",
            $"--Csfle:LocalMasterKey:Base64={Convert.ToBase64String(RandomNumberGenerator.GetBytes(96))}",
        ];

        var builder = Host.CreateApplicationBuilder(args);

        builder.Services.AddCsfle();                                              // the section "Csfle"
        builder.Services.AddCsfle(csfle => csfle.AddCollection<Patient>());       // the classes
        builder.Services.AddSingleton<PatientRecords>();
        builder.Services.AddSingleton<FrontDesk>();

        using var host = builder.Build();
        await host.StartAsync();
        var records = host.Services.GetRequiredService<PatientRecords>();
        await records.AddAsync(new Patient { Name = "Jon Doe", Ssn = 241014209, BloodType = "AB+" });

        var found = await records.FindAsync(241014209);
        var seen = await host.Services.GetRequiredService<FrontDesk>().FindAsync("Jon Doe");

        Assert.Equal("AB+", found.BloodType);
        Assert.Equal(["_id", "Name", "Ssn", "BloodType"], seen.Names);
        Assert.All(["Ssn", "BloodType"], name => Assert.Equal(BsonBinarySubType.Encrypted, seen[name].AsBsonBinaryData.SubType));
        await host.StopAsync();
    }

    [EncryptedCollection("medicalRecords.patients"), DataKey("medco-patients")]
    public class Patient
    {
        public ObjectId Id { get; set; }
        public string Name { get; set; } = "";
        [Deterministic] public int Ssn { get; set; }
        [Random] public string BloodType { get; set; } = "";
    }

    public sealed class PatientRecords([EncryptedClient] IMongoClient client)
    {
        private readonly IMongoCollection<Patient> _patients = client.GetDatabase("medicalRecords").GetCollection<Patient>("patients");

        public Task AddAsync(Patient patient) => _patients.InsertOneAsync(patient);

        public Task<Patient> FindAsync(int ssn) => _patients.Find(patient => patient.Ssn == ssn).SingleAsync();
    }

    public sealed class FrontDesk([UnencryptedClient] IMongoClient client)
    {
        private readonly IMongoCollection<BsonDocument> _patients = client.GetDatabase("medicalRecords").GetCollection<BsonDocument>("patients");

        public Task<BsonDocument> FindAsync(string name) => _patients.Find(new BsonDocument("Name", name)).SingleAsync();
    }
}
