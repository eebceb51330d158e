using System.Security.Cryptography;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Documentation;

/// <summary>What docs/keys.md shows, compiled and run.</summary>
public sealed class KeysPageSnippets : IDisposable
{
    private readonly MongoServer _server = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-page-").FullName;

    [Fact]
    public async Task A_master_key_from_the_configuration()
    {
        var connectionString = _server.ConnectionString;
        var keyVault = _server.Namespace("__keyVault");
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Csfle:LocalMasterKey:Base64"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(96)) })
            .Build();
        var services = new ServiceCollection();

        services.AddCsfle(csfle => csfle
            .ConnectTo(connectionString)
            .UseKeyVault(keyVault)
            .UseLocalMasterKey(configuration, "Csfle:LocalMasterKey:Base64")
            .AddCollection<Patient>());

        await using var provider = services.BuildServiceProvider();
        await AssertWorks(provider.GetRequiredService<ICsfleClientFactory>());
    }

    [Fact]
    public async Task A_master_key_from_a_vault_product()
    {
        var secrets = new SecretStore();
        using var factory = Factory(csfle =>
        {
            csfle.UseLocalMasterKey(async cancellationToken =>
                LocalMasterKey.FromBase64(await secrets.GetAsync("csfle-master-key", cancellationToken)));
        });

        await AssertWorks(factory);
    }

    [Fact]
    public async Task Rotation_from_one_local_master_key_to_another()
    {
        var oldMasterKey = Path.Combine(_folder, "master-key.bin");
        var newMasterKey = Path.Combine(_folder, "master-key-2027.bin");
        var backup = Path.Combine(_folder, "key-vault-backup.json");
        LocalMasterKey.CreateFile(oldMasterKey);
        BsonBinaryData ciphertext;
        Guid keyId;
        using (var before = Factory(csfle => csfle.UseLocalMasterKey(oldMasterKey)))
        {
            keyId = await before.Keys.CreateDataKeyAsync("medco-patients");
            ciphertext = await before.Encryption.EncryptAsync("AB+", CsfleAlgorithm.Random, keyId);
        }

        LocalMasterKey.CreateFile(newMasterKey);
        using (var factory = Factory(csfle =>
        {
            csfle.UseLocalMasterKey(oldMasterKey)                       // KMS provider `local`
                .UseLocalMasterKey(newMasterKey, name: "y2027")         // KMS provider `local:y2027`
                .WrapNewDataKeysWith("local:y2027");
        }))
        {
            Assert.Equal("AB+", await factory.Encryption.DecryptAsync(ciphertext));
            await factory.Keys.CreateDataKeyAsync("medco-notes");

            var job = new RewrapJob(factory.Keys.Service, new RewrapJobOptions
            {
                BackupPath = backup,
                Target = new RewrapOptions { Provider = "local:y2027" },
            });
            var plan = await job.PlanAsync();      // tries everything, writes nothing
            var report = await job.RunAsync();     // backup, then the keys, then a check of every key

            Assert.Equal(keyId, Assert.Single(plan.ToRewrap).Id);
            Assert.Equal((1, 2), (report.Rewrapped, report.Checked));
        }

        using var after = Factory(csfle => csfle.UseLocalMasterKey(newMasterKey, name: "y2027"));
        Assert.Equal("AB+", await after.Encryption.DecryptAsync(ciphertext));
        Assert.Equal(keyId, await after.Keys.FindDataKeyAsync("medco-patients"));

        using var withoutIt = Factory(csfle => csfle.UseLocalMasterKey(oldMasterKey));
        var exception = await Assert.ThrowsAsync<DataKeyException>(() => withoutIt.Encryption.DecryptAsync(ciphertext));
        Assert.Equal(CsfleErrorCode.KmsNotConfigured, exception.Code);
    }

    [Fact]
    public async Task Explicit_encryption()
    {
        using var patients = new Patients();
        await patients.Factory.InitializeAsync();
        var factory = patients.Factory;
        var plain = patients.Receptionist;

        var ssn = await factory.Encryption.EncryptAsync(241014209, CsfleAlgorithm.Deterministic, "medco-patients");
        await plain.InsertOneAsync(new BsonDocument { { "name", "Jon Doe" }, { "ssn", ssn } });
        var found = await plain.Find(new BsonDocument("ssn", ssn)).SingleAsync();
        var value = await factory.Encryption.DecryptAsync(found["ssn"].AsBsonBinaryData);   // 241014209

        Assert.Equal(241014209, value);
    }

    [Fact]
    public async Task A_test_with_a_kms_that_fails()
    {
        using var kms = new FakeKeyManagementService("local:tenant1");
        using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [kms]);
        var engine = new CsfleEngine(vault, new CsfleEngineOptions());
        var keyId = vault.CreateDataKey("local:tenant1");

        kms.Next(FakeKmsAnswer.Outage).Next(FakeKmsAnswer.Refusal);
        var value = new BsonDocument("v", 1).ToBson();
        var exception = await Assert.ThrowsAsync<KmsException>(async () => await engine.EncryptAsync(value, CsfleAlgorithm.Random, keyId));

        Assert.Equal(KmsFailure.Refused, exception.Failure);
        Assert.Equal(2, kms.Unwraps);
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        _server.Dispose();
    }

    private static async Task AssertWorks(ICsfleClientFactory factory)
    {
        await factory.Keys.CreateDataKeyAsync("example");
        var ciphertext = await factory.Encryption.EncryptAsync(1, CsfleAlgorithm.Random, "example");
        Assert.Equal(1, factory.Encryption.Decrypt(ciphertext));
    }

    private CsfleClientFactory Factory(Action<CsfleBuilder> configure) => CsfleClientFactory.Create(csfle =>
    {
        csfle.ConnectTo(_server.ConnectionString).UseKeyVault(_server.Namespace("__keyVault"));
        configure(csfle);
    });

    /// <summary>Stands for the client of a vault product.</summary>
    private sealed class SecretStore
    {
        private readonly string _secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(96));

        public async Task<string> GetAsync(string name, CancellationToken cancellationToken)
        {
            await Task.Delay(1, cancellationToken);
            return name == "csfle-master-key" ? _secret : throw new ArgumentException("No such secret.", nameof(name));
        }
    }
}
