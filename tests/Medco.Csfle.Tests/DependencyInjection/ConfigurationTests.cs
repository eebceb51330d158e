using MedcoMd.Model;
using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Operations.Enforcement;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.DependencyInjection;

public sealed class ConfigurationTests : IDisposable
{
    private const string Secret = "s3cr3t";

    private readonly MongoServer _server = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("csfle").FullName;

    public static TheoryData<string, string, string> UnknownKeys => new()
    {
        { "Csfle:ConectionString", "mongodb://localhost", "ConnectionString" },
        { "Csfle:AllowUnencryptd:0", "app.*", "AllowUnencrypted" },
        { "Csfle:UseServerSchemas", "true", "UseServerSchema" },
        { "Csfle:CreateMissingKeys", "false", "CreateMissingDataKeys" },
        { "Csfle:LocalMasterKeyFile", "key", "LocalMasterKey" },
        { "Csfle:LocalMasterKey:Path", "key", "File" },
        { "Csfle:LocalMasterKeys:one:Base65", "key", "Base64" },
        { "Csfle:Collections:app.people:SchemaFiel", "x.json", "SchemaFile" },
        { "Csfle:KmsResilience:MaxAttempt", "4", "MaxAttempts" },
        { "Csfle:EnforceOnServer:AtStart", "Verify", "AtStartup" },
        { "Csfle:UseCanaries", "true", "UseCanary" },
    };

    public static TheoryData<string, string> WrongValues => new()
    {
        { "Csfle:ConnectionString:Value", Secret },
        { "Csfle:ConnectionString", "" },
        { "Csfle:KeyVault:Name", Secret },
        { "Csfle:LocalMasterKey", Secret },
        { "Csfle:LocalMasterKey:File:Path", Secret },
        { "Csfle:LocalMasterKeys", Secret },
        { "Csfle:LocalMasterKeys:one", Secret },
        { "Csfle:CreateMissingDataKeys", Secret },
        { "Csfle:UseServerSchema", "1" },
        { "Csfle:UseServerSchema:Value", "true" },
        { "Csfle:DataKeyCacheLifetime", "30" },
        { "Csfle:DataKeyCacheLifetime", Secret },
        { "Csfle:KmsResilience", Secret },
        { "Csfle:KmsResilience:TimeLimit", "30" },
        { "Csfle:KmsResilience:MaxAttempts", "four" },
        { "Csfle:KmsResilience:MaxAttempts", "-1" },
        { "Csfle:Collections", Secret },
        { "Csfle:Collections:app.people", Secret },
        { "Csfle:Collections:app.people:Schema:bsonType", Secret },
        { "Csfle:AllowUnencrypted", Secret },
        { "Csfle:EnforceOnServer", Secret },
        { "Csfle:EnforceOnServer:AtStartup", Secret },
        { "Csfle:EnforceOnServer:AtStartup", "1" },
        { "Csfle:UseCanary", Secret },
        { "Csfle:UseEngine", Secret },
    };

    public static TheoryData<string, string> ImpossibleValues => new()
    {
        { "Csfle:ConnectionString", $"mongodb://doctor:{Secret}@@localhost" },
        { "Csfle:KeyVault", "keyVault" },
        { "Csfle:WrapNewDataKeysWith", "local:other" },
        { "Csfle:DataKeyCacheLifetime", "-00:00:01" },
        { "Csfle:KmsResilience:TimeLimit", "00:00:00" },
        { "Csfle:KmsResilience:AttemptTimeLimit", "-00:00:01" },
        { "Csfle:KmsResilience:MaxAttempts", "0" },
        { "Csfle:KmsResilience:FirstPause", "-00:00:01" },
        { "Csfle:KmsResilience:LongestPause", "2.00:00:00" },
        { "Csfle:AllowUnencrypted:1", "app.log*" },
        { "Csfle:Collections:people", "" },
    };

