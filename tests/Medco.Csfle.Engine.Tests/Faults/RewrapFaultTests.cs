using System.Security.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Testing;
using Medco.Csfle.TestServer;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>A rewrap whose disk, KMS or server fails at each step: no key is lost, and a further run finishes it.</summary>
public sealed class RewrapFaultTests : IDisposable
{
    private const int Keys = 4;

    private readonly TemporaryFolder _folder = new();
    private readonly LocalMasterKey _old = LocalMasterKey.Generate();
    private readonly LocalMasterKey _new = LocalMasterKey.Generate();
    private readonly Dictionary<Guid, byte[]> _materials = [];

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData((int)FileWriteStep.Created)]
    [InlineData((int)FileWriteStep.Written)]
    [InlineData((int)FileWriteStep.Flushed)]
    [InlineData((int)FileWriteStep.Published)]
    public void A_crash_while_the_backup_is_written_leaves_a_whole_backup_or_none(int at)
    {
        var store = Fill(new FileKeyVaultStore(_folder.PathOf("keys.json")));
        using var afterCrash = new TemporaryFolder();
        RewrapBackup.Write(_folder.PathOf("backup.json"), store.List(), step =>
        {
            if ((int)step == at) KeyFileFaultTests.Copy(_folder, afterCrash);
        });

        Finish(new FileKeyVaultStore(afterCrash.PathOf("keys.json")), afterCrash.PathOf("backup.json"));
    }

    [Theory]
    [InlineData((int)FileWriteStep.Created)]
    [InlineData((int)FileWriteStep.Written)]
    [InlineData((int)FileWriteStep.Flushed)]
    [InlineData((int)FileWriteStep.Published)]
    public void A_crash_while_the_keys_are_written_to_a_file_is_made_good_by_the_next_run(int at)
    {
        var path = _folder.PathOf("keys.json");
        Fill(new FileKeyVaultStore(path));
        using var afterCrash = new TemporaryFolder();
        using (var vault = Open(new FileKeyVaultStore(path, TimeSpan.FromSeconds(30), step =>
        {
            if ((int)step == at) KeyFileFaultTests.Copy(_folder, afterCrash);
        })))
        {
            new RewrapJob(vault, ToNew(_folder.PathOf("backup.json"))).Run();
        }

        Assert.Contains("backup.json", afterCrash.Names());
        Finish(new FileKeyVaultStore(afterCrash.PathOf("keys.json")), afterCrash.PathOf("backup.json"));
    }

    [Fact]
    public void A_full_disk_for_the_keys_is_a_typed_error_and_the_next_run_finishes()
    {
        var isFull = false;
        var store = new FileKeyVaultStore(_folder.PathOf("keys.json"), TimeSpan.FromSeconds(30), step =>
        {
            if (isFull && step == FileWriteStep.Written) throw new IOException("No space left on device");
        });
        Fill(store);
        using (var vault = Open(store))
        {
            isFull = true;
            Assert.Throws<KeyVaultException>(() => new RewrapJob(vault, ToNew(_folder.PathOf("backup.json"))).Run());
            isFull = false;
        }

        Finish(store, _folder.PathOf("backup.json"));
    }

    [Fact]
    public void A_full_disk_for_the_backup_stops_it_before_anything_changes()
    {
        var store = Fill(new InMemoryKeyVaultStore());
        var error = Assert.Throws<KeyVaultException>(() => RewrapBackup.Write(_folder.PathOf("backup.json"), store.List(), step =>
        {
            if (step == FileWriteStep.Flushed) throw new IOException("No space left on device");
        }));

        Assert.Contains("Nothing was changed", error.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Names());
        Finish(store, _folder.PathOf("backup.json"));
    }

    [Theory]
    [InlineData("refusal")]
    [InlineData("outage")]
    [InlineData("wrong content")]
    [InlineData("other length")]
    public void A_KMS_that_fails_at_any_call_changes_nothing_that_the_next_run_does_not_finish(string fault)
    {
        var answer = fault switch
        {
            "refusal" => FakeKmsAnswer.Refusal,
            "outage" => FakeKmsAnswer.Outage,
            "wrong content" => FakeKmsAnswer.WrongContent,
            _ => FakeKmsAnswer.OfLength(7),
        };
        for (var failAt = 0; ; failAt++)
        {
            _materials.Clear();
            var store = Fill(new InMemoryKeyVaultStore());
            var backup = _folder.PathOf($"backup{failAt}.json");
            using var kms = new FakeKeyManagementService("local:new");
            kms.Next(FakeKmsAnswer.Right, failAt).Next(answer);
            using var vault = Open(store, kms);
            var failed = false;
            try
            {
                new RewrapJob(vault, ToNew(backup)).Run();
            }
            catch (Exception e) when (e is DataKeyException or KmsException)
            {
                failed = true;
            }

            // The answers that were not asked for shall not fail the proof.
            kms.Always(FakeKmsAnswer.Right);
            AssertAllWork(vault);
            new RewrapJob(vault, ToNew(backup)).Run();
            AssertAllWork(vault);
            Assert.All(store.List(), key => Assert.Equal("local:new", key.Provider));
            if (failed) continue;

            // Each key is wrapped and unwrapped before the first write, and unwrapped after the last.
            Assert.Equal(3 * Keys, failAt);
            break;
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_server_that_goes_away_at_any_command_is_a_typed_error_and_the_next_run_finishes(bool arrivesAllTheSame, bool isAsync)
    {
        for (var cutAt = 0; ; cutAt++)
        {
            _materials.Clear();
            using var server = InProcessMongoServer.Start();
            var line = new FaultyCommandRunner(server);
            var store = new MongoKeyVaultStore(line, "encryption.__keyVault");
            Fill(store);
            var backup = _folder.PathOf($"backup{cutAt}.json");
            using var vault = Open(store);
            line.ArrivesAllTheSame = arrivesAllTheSame;
            line.CutAt = cutAt;
            var failed = false;
            try
            {
                var job = new RewrapJob(vault, ToNew(backup));
                if (isAsync) await job.RunAsync();
                else job.Run();
            }
            catch (KeyVaultException e)
            {
                Assert.Contains("cannot be reached", e.Message, StringComparison.Ordinal);
                failed = true;
            }

            line.CutAt = null;
            AssertAllWork(vault);
            Finish(store, backup);
            if (failed) continue;
            Assert.InRange(cutAt, 3 + Keys, 100);
            break;
        }
    }

    private T Fill<T>(T store)
        where T : IKeyVaultStore
    {
        using var vault = Open(store);
        for (var i = 0; i < Keys; i++)
        {
            var material = RandomNumberGenerator.GetBytes(96);
            _materials.Add(vault.CreateDataKey("local", new() { KeyMaterial = material, KeyAltNames = [$"name{i}"] }), material);
        }

        return store;
    }

    private KeyVaultService Open(IKeyVaultStore store, IKeyManagementService? other = null) => new(
        store,
        [new LocalKeyManagementService(_old), other ?? new LocalKeyManagementService(_new, "new")],
        new KeyVaultOptions { KmsResilience = new KmsResilienceOptions { MaxAttempts = 1 } });

    private void Finish(IKeyVaultStore store, string backup)
    {
        using var vault = Open(store);
        AssertAllWork(vault);
        new RewrapJob(vault, ToNew(backup)).Run();
        AssertAllWork(vault);
        Assert.All(store.List(), key => Assert.Equal("local:new", key.Provider));
        Assert.Equal(Keys, new FileKeyVaultStore(backup).List().Count);
    }

    private static RewrapJobOptions ToNew(string backup) => new() { BackupPath = backup, Target = new() { Provider = "local:new" }, Resume = true };

    // Past the cache, which would answer for a key that is gone.
    private void AssertAllWork(KeyVaultService vault)
    {
        foreach (var (id, material) in _materials) Assert.Equal(material, vault.Unwrap(vault.FindById(id)!, default));
    }
}
