using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Moq;

namespace Medco.Csfle.Tests.DependencyInjection;

/// <summary>Several clusters in one application.</summary>
public sealed class NamedRegistrationTests : IDisposable
{
    private readonly InProcessMongoServer _hospital = InProcessMongoServer.Start();
    private readonly InProcessMongoServer _clinic = InProcessMongoServer.Start();

    [Fact]
    public async Task The_default_and_a_named_one_live_side_by_side_without_sharing_anything()
    {
        using var host = TestHost.Build(services => services.AddCsfle(Hospital).AddCsfle("clinic", Clinic).AddSingleton<Ward>());
        await host.StartAsync();
        var ward = host.Services.GetRequiredService<Ward>();

        await Patients(ward.Hospital).InsertOneAsync(new Patient { Ssn = 1 });
        await Patients(ward.Clinic).InsertOneAsync(new Patient { Ssn = 2 });

        Assert.Equal(1, (await Patients(ward.Hospital).Find(FilterDefinition<Patient>.Empty).SingleAsync()).Ssn);
        Assert.Equal(2, (await Patients(ward.Clinic).Find(FilterDefinition<Patient>.Empty).SingleAsync()).Ssn);
        Assert.True((await ward.ClinicInClear.GetDatabase("medicalRecords").GetCollection<BsonDocument>("patients").Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"].IsBsonBinaryData);
        Assert.NotSame(ward.ClinicFactory, host.Services.GetRequiredService<ICsfleClientFactory>());
        Assert.Same(ward.ClinicFactory.Keys, ward.ClinicKeys);
        Assert.Same(ward.ClinicFactory.Encryption, ward.ClinicEncryption);
        Assert.NotEqual(ward.ClinicKeys.FindDataKey("medco-patients"), host.Services.GetRequiredService<CsfleKeys>().FindDataKey("medco-patients"));

        ((IDisposable)ward.ClinicFactory).Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Patients(ward.Clinic).InsertOneAsync(new Patient { Ssn = 3 }));
        await Patients(ward.Hospital).InsertOneAsync(new Patient { Ssn = 3 });
        await host.StopAsync();
    }

    [Fact]
    public async Task A_named_one_starts_up_with_the_host_also_where_there_is_no_other()
    {
        using var host = TestHost.Build(services => services.AddCsfle("clinic", Clinic));

        await host.StartAsync();

        Assert.Equal(["medicalRecords.patients"], host.Services.GetRequiredKeyedService<ICsfleClientFactory>("clinic").Schemas.Keys);
        Assert.Null(host.Services.GetService<ICsfleClientFactory>());
        Assert.Null(host.Services.GetService<CsfleKeys>());
        Assert.Null(host.Services.GetKeyedService<ICsfleClientFactory>("Clinic"));
        await host.StopAsync();
    }

    [Fact]
    public async Task The_host_does_not_start_where_one_of_them_fails_and_the_log_says_which()
    {
        var logger = new Mock<ILogger>();
        logger.Setup(each => each.IsEnabled(It.IsAny<LogLevel>())).Returns(true);
        var logging = new Mock<ILoggerProvider>();
        logging.Setup(each => each.CreateLogger(It.IsAny<string>())).Returns(logger.Object);
        using var host = TestHost.Build(services => services
            .AddLogging(builder => builder.AddProvider(logging.Object))
            .AddCsfle(Hospital)
            .AddCsfle("clinic", Clinic)
            .AddCsfle("clinic", csfle => csfle.CreateMissingDataKeys(false)));

        await Assert.ThrowsAsync<DataKeyException>(() => host.StartAsync());

        var failures = logger.Invocations.Where(call => call.Method.Name == nameof(ILogger.Log) && ((EventId)call.Arguments[1]).Id == 6010);
        Assert.Contains("\"clinic\"", Assert.Single(failures).Arguments[2].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_callback_that_decides_about_encryption_is_refused_under_the_name_of_its_registration()
    {
        using var host = TestHost.Build(services => services.AddCsfle("clinic", Clinic).AddCsfle("clinic", csfle => csfle.ConfigureClient(settings => settings.AutoEncryptionOptions
            = new(CollectionNamespace.FromFullName("a.b"), new Dictionary<string, IReadOnlyDictionary<string, object>>()))));

        var exception = Assert.Throws<CsfleConfigurationException>(() => host.Services.GetRequiredKeyedService<IMongoClient>(CsfleClients.UnencryptedOf("clinic")));
        Assert.Equal(("clinic", "ConfigureClient"), (Assert.Single(exception.Errors).Registration, exception.Errors[0].Option));
    }

    [Fact]
    public async Task Mistakes_in_all_registrations_are_reported_at_once_before_anything_is_asked()
    {
        using var host = TestHost.Build(services => services
            .AddCsfle(csfle => Hospital(csfle.AllowUnencrypted("*")))
            .AddCsfle("right", Clinic)
            .AddCsfle("clinic", csfle => Clinic(csfle.AllowUnencrypted("?")))
            .AddCsfle("archive"),
            ("Csfle:Named:archive:ConnectionString", "mongodb://localhost:1"), ("Csfle:Named:archive:KeyVualt", "x"));

        var exception = await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync());

        Assert.Equal(
            [(null, "AllowUnencrypted"), ("archive", "Csfle:Named:archive:KeyVault"), ("archive", "Csfle:Named:archive:KeyVualt"), ("archive", "Csfle:Named:archive:LocalMasterKey"), ("clinic", "AllowUnencrypted")],
            exception.Errors.Select(error => (error.Registration, error.Option)).OrderBy(error => error.Registration, StringComparer.Ordinal).ThenBy(error => error.Option, StringComparer.Ordinal));
        Assert.Contains("AddCsfle(\"clinic\"), AllowUnencrypted:", exception.Message, StringComparison.Ordinal);
        Assert.Empty(_hospital.Commands);
        Assert.Empty(_clinic.Commands);
    }

    [Fact]
    public async Task A_named_one_has_a_section_of_its_own()
    {
        using var host = TestHost.Build(
            services => services.AddCsfle().AddCsfle(csfle => csfle.AddCollection<Patient>().CreateMissingDataKeys())
                .AddCsfle("clinic").AddCsfle("clinic", csfle => csfle.AddCollection<Patient>("clinic.patients")),
            ("Csfle:ConnectionString", _hospital.ConnectionString), ("Csfle:KeyVault", "encryption.keys"), ("Csfle:LocalMasterKey:Base64", TestHost.MasterKey),
            ("Csfle:Named:Clinic:ConnectionString", _clinic.ConnectionString), ("Csfle:Named:Clinic:KeyVault", "encryption.keys"),
            ("Csfle:Named:Clinic:LocalMasterKey:Base64", TestHost.MasterKey), ("Csfle:Named:Clinic:CreateMissingDataKeys", "true"));
        await host.StartAsync();

        Assert.Equal(["medicalRecords.patients"], host.Services.GetRequiredService<ICsfleClientFactory>().Schemas.Keys);
        Assert.Equal(["clinic.patients"], host.Services.GetRequiredKeyedService<ICsfleClientFactory>("clinic").Schemas.Keys);
        Assert.Contains(_clinic.Commands, command => command.Name == "insert");
        await host.StopAsync();
    }

    [Fact]
    public async Task A_named_one_whose_section_is_not_there_is_an_error()
    {
        using var host = TestHost.Build(services => services.AddCsfle("clinic").AddCsfle("clinic", Clinic), ("Csfle:Named:clinik:KeyVault", "a.b"));

        Assert.Equal("Csfle:Named:clinic", Assert.Single((await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync())).Errors).Option);
    }

    [Fact]
    public void A_registration_that_is_named_cannot_hold_others()
    {
        using var host = TestHost.Build(services => services.AddCsfle("clinic").AddCsfle("clinic", Clinic), ("Csfle:Named:clinic:Named:other:KeyVault", "a.b"));

        var exception = Assert.Throws<CsfleConfigurationException>(() => host.Services.GetRequiredKeyedService<ICsfleClientFactory>("clinic"));
        Assert.Equal("Csfle:Named:clinic:Named", Assert.Single(exception.Errors).Option);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void A_name_is_not_empty(string name)
        => Assert.Throws<ArgumentException>(() => new ServiceCollection().AddCsfle(name, _ => { }));

    public void Dispose()
    {
        _hospital.Dispose();
        _clinic.Dispose();
    }

    private static IMongoCollection<Patient> Patients(IMongoClient client) => client.GetDatabase("medicalRecords").GetCollection<Patient>("patients");

    private void Hospital(CsfleBuilder csfle) => Set(csfle, _hospital);

    private void Clinic(CsfleBuilder csfle) => Set(csfle, _clinic);

    private static void Set(CsfleBuilder csfle, InProcessMongoServer server) => csfle
        .ConnectTo(server.ConnectionString)
        .UseKeyVault("encryption.__keyVault")
        .UseLocalMasterKey(LocalMasterKey.Generate())
        .AddCollection<Patient>()
        .CreateMissingDataKeys();

    private sealed class Ward(
        [FromKeyedServices(CsfleClients.Encrypted)] IMongoClient hospital,
        [EncryptedClient("clinic")] IMongoClient clinic,
        [UnencryptedClient("clinic")] IMongoClient clinicInClear,
        [FromKeyedServices("clinic")] ICsfleClientFactory clinicFactory,
        [FromKeyedServices("clinic")] CsfleKeys clinicKeys,
        [FromKeyedServices("clinic")] CsfleEncryption clinicEncryption)
    {
        public IMongoClient Hospital => hospital;

        public IMongoClient Clinic => clinic;

        public IMongoClient ClinicInClear => clinicInClear;

        public ICsfleClientFactory ClinicFactory => clinicFactory;

        public CsfleKeys ClinicKeys => clinicKeys;

        public CsfleEncryption ClinicEncryption => clinicEncryption;
    }
}