    [Fact]
    public void Enforcement_canary_and_engine_are_taken_from_the_section()
    {
        var options = Read(("Csfle:EnforceOnServer:AtStartup", "verify"), ("Csfle:EnforceOnServer:ExistingRules", "Discard"), ("Csfle:UseCanary", "true"), ("Csfle:UseEngine", "Managed"));

        Assert.Empty(options.ConfigurationErrors);
        Assert.Equal((EnforcementAtStartup.Verify, ExistingRules.Discard), (options.Enforcement!.AtStartup, options.Enforcement.ExistingRules));
        Assert.Equal(".csfle_canary", options.CanarySuffix);
        Assert.Equal(CsfleEngineKind.Managed, options.DefaultEngine);
        Assert.Null(Read(("Csfle:UseCanary", "false")).CanarySuffix);
        Assert.Null(Read(("Csfle:UseCanary", "false")).Enforcement);
    }

    [Fact]
    public async Task A_host_that_is_configured_alone_encrypts()
    {
        var people = _server.Namespace("people");
        var vault = _server.Namespace("keyVault");
        (string, string?)[] configuration =
        [
            ("Csfle:ConnectionString", _server.ConnectionString),
            ("Csfle:KeyVault", vault),
            ("Csfle:LocalMasterKey:Base64", TestHost.MasterKey),
            ("Csfle:AllowUnencrypted:0", _server.Namespace("logs")),
        ];
        Guid keyId;
        using (var keys = TestHost.Build(services => services.AddCsfle(), configuration)) keyId = keys.Services.GetRequiredService<CsfleKeys>().CreateDataKey("people");
        File.WriteAllText(Path.Combine(_folder, "people.json"), Schema(keyId));

        using var host = TestHost.Build(services => services.AddCsfle(), "Production", _folder,
            [.. configuration, ($"Csfle:Collections:{people}:SchemaFile", "people.json"), ($"Csfle:Collections:{_server.Namespace("inline")}:Schema", Schema(keyId))]);
        await host.StartAsync();
        foreach (var name in (string[])["people", "inline"])
        {
            await Collection(host, CsfleClients.Encrypted, name).InsertOneAsync(new BsonDocument("ssn", "123-45-6789"));

            Assert.True((await Collection(host, CsfleClients.Unencrypted, name).Find(FilterDefinition<BsonDocument>.Empty).SingleAsync())["ssn"].IsBsonBinaryData);
            Assert.Single(await Collection(host, CsfleClients.Encrypted, name).Find(new BsonDocument("ssn", "123-45-6789")).ToListAsync());
        }

        await Collection(host, CsfleClients.Encrypted, "logs").InsertOneAsync(new BsonDocument("line", 1));
        await host.StopAsync();
    }

