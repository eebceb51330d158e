using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Tests.DependencyInjection;

public sealed class CsfleOptionsValidatorTests
{
    [Fact]
    public void Everything_that_is_missing_is_reported_at_once_with_its_remedy()
    {
        var exception = Assert.Throws<CsfleConfigurationException>(() => CsfleClientFactory.Create(_ => { }));

        Assert.Equal(CsfleErrorCode.InvalidConfiguration, exception.Code);
        Assert.Equal(["ConnectTo", "UseKeyVault", "UseLocalMasterKey"], exception.Errors.Select(error => error.Option));
        Assert.All(exception.Errors, error => Assert.Contains(error.Remedy, exception.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("mongodb:/doctor:s3cr3t@localhost")]
    [InlineData("mongodb://doctor:s3cr3t@localhost:port")]
    [InlineData("http://doctor:s3cr3t@localhost")]
    [InlineData("mongodb://doctor:s3cr3t@@localhost/?unknown")]
    public void A_connection_string_that_is_none_is_refused_without_showing_its_password(string connectionString)
    {
        var exception = Assert.Throws<CsfleConfigurationException>(() => Create(csfle => csfle.ConnectTo(connectionString)));

        Assert.Equal("ConnectTo", Assert.Single(exception.Errors).Option);
        Assert.DoesNotContain("s3cr3t", exception.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("keyVault")]
    [InlineData(".keyVault")]
    [InlineData("encryption.")]
    [InlineData("")]
    public void A_key_vault_that_is_no_collection_is_refused(string ns) => AssertMistake("UseKeyVault", csfle => csfle.UseKeyVault(ns));

    [Theory]
    [InlineData("patients")]
    [InlineData("app.$patients")]
    public void A_namespace_that_is_none_is_refused(string ns) => AssertMistake("AddCollection<Patient>", csfle => csfle.AddCollection<Patient>(ns));

    [Fact]
    public void A_class_that_does_not_say_its_collection_is_refused() => AssertMistake("AddCollection<Insurance>", csfle => csfle.AddCollection<Insurance>());

    [Fact]
    public void A_collection_registered_twice_is_refused()
        => AssertMistake("AddCollection", csfle => csfle.AddCollection<Patient>().AddCollection("medicalRecords.patients", "{}"));

    [Fact]
    public void The_key_vault_as_an_encrypted_collection_is_refused()
        => AssertMistake("AddCollection", csfle => csfle.UseKeyVault("encryption.__keyVault").AddCollection("encryption.__keyVault", "{}"));

    [Theory]
    [InlineData("*")]
    [InlineData("app.log*")]
    [InlineData("app")]
    public void A_pattern_that_names_no_collections_is_refused(string pattern) => AssertMistake("AllowUnencrypted", csfle => csfle.AllowUnencrypted(pattern));

    [Fact]
    public void What_is_right_is_accepted()
        => Create(csfle => csfle.AddCollection<Patient>().AddCollection<Patient>("archive.patients").AllowUnencrypted("app.*", "log.lines")).Dispose();

    [Fact]
    public async Task Data_keys_can_be_managed_without_a_collection_but_nothing_starts()
    {
        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo("mongodb://localhost:27017")
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate()));

        Assert.Equal(factory.Keys.CreateDataKey("example"), factory.Keys.FindDataKey("example"));
        var exception = await Assert.ThrowsAsync<CsfleConfigurationException>(() => factory.InitializeAsync());
        Assert.Equal("AddCollection", Assert.Single(exception.Errors).Option);
    }

    private static void AssertMistake(string option, Func<CsfleBuilder, CsfleBuilder> configure)
    {
        var exception = Assert.Throws<CsfleConfigurationException>(() => Create(configure));

        Assert.Equal(option, Assert.Single(exception.Errors).Option);
    }

    private static CsfleClientFactory Create(Func<CsfleBuilder, CsfleBuilder> configure) => CsfleClientFactory.Create(csfle => configure(csfle
        .ConnectTo("mongodb://localhost:27017")
        .UseKeyVault(new InMemoryKeyVaultStore())
        .UseLocalMasterKey(LocalMasterKey.Generate())
        .AllowUnencrypted("other.*")));
}
