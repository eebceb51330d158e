using MedcoMd.Model;
using Medco.Csfle.Engine.Kms;
using MongoDB.Driver;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>What the engine opens is closed with its factory, and with nothing else.</summary>
public sealed class LifetimeTests : IDisposable
{
    private readonly TwoEngines _engines = new();

    [Fact]
    public async Task The_factory_closes_the_engine_and_the_clients_refuse_to_work()
    {
        await _engines.OfficialPatients.InsertOneAsync(JonDoe.Create());
        Assert.NotEqual(0, _engines.Mongocryptd.ConnectionCount);

        _engines.Factory.Dispose();

        Assert.True(SpinWait.SpinUntil(() => _engines.Mongocryptd.ConnectionCount == 0, TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _engines.OfficialPatients.InsertOneAsync(JonDoe.Create()));
    }

    [Fact]
    public async Task A_client_that_is_disposed_leaves_the_engine_to_the_others()
    {
        using (var client = _engines.Factory.CreateEncryptedClient())
        {
            await _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create());
        }

        Assert.Single(await _engines.OfficialPatients.Find(patient => patient.Ssn == 241014209).ToListAsync());
    }

    [Fact]
    public async Task A_factory_that_is_disposed_leaves_connections_to_the_others_and_to_plain_clients()
    {
        using (var other = _engines.NewFactory())
        using (var client = other.CreateEncryptedClient())
        {
            await _engines.OfficialPatients.InsertOneAsync(JonDoe.Create());
            await _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create());
        }

        Assert.Equal(2, (await _engines.OfficialPatients.Find(patient => patient.Ssn == 241014209).ToListAsync()).Count);
        Assert.Equal(2, await _engines.Stored.CountDocumentsAsync(FilterDefinition<MongoDB.Bson.BsonDocument>.Empty));
    }

    [Fact]
    public async Task A_client_derived_from_another_one_encrypts_too()
    {
        var derived = _engines.Official.WithWriteConcern(WriteConcern.W1);

        await _engines.Patients<Patient>(derived).InsertOneAsync(JonDoe.Create());

        Assert.Single(await _engines.ManagedPatients.Find(patient => patient.Ssn == 241014209).ToListAsync());
    }

    [Fact]
    public void The_settings_of_a_client_show_no_secret()
    {
        var key = Enumerable.Range(0, LocalMasterKey.Length).Select(index => (byte)(255 - index)).ToArray();
        using var masterKey = LocalMasterKey.FromBytes(key);
        using var factory = _engines.NewFactory(configureFurther: (csfle, database) => csfle.UseKeyVault($"{database}.__other").UseLocalMasterKey(masterKey));
        factory.Initialize();
        using var client = factory.CreateEncryptedClient();

        var shown = client.Settings.ToString() + client.Settings.AutoEncryptionOptions + client.Cluster.Settings;

        Assert.Contains("KmsProviders : { }", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(key), shown, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(key), shown, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_master_key_with_a_name_is_handed_on_under_it()
    {
        using var masterKey = LocalMasterKey.Generate();
        using var factory = _engines.NewFactory(configureFurther: (csfle, database) => csfle
            .UseKeyVault($"{database}.__named")
            .UseLocalMasterKey(masterKey, "tenant1")
            .WrapNewDataKeysWith("local:tenant1"));
        using var official = factory.CreateEncryptedClient();
        using var managed = factory.CreateEncryptedClient(CsfleEngineKind.Managed);

        await _engines.Patients<Patient>(official).InsertOneAsync(JonDoe.Create());

        Assert.Single(await _engines.Patients<Patient>(managed).Find(patient => patient.Ssn == 241014209).ToListAsync());
    }

    public void Dispose() => _engines.Dispose();
}