    [Fact]
    public void Everything_that_can_be_said_is_taken_over()
    {
        var options = Options(
            ("Csfle:CreateMissingDataKeys", "false"),
            ("Csfle:UseServerSchema", "True"),
            ("Csfle:DataKeyCacheLifetime", "00:05:00"),
            ("Csfle:KmsResilience:TimeLimit", "00:01:00"),
            ("Csfle:KmsResilience:AttemptTimeLimit", "00:00:05.5"),
            ("Csfle:KmsResilience:MaxAttempts", "2"),
            ("Csfle:KmsResilience:FirstPause", "00:00:01"),
            ("Csfle:KmsResilience:LongestPause", "00:00:02"),
            ("Csfle:LocalMasterKeys:tenant1:File", "/keys/tenant1"),
            ("Csfle:LocalMasterKeys:tenant2:EnvironmentVariable", "TENANT2"),
            ("Csfle:WrapNewDataKeysWith", "local:tenant2"),
            ("Csfle:AllowUnencrypted:0", "app.logs"),
            ("Csfle:AllowUnencrypted:1", "audit.*"),
            ("Csfle:Named:other:NotOurBusiness", "x"));

        Assert.Empty(CsfleOptionsValidator.Check(options));
        Assert.Equal((false, true), (options.CreateMissingDataKeys, options.UseServerSchema));
        var settings = options.ToKeyVaultOptions(NullLoggerFactory.Instance);
        Assert.Equal(TimeSpan.FromMinutes(5), settings.CacheExpiration);
        Assert.Equal(
            (TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5.5), 2, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)),
            (settings.KmsResilience!.TimeLimit, settings.KmsResilience.AttemptTimeLimit, settings.KmsResilience.MaxAttempts, settings.KmsResilience.FirstPause, settings.KmsResilience.LongestPause));
        Assert.Equal(["local", "local:tenant1", "local:tenant2"], options.KmsProviders.Select(each => each.Provider).Order());
        Assert.Equal("local:tenant2", options.NewDataKeysProvider);
        Assert.Equal(["app.logs", "audit.*"], options.AllowUnencrypted);
    }

    [Fact]
    public void What_is_not_said_stays_as_it_is_unless_told()
    {
        var settings = Options().ToKeyVaultOptions(NullLoggerFactory.Instance);
        var defaults = new KmsResilienceOptions();

        Assert.Equal(new KeyVaultOptions().CacheExpiration, settings.CacheExpiration);
        Assert.Equal(
            (defaults.TimeLimit, defaults.AttemptTimeLimit, defaults.MaxAttempts, defaults.FirstPause, defaults.LongestPause),
            (settings.KmsResilience!.TimeLimit, settings.KmsResilience.AttemptTimeLimit, settings.KmsResilience.MaxAttempts, settings.KmsResilience.FirstPause, settings.KmsResilience.LongestPause));
    }

    [Theory]
    [MemberData(nameof(UnknownKeys))]
    public void A_key_that_nobody_knows_is_an_error_with_its_path_and_the_nearest_one(string key, string value, string nearest)
    {
        var error = Assert.Single(CsfleOptionsValidator.Check(Options((key, value))), error => error.Problem == "There is no such setting.");

        Assert.True(key == error.Option || key.StartsWith($"{error.Option}:", StringComparison.Ordinal));
        Assert.StartsWith($"Did you mean {nearest}?", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(WrongValues))]
    public void A_value_of_another_kind_is_an_error_with_its_path_and_a_remedy_and_is_not_shown(string key, string value)
    {
        var error = Assert.Single(CsfleOptionsValidator.Check(Options((key, value))));

        Assert.True(key == error.Option || key.StartsWith($"{error.Option}:", StringComparison.Ordinal), error.Option);
        Assert.NotEqual("Csfle", error.Option);
        Assert.NotEmpty(error.Remedy);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(ImpossibleValues))]
    public void A_value_that_cannot_be_is_an_error_under_the_path_it_was_configured_at(string key, string value)
    {
        var suffix = key == "Csfle:Collections:people" ? ":Schema" : "";

        var error = Assert.Single(CsfleOptionsValidator.Check(Options((key + suffix, suffix.Length > 0 ? "{}" : value))));

        Assert.Equal(key, error.Option);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_reported_together_and_what_is_missing_has_its_path()
    {
        var options = Read(("Csfle:UseServerSchema", "perhaps"), ("Csfle:KeyVault", "x"), ("Csfle:Nonsense", "1"));

        Assert.Equal(
            ["Csfle:ConnectionString", "Csfle:KeyVault", "Csfle:LocalMasterKey", "Csfle:Nonsense", "Csfle:UseServerSchema"],
            CsfleOptionsValidator.Check(options).Select(error => error.Option).Order());
    }

    [Theory]
    [InlineData("File", "EnvironmentVariable")]
    [InlineData("File", "Base64")]
    public void A_master_key_has_one_place(string one, string other)
    {
        var options = Read(("Csfle:LocalMasterKey:" + one, "x"), ("Csfle:LocalMasterKey:" + other, "y"));

        Assert.Contains(CsfleOptionsValidator.Check(options), error => error.Option == "Csfle:LocalMasterKey" && error.Remedy.Contains("exactly one", StringComparison.Ordinal));
    }

    [Fact]
    public void A_schema_has_one_place()
        => Assert.Equal("Csfle:Collections:app.people", Assert.Single(CsfleOptionsValidator.Check(
            Options(("Csfle:Collections:app.people:SchemaFile", "x"), ("Csfle:Collections:app.people:Schema", "{}")))).Option);

    [Fact]
    public void Of_two_calls_that_say_the_same_value_the_later_one_wins()
    {
        var section = Section(("Csfle:ConnectionString", "mongodb://configured"), ("Csfle:KeyVault", "configured.keys"), ("Csfle:UseServerSchema", "false"));
        var configuredLast = new CsfleOptions();
        new CsfleBuilder(configuredLast).ConnectTo("mongodb://code").UseKeyVault(new InMemoryKeyVaultStore()).UseServerSchema().ReadFrom(section);
        var codeLast = new CsfleOptions();
        new CsfleBuilder(codeLast).ReadFrom(section).ConnectTo("mongodb://code").UseKeyVault(new InMemoryKeyVaultStore()).UseServerSchema();

        Assert.Equal(("mongodb://configured", "configured.keys", false), (configuredLast.ConnectionString, configuredLast.KeyVaultNamespace, configuredLast.UseServerSchema));
        Assert.Null(configuredLast.KeyVaultStore);
        Assert.Equal(("mongodb://code", null, true), (codeLast.ConnectionString, codeLast.KeyVaultNamespace, codeLast.UseServerSchema));
        Assert.Equal("Csfle:ConnectionString", configuredLast.NameOf(nameof(CsfleBuilder.ConnectTo)));
        Assert.Equal("ConnectTo", codeLast.NameOf(nameof(CsfleBuilder.ConnectTo)));
    }

    [Fact]
    public void Of_the_limits_of_a_kms_a_later_section_changes_only_what_it_says()
    {
        var options = new CsfleOptions();
        new CsfleBuilder(options)
            .UseKmsResilience(new KmsResilienceOptions { MaxAttempts = 7, TimeLimit = TimeSpan.FromMinutes(2) })
            .ReadFrom(Section(("Csfle:KmsResilience:TimeLimit", "00:00:03")));

        Assert.Equal((7, TimeSpan.FromSeconds(3)), (options.KmsResilience!.MaxAttempts, options.KmsResilience.TimeLimit));
    }

    [Fact]
    public void The_same_section_read_twice_says_nothing_new()
    {
        (string, string?)[] section = [.. Complete, ("Csfle:Collections:app.people:Schema", "{}"), ("Csfle:AllowUnencrypted:0", "app.logs")];
        using var host = TestHost.Build(services => services.AddCsfle().AddCsfle(), section);

        var options = host.Services.GetRequiredService<IOptionsMonitor<CsfleOptions>>().CurrentValue;
        Assert.Empty(CsfleOptionsValidator.Check(options));
        Assert.Single(options.Collections);
    }

    [Fact]
    public async Task A_mistake_in_a_section_read_twice_is_one_mistake()
    {
        using var host = TestHost.Build(services => services.AddCsfle().AddCsfle(), [.. Complete, ("Csfle:Nonsense", "1"), ("Csfle:AllowUnencrypted:0", "*")]);

        var exception = await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync());

        Assert.Equal(["Csfle:Nonsense", "Csfle:AllowUnencrypted:0"], exception.Errors.Select(error => error.Option));
    }

    [Fact]
    public void A_collection_registered_in_two_ways_is_an_error()
    {
        var options = Options(("Csfle:Collections:medicalRecords.patients:Schema", "{}"));
        new CsfleBuilder(options).AddCollection<Patient>();

        Assert.Contains("registered twice", Assert.Single(CsfleOptionsValidator.Check(options)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Section_and_code_are_combined_in_one_registration()
    {
        using var host = TestHost.Build(services => services.AddCsfle().AddCsfle(csfle => csfle.AddCollection<Patient>()), Complete);

        var options = host.Services.GetRequiredService<IOptionsMonitor<CsfleOptions>>().CurrentValue;
        Assert.Equal("mongodb://localhost:1", options.ConnectionString);
        Assert.Equal(typeof(Patient), Assert.Single(options.Collections).Type);
    }

    [Fact]
    public async Task A_section_that_is_not_there_is_an_error()
    {
        using var host = TestHost.Build(services => services.AddCsfle(), ("Cfsle:ConnectionString", "mongodb://localhost"));

        Assert.Equal("Csfle", (await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync())).Errors[0].Option);
    }

    [Fact]
    public async Task The_whole_configuration_in_the_place_of_a_section_is_an_error()
    {
        using var host = TestHost.Build(services => services.AddCsfle(Configuration(Complete)), Complete);

        var errors = (await Assert.ThrowsAsync<CsfleConfigurationException>(() => host.StartAsync())).Errors;
        Assert.Contains("GetSection(\"Csfle\")", errors[0].Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_configuration_in_the_container_there_is_nothing_to_read()
    {
        var services = new ServiceCollection();
        services.AddCsfle();
        using var provider = services.BuildServiceProvider();

        var exception = Assert.Throws<CsfleConfigurationException>(() => provider.GetRequiredService<ICsfleClientFactory>());
        Assert.Contains(exception.Errors, error => error.Option == "Csfle" && error.Problem.Contains("No configuration", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_schema_file_is_opened_at_start_up_and_the_error_names_it()
    {
        using var host = TestHost.Build(services => services.AddCsfle(), "Production", _folder, [.. Complete, ("Csfle:Collections:app.people:SchemaFile", "absent.json")]);
        host.Services.GetRequiredService<ICsfleClientFactory>();

        var exception = await Assert.ThrowsAsync<EncryptionSchemaException>(() => host.StartAsync());

        Assert.Contains(Path.Combine(_folder, "absent.json"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_relative_path_of_a_master_key_counts_from_the_content_root()
    {
        using var host = TestHost.Build(services => services.AddCsfle(csfle => csfle.AllowUnencrypted("app.*")).AddCsfle(), "Production", _folder,
            ("Csfle:ConnectionString", "mongodb://localhost:1"), ("Csfle:KeyVault", "encryption.__keyVault"), ("Csfle:LocalMasterKey:File", "absent.key"));

        var exception = await Assert.ThrowsAsync<MasterKeyException>(() => host.StartAsync());

        Assert.Contains(Path.Combine(_folder, "absent.key"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_master_key_that_is_none_is_named_by_its_path_and_not_shown()
    {
        using var host = TestHost.Build(services => services.AddCsfle().AddCsfle(csfle => csfle.AllowUnencrypted("app.*")),
            ("Csfle:ConnectionString", "mongodb://localhost:1"), ("Csfle:KeyVault", "encryption.__keyVault"), ("Csfle:LocalMasterKey:Base64", Secret));

        var exception = await Assert.ThrowsAsync<MasterKeyException>(() => host.StartAsync());

        Assert.Contains("Csfle:LocalMasterKey:Base64", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_lifetime_of_data_keys_and_the_limits_of_a_kms_reach_the_key_vault()
    {
        var resilience = new KmsResilienceOptions { MaxAttempts = 1, TimeLimit = TimeSpan.FromSeconds(3) };
        var options = new CsfleOptions();
        new CsfleBuilder(options).CacheDataKeysFor(TimeSpan.FromSeconds(5)).UseKmsResilience(resilience);

        var settings = options.ToKeyVaultOptions(NullLoggerFactory.Instance);

        Assert.Equal((TimeSpan.FromSeconds(5), 1, TimeSpan.FromSeconds(3)), (settings.CacheExpiration, settings.KmsResilience!.MaxAttempts, settings.KmsResilience.TimeLimit));
    }

    public void Dispose()
    {
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static (string, string?)[] Complete =>
    [
        ("Csfle:ConnectionString", "mongodb://localhost:1"),
        ("Csfle:KeyVault", "encryption.__keyVault"),
        ("Csfle:LocalMasterKey:Base64", TestHost.MasterKey),
    ];

    // What is given, in the place of what it is about or a part of, in a section without a mistake.
    private static CsfleOptions Options(params (string Key, string? Value)[] given)
        => Read([.. Complete.Where(pair => !given.Any(each => IsWithin(each.Key, pair.Item1) || IsWithin(pair.Item1, each.Key))), .. given]);

    private static bool IsWithin(string inner, string outer) => $"{inner}:".StartsWith($"{outer}:", StringComparison.Ordinal);

    private static CsfleOptions Read(params (string Key, string? Value)[] section)
    {
        var options = new CsfleOptions();
        new CsfleBuilder(options).ReadFrom(Section(section));
        return options;
    }

    private static IConfigurationSection Section(params (string Key, string? Value)[] section) => Configuration(section).GetSection("Csfle");

    private static IConfigurationRoot Configuration(params (string Key, string? Value)[] pairs)
        => new ConfigurationBuilder().AddInMemoryCollection(pairs.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))).Build();

    private static string Schema(Guid keyId) => """
        {"bsonType": "object", "properties": {"ssn": {"encrypt": {"bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic",
         "keyId": [{"$uuid": "KEY"}]}}}}
        """.Replace("KEY", keyId.ToString(), StringComparison.Ordinal);

    private IMongoCollection<BsonDocument> Collection(IHost host, string client, string name)
    {
        var ns = CollectionNamespace.FromFullName(_server.Namespace(name));
        return host.Services.GetRequiredKeyedService<IMongoClient>(client).GetDatabase(ns.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(ns.CollectionName);
    }
}
