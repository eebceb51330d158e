using System.Diagnostics;
using System.Globalization;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>Many who start at the same moment and want the same key get one, in threads and in processes of their own.</summary>
public sealed class KeyRaceTests : IDisposable
{
    private const int Starts = 64;

    // With four starts each: as many processes as starts would keep a small machine busy for half a minute.
    private const int Processes = 16;

    private readonly TemporaryFolder _folder = new();
    private readonly LocalMasterKey _masterKey;

    public KeyRaceTests()
    {
        LocalMasterKey.CreateFile(MasterKeyPath);
        _masterKey = LocalMasterKey.FromFile(MasterKeyPath);
    }

    private string MasterKeyPath => _folder.PathOf("master-key.bin");

    public void Dispose()
    {
        _masterKey.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Threads_make_one_key_in_memory()
    {
        var store = new InMemoryKeyVaultStore();
        await MakeOneKey(() => store);
        Assert.Single(store.List());
    }

    [Fact]
    public async Task Threads_make_one_key_in_a_file()
    {
        await MakeOneKey(() => new FileKeyVaultStore(_folder.PathOf("keys.json")));
        Assert.Single(new FileKeyVaultStore(_folder.PathOf("keys.json")).List());
    }

    [Fact]
    public async Task Threads_make_one_key_in_MongoDB_without_an_index_to_begin_with()
    {
        using var server = InProcessMongoServer.Start();
        await MakeOneKey(() => new MongoKeyVaultStore(server, "encryption.__keyVault"));
        Assert.Single(new MongoKeyVaultStore(server, "encryption.__keyVault").List());
    }

    [Fact]
    public async Task Processes_make_one_key_in_a_file()
    {
        var ids = await RunProcesses("file", _folder.PathOf("keys.json"));
        AssertOne(ids, new FileKeyVaultStore(_folder.PathOf("keys.json")));
    }

    [Fact]
    public async Task Processes_make_one_key_in_MongoDB()
    {
        using var server = InProcessMongoServer.Start();
        var ids = await RunProcesses("mongo", server.Port.ToString(CultureInfo.InvariantCulture));
        AssertOne(ids, new MongoKeyVaultStore(server, "encryption.__keyVault"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_does_not_unwrap_is_an_error_and_no_key_is_made(bool async)
    {
        var store = new InMemoryKeyVaultStore();
        using var other = LocalMasterKey.Generate();
        using (var vault = new KeyVaultService(store, [new LocalKeyManagementService(other)])) vault.CreateDataKey("local", new() { KeyAltNames = ["the one"] });
        using var mine = new KeyVaultService(store, [new LocalKeyManagementService(_masterKey)]);
        var error = await Assert.ThrowsAsync<DataKeyException>(() => GetOrCreate(mine, async));
        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, error.Code);
        Assert.Single(store.List());
    }

    private async Task MakeOneKey(Func<IKeyVaultStore> open)
    {
        using var gate = new ManualResetEventSlim();
        var starts = Enumerable.Range(0, Starts).Select(i => Task.Factory.StartNew(
            async () =>
            {
                using var vault = new KeyVaultService(open(), [new LocalKeyManagementService(_masterKey)]);
                gate.Wait();
                return await GetOrCreate(vault, i % 2 == 0);
            },
            TaskCreationOptions.LongRunning).Unwrap()).ToArray();
        gate.Set();
        Assert.Single((await Task.WhenAll(starts)).Distinct());
    }

    private async Task<List<Guid>> RunProcesses(string kind, string place)
    {
        var processes = Enumerable.Range(0, Processes).Select(_ => Start(kind, place)).ToArray();
        try
        {
            foreach (var process in processes) Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
            foreach (var process in processes) await process.StandardInput.WriteLineAsync("go");
            var ids = new List<Guid>();
            foreach (var process in processes)
            {
                var output = await process.StandardOutput.ReadToEndAsync();
                await process.WaitForExitAsync();
                Assert.True(process.ExitCode == 0, await process.StandardError.ReadToEndAsync());
                ids.AddRange(output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Guid.Parse));
            }

            return ids;
        }
        finally
        {
            foreach (var process in processes)
            {
                if (!process.HasExited) process.Kill();
                process.Dispose();
            }
        }
    }

    private Process Start(string kind, string place)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Medco.Csfle.KeyRace.dll");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])[program, kind, place, MasterKeyPath, "the one", (Starts / Processes).ToString(CultureInfo.InvariantCulture)]) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static async Task<Guid> GetOrCreate(KeyVaultService vault, bool async)
        => async ? await vault.GetOrCreateDataKeyAsync("local", "the one") : vault.GetOrCreateDataKey("local", "the one");

    private static void AssertOne(List<Guid> ids, IKeyVaultStore store)
    {
        Assert.Equal(Starts, ids.Count);
        Assert.Single(ids.Distinct());
        Assert.Equal(ids[0], Assert.Single(store.List()).Id);
    }
}
