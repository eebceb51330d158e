using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Testing.Tests;

public sealed class InMemoryKeyVaultTests
{
    [Fact]
    public void Its_keys_encrypt_and_decrypt_by_id_and_by_name()
    {
        using var keys = new InMemoryKeyVault("patients", "notes");
        var engine = new CsfleEngine(keys.Service, new CsfleEngineOptions());
        var value = ExtendedJson.ToBson("""{"v": "AB+"}""");

        var byName = engine.Encrypt(value, CsfleAlgorithm.Deterministic, "patients");

        Assert.Equal(byName, engine.Encrypt(value, CsfleAlgorithm.Deterministic, keys.KeyIds["patients"]));
        Assert.NotEqual(byName, engine.Encrypt(value, CsfleAlgorithm.Deterministic, "notes"));
        Assert.Equal(value, engine.Decrypt(byName));
    }

    [Fact]
    public void Another_service_over_its_store_and_master_key_reads_the_same_keys()
    {
        using var keys = new InMemoryKeyVault("patients");
        var value = ExtendedJson.ToBson("""{"v": 1}""");
        var encrypted = new CsfleEngine(keys.Service, new CsfleEngineOptions()).Encrypt(value, CsfleAlgorithm.Random, "patients");

        using var other = new KeyVaultService(keys.Store, [new LocalKeyManagementService(keys.MasterKey)]);

        Assert.Equal(value, new CsfleEngine(other, new CsfleEngineOptions()).Decrypt(encrypted));
    }
}
