using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.Tests.Kms;

public class LocalKeyManagementServiceTests
{
    private static readonly byte[] Local = ExtendedJson.ToBson("""{"provider": "local"}""");

    [Fact]
    public async Task Unwraps_what_it_wrapped_synchronously_and_asynchronously()
    {
        using var masterKey = LocalMasterKey.Generate();
        using var service = new LocalKeyManagementService(masterKey);
        var dataKey = RandomNumberGenerator.GetBytes(96);
        var wrapped = service.Wrap(Local, dataKey);
        Assert.Equal(160, wrapped.Length);
        Assert.NotEqual(wrapped, await service.WrapAsync(Local, dataKey));
        Assert.Equal(dataKey, service.Unwrap(Local, wrapped));
        Assert.Equal(dataKey, await service.UnwrapAsync(Local, wrapped));
    }

    [VectorFact]
    internal void Unwraps_the_official_data_keys()
    {
        using var masterKey = LocalMasterKey.FromBytes(new byte[96]);
        using var service = new LocalKeyManagementService(masterKey);
        var count = 0;
        foreach (var file in Directory.GetFiles(OfficialVectors.PathOf("libmongocrypt/keys"), "*-local-document.json"))
        {
            var document = DataKeyDocument.Parse(ExtendedJson.ToBson(File.ReadAllText(file)));
            var expected = Convert.FromHexString(File.ReadAllText(file.Replace("local-document.json", "key-material.txt", StringComparison.Ordinal)).Trim());
            Assert.Equal(expected, service.Unwrap(document.MasterKey, document.KeyMaterial));
            count++;
        }

        Assert.Equal(4, count);
    }

    [Fact]
    public void A_flipped_bit_anywhere_in_a_wrapped_key_does_not_unwrap()
    {
        using var masterKey = LocalMasterKey.Generate();
        using var service = new LocalKeyManagementService(masterKey);
        var wrapped = service.Wrap(Local, RandomNumberGenerator.GetBytes(96));
        for (var bit = 0; bit < wrapped.Length * 8; bit++)
        {
            wrapped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, Assert.Throws<DataKeyException>(() => service.Unwrap(Local, wrapped)).Code);
            wrapped[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        service.Unwrap(Local, wrapped);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(96)]
    [InlineData(144)]
    [InlineData(159)]
    [InlineData(176)]
    public void A_wrapped_key_of_another_length_does_not_unwrap(int length)
    {
        using var masterKey = LocalMasterKey.Generate();
        using var service = new LocalKeyManagementService(masterKey);
        var error = Assert.Throws<DataKeyException>(() => service.Unwrap(Local, new byte[length]));
        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, error.Code);
        Assert.Contains($"this one has {length}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"provider": "local:other"}""")]
    [InlineData("""{"provider": "aws", "region": "r", "key": "k"}""")]
    [InlineData("""{"provider": "local", "extra": 1}""")]
    [InlineData("""{}""")]
    public void Refuses_the_master_key_document_of_anything_else(string masterKeyDocument)
    {
        using var masterKey = LocalMasterKey.Generate();
        using var service = new LocalKeyManagementService(masterKey);
        var error = Assert.Throws<DataKeyException>(() => service.Wrap(ExtendedJson.ToBson(masterKeyDocument), new byte[96]));
        Assert.Equal(CsfleErrorCode.MalformedDataKey, error.Code);
    }

    [Fact]
    public void Has_a_name_where_it_is_given_one()
    {
        using var masterKey = LocalMasterKey.Generate();
        using var plain = new LocalKeyManagementService(masterKey);
        using var named = new LocalKeyManagementService(masterKey, "tenant_1");
        Assert.Equal("local", plain.Provider);
        Assert.Equal("local:tenant_1", named.Provider);
        foreach (var name in (string[])["", "a b", "a:b", "ä"])
        {
            Assert.Throws<ArgumentException>(() => new LocalKeyManagementService(masterKey, name));
        }
    }

    [Fact]
    public async Task Honours_cancellation_and_disposal()
    {
        using var masterKey = LocalMasterKey.Generate();
        var service = new LocalKeyManagementService(masterKey);
        var cancelled = new CancellationToken(true);
        Assert.ThrowsAny<OperationCanceledException>(() => service.Wrap(Local, new byte[96], cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => service.Unwrap(Local, new byte[160], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await service.WrapAsync(Local, new byte[96], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await service.UnwrapAsync(Local, new byte[160], cancelled));
        service.Dispose();
        Assert.Throws<ObjectDisposedException>(() => service.Wrap(Local, new byte[96]));
    }
}
