using System.Security.Cryptography;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Configuration;
using MongoDB.Bson;

namespace Medco.Csfle.Tests.Keys;

/// <summary>A local master key from anywhere, and several of them.</summary>
public sealed class MasterKeySourceTests : IDisposable
{
    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(LocalMasterKey.Length);
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly string _unique = $"MEDCO_TEST_{Guid.NewGuid():N}";
    private readonly BsonBinaryData _ciphertext;

    public MasterKeySourceTests()
    {
        using var masterKey = LocalMasterKey.FromBytes(_bytes);
        using var factory = Factory(csfle => csfle.UseLocalMasterKey(masterKey));
        factory.Keys.CreateDataKey("example");
        _ciphertext = factory.Encryption.Encrypt("AB+", CsfleAlgorithm.Random, "example");
    }

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    private string File => Path.Combine(Path.GetTempPath(), _unique);

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task It_is_read_from_a_file(bool isAsync)
    {
        await System.IO.File.WriteAllBytesAsync(File, _bytes);
        await AssertDecrypts(csfle => csfle.UseLocalMasterKey(File), isAsync);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task It_is_read_from_an_environment_variable(bool isAsync)
    {
        Environment.SetEnvironmentVariable(_unique, Convert.ToBase64String(_bytes));
        await AssertDecrypts(csfle => csfle.UseLocalMasterKeyFromEnvironment(_unique), isAsync);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task It_is_read_from_a_configuration_when_it_is_needed(bool isAsync)
    {
        var configuration = Configuration("Csfle:MasterKey", null);
        await AssertDecrypts(
            csfle =>
            {
                csfle.UseLocalMasterKey(configuration, "Csfle:MasterKey");
                configuration["Csfle:MasterKey"] = Convert.ToBase64String(_bytes);
            },
            isAsync);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task It_comes_from_a_function(bool isAsync)
        => await AssertDecrypts(csfle => csfle.UseLocalMasterKey(() => LocalMasterKey.FromBytes(_bytes)), isAsync);

    [Fact]
    public async Task It_comes_from_an_asynchronous_function()
        => await AssertDecrypts(csfle => csfle.UseLocalMasterKey(FetchAsync), isAsync: true);

    [Fact]
    public async Task A_sync_call_does_not_block_on_an_asynchronous_function_and_works_after_it_was_awaited()
    {
        using var factory = Factory(csfle => csfle.UseLocalMasterKey(FetchAsync).AllowUnencrypted("app.*"));

        var exception = Assert.Throws<CsfleConfigurationException>(() => factory.Encryption.Decrypt(_ciphertext));
        Assert.Equal(CsfleErrorCode.NotStarted, exception.Code);
        Assert.Throws<CsfleConfigurationException>(() => factory.Initialize());

        await factory.InitializeAsync();
        Assert.Equal("AB+", factory.Encryption.Decrypt(_ciphertext));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_function_that_fails_is_named_by_its_provider_without_its_message_and_asked_again(bool isAsync)
    {
        var calls = 0;
        using var factory = Factory(csfle => csfle.UseLocalMasterKey(() => ++calls == 1 ? throw new InvalidOperationException("s3cr3t") : LocalMasterKey.FromBytes(_bytes)));

        var exception = await Assert.ThrowsAsync<MasterKeyException>(() => Decrypt(factory, isAsync));

        Assert.Contains("KMS provider `local`", exception.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(InvalidOperationException), exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", exception.Message, StringComparison.Ordinal);
        Assert.Equal("AB+", await Decrypt(factory, isAsync));
    }

    [Fact]
    public async Task An_asynchronous_function_that_fails_is_named_too_and_one_that_is_cancelled_is_not_an_error_of_the_key()
    {
        using var failing = Factory(csfle => csfle.UseLocalMasterKey(_ => Task.FromException<LocalMasterKey>(new TaskCanceledException()), "tenant1"));
        using var waiting = Factory(csfle => csfle.UseLocalMasterKey(async cancellationToken =>
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return null!;
        }));
        using var cancellation = new CancellationTokenSource();
        var call = waiting.Encryption.DecryptAsync(_ciphertext, cancellation.Token);

        Assert.Contains("`local:tenant1`", (await Assert.ThrowsAsync<MasterKeyException>(() => failing.Encryption.DecryptAsync(_ciphertext))).Message, StringComparison.Ordinal);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task A_function_that_returns_nothing_is_an_error()
    {
        using var sync = Factory(csfle => csfle.UseLocalMasterKey(() => null!));
        using var asynchronous = Factory(csfle => csfle.UseLocalMasterKey(_ => Task.FromResult<LocalMasterKey>(null!)));

        Assert.Throws<MasterKeyException>(() => sync.Encryption.Decrypt(_ciphertext));
        await Assert.ThrowsAsync<MasterKeyException>(() => asynchronous.Encryption.DecryptAsync(_ciphertext));
    }

    [Fact]
    public void What_a_function_returns_is_disposed_and_what_was_given_is_not()
    {
        using var given = LocalMasterKey.FromBytes(_bytes);
        var returned = LocalMasterKey.FromBytes(_bytes);
        using (var factory = Factory(csfle => csfle.UseLocalMasterKey(given))) factory.Encryption.Decrypt(_ciphertext);
        using (var factory = Factory(csfle => csfle.UseLocalMasterKey(() => returned))) factory.Encryption.Decrypt(_ciphertext);

        using var service = new LocalKeyManagementService(given);
        Assert.Throws<ObjectDisposedException>(() => new LocalKeyManagementService(returned));
    }

    [Theory]
    [InlineData(null, "is not set")]
    [InlineData("", "is empty")]
    [InlineData("se-cr-et", "is not base64")]
    [InlineData("c2VjcmV0", "is base64 of 6 bytes, not of 96")]
    public void A_mistake_names_the_source_and_never_the_value(string? value, string problem)
    {
        using var factory = Factory(csfle => csfle.UseLocalMasterKey(Configuration("Csfle:MasterKey", value), "Csfle:MasterKey"));

        var exception = Assert.Throws<MasterKeyException>(() => factory.Encryption.Decrypt(_ciphertext));

        Assert.Contains($"configuration value 'Csfle:MasterKey' {problem}", exception.Message, StringComparison.Ordinal);
        if (!string.IsNullOrEmpty(value)) Assert.DoesNotContain(value, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_section_in_place_of_a_value_is_said_to_be_one()
    {
        using var factory = Factory(csfle => csfle.UseLocalMasterKey(Configuration("Csfle:MasterKey", "c2VjcmV0"), "Csfle"));

        Assert.Contains("section", Assert.Throws<MasterKeyException>(() => factory.Encryption.Decrypt(_ciphertext)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_variable_and_file_are_named_when_they_are_missing()
    {
        using var variable = Factory(csfle => csfle.UseLocalMasterKeyFromEnvironment(_unique));
        using var file = Factory(csfle => csfle.UseLocalMasterKey(File));

        Assert.Contains(_unique, Assert.Throws<MasterKeyException>(() => variable.Encryption.Decrypt(_ciphertext)).Message, StringComparison.Ordinal);
        Assert.Contains(File, Assert.Throws<MasterKeyException>(() => file.Encryption.Decrypt(_ciphertext)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_of_several_named_master_keys_unwraps_its_own_data_keys_and_the_chosen_one_wraps_new_ones()
    {
        using var first = LocalMasterKey.Generate();
        using var second = LocalMasterKey.Generate();
        using var factory = Factory(csfle => csfle.UseLocalMasterKey(first, "tenant1").UseLocalMasterKey(second, "tenant2").WrapNewDataKeysWith("local:tenant2"));
        var byDefault = factory.Keys.CreateDataKey("default");
        var byName = factory.Keys.Service.CreateDataKey("local:tenant1");

        Assert.Equal("local:tenant2", factory.Keys.Service.FindById(byDefault)!.Provider);
        Assert.Equal("local:tenant1", factory.Keys.Service.FindById(byName)!.Provider);
        foreach (var key in new[] { byDefault, byName })
        {
            Assert.Equal(1, factory.Encryption.Decrypt(factory.Encryption.Encrypt(1, CsfleAlgorithm.Random, key)));
        }

        using var other = Factory(csfle => csfle.UseLocalMasterKey(second, "tenant2"));
        Assert.Equal(CsfleErrorCode.KmsNotConfigured, Assert.Throws<DataKeyException>(() => other.Encryption.Encrypt(1, CsfleAlgorithm.Random, byName)).Code);
    }

    [Fact]
    public void Two_named_providers_do_not_mix_up_their_master_keys()
    {
        using var first = LocalMasterKey.Generate();
        using var second = LocalMasterKey.Generate();
        Guid key;
        using (var factory = Factory(csfle => csfle.UseLocalMasterKey(first, "a").UseLocalMasterKey(second, "b").WrapNewDataKeysWith("local:a"))) key = factory.Keys.CreateDataKey("k");

        using var swapped = Factory(csfle => csfle.UseLocalMasterKey(second, "a").UseLocalMasterKey(first, "b").WrapNewDataKeysWith("local:a"));

        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, Assert.Throws<DataKeyException>(() => swapped.Encryption.Encrypt(1, CsfleAlgorithm.Random, key)).Code);
    }

    [Fact]
    public void A_name_given_again_replaces_the_master_key()
    {
        using var masterKey = LocalMasterKey.FromBytes(_bytes);
        using var factory = Factory(csfle => csfle.UseLocalMasterKey(File).UseLocalMasterKey(masterKey));

        Assert.Equal("AB+", factory.Encryption.Decrypt(_ciphertext));
    }

    [Fact]
    public void Several_master_keys_need_a_choice_for_new_data_keys()
        => AssertMistake("WrapNewDataKeysWith", "`local:a`, `local:b`", csfle => csfle.UseLocalMasterKey(File, "a").UseLocalMasterKey(File, "b"));

    [Fact]
    public void The_chosen_provider_must_be_configured()
        => AssertMistake("WrapNewDataKeysWith", "`local:c`", csfle => csfle.UseLocalMasterKey(File, "a").WrapNewDataKeysWith("local:c"));

    [Theory]
    [InlineData("")]
    [InlineData("tenant 1")]
    [InlineData("a:b")]
    public void A_name_of_other_characters_is_refused(string name)
        => AssertMistake("UseLocalMasterKey", $"`local:{name}`", csfle => csfle.UseLocalMasterKey(File, name));

    public void Dispose()
    {
        System.IO.File.Delete(File);
        Environment.SetEnvironmentVariable(_unique, null);
    }

    private static void AssertMistake(string option, string quoted, Action<CsfleBuilder> configure)
    {
        var error = Assert.Single(Assert.Throws<CsfleConfigurationException>(() => CsfleClientFactory.Create(csfle =>
        {
            csfle.ConnectTo("mongodb://localhost:1").UseKeyVault(new InMemoryKeyVaultStore());
            configure(csfle);
        })).Errors);

        Assert.Equal(option, error.Option);
        Assert.Contains(quoted, error.Problem, StringComparison.Ordinal);
    }

    private static IConfiguration Configuration(string key, string? value)
        => new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [key] = value }).Build();

    private async Task<LocalMasterKey> FetchAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        return LocalMasterKey.FromBytes(_bytes);
    }

    private async Task AssertDecrypts(Action<CsfleBuilder> configure, bool isAsync)
    {
        using var factory = Factory(configure);
        Assert.Equal("AB+", await Decrypt(factory, isAsync));
    }

    private async Task<BsonValue> Decrypt(CsfleClientFactory factory, bool isAsync)
        => isAsync ? await factory.Encryption.DecryptAsync(_ciphertext) : factory.Encryption.Decrypt(_ciphertext);

    private CsfleClientFactory Factory(Action<CsfleBuilder> configure) => CsfleClientFactory.Create(csfle =>
    {
        csfle.ConnectTo("mongodb://localhost:1").UseKeyVault(_store);
        configure(csfle);
    });
}
