using System.Diagnostics;
using System.Globalization;
using System.Text;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.TestServer;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit.Abstractions;

namespace Medco.Csfle.Tests.Load;

/// <summary>
/// Many clients at once for a while: every read is checked, nothing fails, memory stays flat, and what the server receives and
/// holds has no plaintext. <c>CSFLE_LOAD_SECONDS</c> and <c>CSFLE_LOAD_CLIENTS</c> make it longer and larger.
/// </summary>
[Collection(nameof(AloneCollection))]
public sealed class LoadTests(ITestOutputHelper output)
{
    // The heap may grow by this much: what caches, pools and the thread pool keep.
    private const long Tolerance = 16 * 1024 * 1024;
    private const int SampleOfCommands = 10;

    // However busy the machine is, every kind of operation is to happen.
    private const int LeastOperations = 20;

    [Fact]
    public async Task Many_clients_read_what_they_wrote_in_flat_memory_and_without_errors()
    {
        var time = TimeSpan.FromSeconds(Setting("CSFLE_LOAD_SECONDS", 5));
        var clients = Setting("CSFLE_LOAD_CLIENTS", 16);
        using var server = InProcessMongoServer.Start();
        server.KeepsCommands = false;
        var (received, sampled, leaks) = (0, 0, 0);
        server.CommandReceived += (_, command) =>
        {
            if (Interlocked.Increment(ref received) % SampleOfCommands != 0) return;
            Interlocked.Increment(ref sampled);
            if (command.Bytes.Span.IndexOf(Encoding.UTF8.GetBytes(LoadClient.Secret)) >= 0) Interlocked.Increment(ref leaks);
        };
        using var factory = CsfleClientFactory.Create(csfle => csfle
            .ConnectTo(server.ConnectionString)
            .UseKeyVault(new InMemoryKeyVaultStore())
            .UseLocalMasterKey(LocalMasterKey.Generate())
            .CacheDataKeysFor(TimeSpan.FromSeconds(2))
            .AddCollection<LoadedPerson>(LoadClient.Namespace)
            .CreateMissingDataKeys());
        await factory.InitializeAsync();
        using var encrypted = factory.CreateEncryptedClient();
        using var plain = factory.CreateUnencryptedClient();

        var seed = Setting("CSFLE_FUZZ_SEED", Random.Shared.Next());
        var all = Enumerable.Range(0, clients).Select(number => new LoadClient(number, seed, LoadClient.In<LoadedPerson>(encrypted))).ToArray();

        // Until connections are open, code is compiled and pools are filled.
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(all.Select(client => Task.Run(() => client.RunAsync(LeastOperations, until: () => watch.Elapsed > time / 5))));
        var before = HeapBytes();
        var warmUp = all.Sum(client => client.Operations);
        watch.Restart();
        await Task.WhenAll(all.Select(client => Task.Run(() => client.RunAsync(0, until: () => watch.Elapsed > time))));
        var elapsed = watch.Elapsed;
        var after = HeapBytes();

        var operations = all.Sum(client => client.Operations) - warmUp;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{clients} clients, {elapsed.TotalSeconds:F0} s, seed {seed}: {operations} operations ({operations / elapsed.TotalSeconds:F0}/s), {all.Sum(client => client.Reads)} documents read and compared"));
        output.WriteLine($"{string.Join(", ", LoadClient.Names.Select((name, index) => $"{name} {all.Sum(client => client.Count(index))}"))}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"heap {before / 1048576.0:F1} MiB before, {after / 1048576.0:F1} MiB after; {sampled} of {received} commands searched for plaintext: {leaks} with some"));

        Assert.Equal(0, leaks);
        Assert.InRange(after, 1, before + Tolerance);
        Assert.All(LoadClient.Names.Select((name, index) => (name, index)), each => Assert.True(all.Sum(client => client.Count(each.index)) > 0, each.name));

        // What is at rest: every document of every client, ciphertext where it is marked, and for its owner what was written last.
        var stored = await LoadClient.In<BsonDocument>(plain).Find(FilterDefinition<BsonDocument>.Empty).ToListAsync();
        Assert.Equal(all.Sum(client => client.Expected), stored.Count);
        Assert.All(stored, document =>
        {
            Assert.True(document["Ssn"].IsBsonBinaryData && document["Notes"].IsBsonBinaryData && document["Home"]["Street"].IsBsonBinaryData);
            Assert.Equal(-1, document.ToBson().AsSpan().IndexOf(Encoding.UTF8.GetBytes(LoadClient.Secret)));
        });
        foreach (var client in all) await client.CheckAllAsync();
    }

    // What is alive, as the collector itself counts it.
    private static long HeapBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        var info = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        return info.HeapSizeBytes - info.FragmentedBytes;
    }

    private static int Setting(string name, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 ? value : otherwise;
}

/// <summary>Runs when no other test does: what others keep in memory would be counted.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
