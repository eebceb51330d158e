using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MedcoMd.Model;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Wire;
using Medco.Csfle.TestServer;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>What is missing is said at start-up, with the places that were looked at and what to install.</summary>
public sealed class StartupTests : IDisposable
{
    private readonly TwoEngines _engines = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("libmongocrypt-").FullName;

    [Fact]
    public async Task Nothing_that_analyses_commands_is_an_error_that_names_both_and_where_they_were_looked_for()
    {
        var port = FreePort();
        using var factory = _engines.NewFactory(options => options.MongocryptdUri = $"mongodb://doctor:s3cr3t@localhost:{port}");

        var exception = await Assert.ThrowsAsync<LibMongoCryptException>(() => factory.InitializeAsync());

        Assert.Equal(CsfleErrorCode.QueryAnalysisUnavailable, exception.Code);
        Assert.Contains($"localhost:{port}", exception.Message, StringComparison.Ordinal);
        Assert.Contains("mongo_crypt_v1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("mongodb-enterprise-cryptd", exception.Message, StringComparison.Ordinal);
        Assert.Contains("The managed engine needs neither", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_is_used_before_start_up_fails_with_the_same_error()
    {
        using var factory = _engines.NewFactory(options => options.MongocryptdUri = $"mongodb://localhost:{FreePort()}");
        using var client = factory.CreateEncryptedClient();

        var exception = await Assert.ThrowsAsync<LibMongoCryptException>(() => _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create()));

        Assert.Equal(CsfleErrorCode.QueryAnalysisUnavailable, exception.Code);
        Assert.Empty(await _engines.Stored.Find(FilterDefinition<BsonDocument>.Empty).ToListAsync());
    }

    [Fact]
    public void A_spawn_path_that_leads_nowhere_is_named()
    {
        var path = Path.Combine(_folder, "bin", "mongocryptd");
        using var factory = _engines.NewFactory(options => Spawn(options, path));

        var exception = Assert.Throws<LibMongoCryptException>(() => factory.Initialize());

        Assert.Equal(CsfleErrorCode.QueryAnalysisUnavailable, exception.Code);
        Assert.Contains($"'{path}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_spawn_path_the_folders_that_were_searched_are_named()
    {
        using var factory = _engines.NewFactory(options => Spawn(options, null));

        var exception = Assert.Throws<LibMongoCryptException>(() => factory.Initialize());

        Assert.All(
            Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            folder => Assert.Contains(folder, exception.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_cannot_be_started_is_named()
    {
        var path = Path.Combine(_folder, "mongocryptd");
        File.WriteAllText(path, "no program");
        using var factory = _engines.NewFactory(options => Spawn(options, path));

        Assert.Contains($"cannot be started as '{path} --port=", Assert.Throws<LibMongoCryptException>(() => factory.Initialize()).Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public async Task A_mongocryptd_that_ends_at_once_is_reported_with_its_exit_code()
    {
        using var factory = _engines.NewFactory(options =>
        {
            Spawn(options, WriteMongocryptd());
            options.MongocryptdSpawnArguments.Add("--failAtOnce");
        });

        var exception = await Assert.ThrowsAsync<LibMongoCryptException>(() => factory.InitializeAsync());

        Assert.Contains("exit code 48", exception.Message, StringComparison.Ordinal);
        Assert.Contains("--failAtOnce", exception.Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public async Task Mongocryptd_is_started_with_port_and_idle_time_where_none_answers_and_used()
    {
        var script = WriteMongocryptd();
        using var factory = _engines.NewFactory(options =>
        {
            Spawn(options, Path.GetDirectoryName(script));
            options.MongocryptdIdleShutdownTimeout = TimeSpan.FromSeconds(20);
            options.MongocryptdSpawnArguments.Add("--logpath=/dev/null");
        });
        using var client = factory.CreateEncryptedClient();

        await factory.InitializeAsync();
        await _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create());

        Assert.Equivalent(JonDoe.Create(), await _engines.ManagedPatients.Find(patient => patient.Ssn == 241014209).SingleAsync(), strict: true);
    }

    [UnixFact]
    public async Task Mongocryptd_is_started_again_after_it_has_shut_itself_down()
    {
        var port = 0;
        using var factory = _engines.NewFactory(options =>
        {
            Spawn(options, WriteMongocryptd());
            options.MongocryptdIdleShutdownTimeout = TimeSpan.FromSeconds(2);
            port = options.MongocryptdPort!.Value;
        });
        using var client = factory.CreateEncryptedClient();
        await factory.InitializeAsync();
        Assert.True(SpinWait.SpinUntil(() => !Listens(port), TimeSpan.FromSeconds(60)));

        await _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create());

        Assert.Single(await _engines.ManagedPatients.Find(patient => patient.Ssn == 241014209).ToListAsync());
    }

    [Fact]
    public void A_server_in_the_place_of_mongocryptd_is_found_out_before_it_sees_a_value()
    {
        using var mongod = InProcessMongoServer.Start();
        using var factory = _engines.NewFactory(options => options.MongocryptdUri = mongod.ConnectionString);
        using var client = factory.CreateEncryptedClient();

        var exception = Assert.Throws<LibMongoCryptException>(() => _engines.Patients<Patient>(client).InsertOne(JonDoe.Create()));

        Assert.Equal(CsfleErrorCode.QueryAnalysisUnavailable, exception.Code);
        Assert.Contains("If that is a mongod", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(mongod.Commands, command => command.ToString().Contains("Jon Doe", StringComparison.Ordinal));
        Assert.DoesNotContain(mongod.Commands, command => command.Name == "insert");
    }

    [Fact]
    public async Task A_mongocryptd_that_is_too_old_is_named_as_such()
    {
        using var old = new OldServer();
        using var factory = _engines.NewFactory(options => options.MongocryptdUri = $"mongodb://127.0.0.1:{old.Port}");

        var exception = await Assert.ThrowsAsync<LibMongoCryptException>(() => factory.InitializeAsync());

        Assert.Equal(CsfleErrorCode.MongocryptdTooOld, exception.Code);
        Assert.Contains($"127.0.0.1:{old.Port}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mongocryptd_that_is_gone_later_is_an_error_and_nothing_is_sent()
    {
        using var engines = new TwoEngines();
        engines.Factory.Initialize();
        engines.Mongocryptd.Dispose();

        var exception = Assert.Throws<LibMongoCryptException>(() => engines.OfficialPatients.InsertOne(JonDoe.Create()));

        Assert.Equal(CsfleErrorCode.QueryAnalysisUnavailable, exception.Code);
        Assert.Contains($"127.0.0.1:{engines.Mongocryptd.Port}", exception.Message, StringComparison.Ordinal);
        Assert.Empty(engines.Stored.Find(FilterDefinition<BsonDocument>.Empty).ToList());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mongocryptd_that_was_started_anew_is_found_again(bool asynchronously)
    {
        using var first = QueryAnalysisEndpoint.Start();
        using var factory = _engines.NewFactory(options => options.MongocryptdUri = first.ConnectionString);
        using var client = factory.CreateEncryptedClient();
        await _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create());
        await first.DisposeAsync();
        await using var second = QueryAnalysisEndpoint.Start(new QueryAnalysisEndpointOptions { Port = first.Port });

        if (asynchronously) await _engines.Patients<Patient>(client).InsertOneAsync(JonDoe.Create());
        else _engines.Patients<Patient>(client).InsertOne(JonDoe.Create());

        Assert.Equal(2, await _engines.ManagedPatients.CountDocumentsAsync(patient => patient.Ssn == 241014209));
    }

    [Theory]
    [InlineData("", "it is a folder")]
    [InlineData("missing.so", "there is no file")]
    [InlineData("text.so", "it is no library for this system")]
    public void A_crypt_shared_that_was_named_and_cannot_be_loaded_is_an_error(string file, string why)
    {
        File.WriteAllText(Path.Combine(_folder, "text.so"), "no library");
        var path = Path.Combine(_folder, file);
        using var factory = _engines.NewFactory(options => options.CryptSharedLibraryPath = path);

        var exception = Assert.Throws<LibMongoCryptException>(() => factory.Initialize());

        Assert.Equal(CsfleErrorCode.CryptSharedNotLoaded, exception.Code);
        Assert.Contains($"'{path}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains(why, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_crypt_shared_that_is_required_and_was_not_found_is_an_error_though_mongocryptd_answers()
    {
        using var factory = _engines.NewFactory(options => options.CryptSharedLibraryRequired = true);

        var exception = Assert.Throws<LibMongoCryptException>(() => factory.Initialize());

        Assert.Equal(CsfleErrorCode.CryptSharedNotLoaded, exception.Code);
        Assert.Contains("mongo_crypt_v1", exception.Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public async Task Without_the_native_library_the_paths_tried_are_named()
    {
        var output = await ChildProcess.RunApplication("native", [], ("LIBMONGOCRYPT_PATH", "/nowhere/libmongocrypt.so"));

        Assert.StartsWith(CsfleErrorCode.LibMongoCryptNotLoaded, output, StringComparison.Ordinal);
        Assert.Contains("/nowhere/libmongocrypt.so", output, StringComparison.Ordinal);
    }

    [UnixFact]
    public async Task A_provider_that_the_application_registered_itself_is_an_error_that_says_what_to_call_instead()
    {
        var output = await ChildProcess.RunApplication("foreign", []);

        Assert.StartsWith(CsfleErrorCode.ProviderTaken, output, StringComparison.Ordinal);
        Assert.Contains("UseLibMongoCrypt()", output, StringComparison.Ordinal);
    }

    // The stub is loaded and asked, and no mongocryptd is: it marks nothing, the insert is held back, and the proof fails.
    [UnixFact(needsCompiler: true)]
    public async Task A_crypt_shared_that_marks_nothing_stops_the_start()
    {
        var output = await ChildProcess.RunApplication("crypt_shared", [BuildCryptShared()]);

        Assert.StartsWith(CsfleErrorCode.ProofFailed, output, StringComparison.Ordinal);
        Assert.Contains("path 'ssn'", output, StringComparison.Ordinal);
    }

    [CryptSharedFact]
    public async Task The_crypt_shared_of_MongoDB_passes_the_proof_of_the_start()
        => Assert.Equal("started", (await ChildProcess.RunApplication("crypt_shared", [CryptSharedFactAttribute.Path!])).Trim());

    [UnixFact(needsCompiler: true)]
    public async Task What_crypt_shared_refuses_is_an_error_of_query_analysis()
    {
        var output = await ChildProcess.RunApplication("crypt_shared", [BuildCryptShared()], ("STUB_REFUSES", "1"));

        Assert.StartsWith(CsfleErrorCode.RefusedByMongocryptd, output, StringComparison.Ordinal);
        Assert.Contains("Cannot query on field 'bloodType'", output, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _engines.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static void Spawn(LibMongoCryptOptions options, string? path)
    {
        options.MongocryptdUri = null;
        options.MongocryptdBypassSpawn = false;
        options.MongocryptdPort = FreePort();
        options.MongocryptdSpawnPath = path;
        options.MongocryptdIdleShutdownTimeout = TimeSpan.FromSeconds(5);
    }

    private static bool Listens(int port)
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string WriteMongocryptd()
    {
        var path = Path.Combine(_folder, "mongocryptd");
        File.WriteAllText(path, $"#!/bin/sh\nexec '{ChildProcess.Dotnet}' '{ChildProcess.Program}' \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private string BuildCryptShared()
    {
        var library = Path.Combine(_folder, "mongo_crypt_v1.so");
        using var compiler = Process.Start("cc", ["-shared", "-fPIC", "-o", library, Path.Combine(AppContext.BaseDirectory, "CryptSharedStub.c")]);
        compiler.WaitForExit();
        Assert.Equal(0, compiler.ExitCode);
        return library;
    }
}
