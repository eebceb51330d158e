using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Cryptography;
using Medco.Csfle.Engine.Tests.Kms;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>From one master key to another, whatever happens on the way.</summary>
public sealed class RewrapJobTests : IDisposable
{
    private const int Keys = 5;

    private readonly TemporaryFolder _folder = new();
    private readonly LocalMasterKey _old = LocalMasterKey.Generate();
    private readonly LocalMasterKey _new = LocalMasterKey.Generate();
    private readonly InMemoryKeyVaultStore _store = new();
    private readonly Dictionary<Guid, byte[]> _materials = [];

    public RewrapJobTests()
    {
        using var vault = Open(_store);
        for (var i = 0; i < Keys; i++)
        {
            var material = RandomNumberGenerator.GetBytes(96);
            _materials.Add(vault.CreateDataKey("local", new() { KeyMaterial = material, KeyAltNames = i == 0 ? [] : [$"name{i}"] }), material);
        }
    }

    private string BackupPath => _folder.PathOf("backup.json");

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dry_run_says_what_would_be_done_and_writes_nothing(bool async)
    {
        var before = Bytes(_store.List());
        using var vault = Open(_store);
        var job = new RewrapJob(vault, ToNew());
        var plan = async ? await job.PlanAsync() : job.Plan();
        Assert.Equal(_materials.Keys.Order(), plan.ToRewrap.Select(key => key.Id).Order());
        Assert.Empty(plan.Done);
        Assert.Empty(plan.Problems);
        Assert.Equal(before, Bytes(_store.List()));
        Assert.False(File.Exists(BackupPath));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_move_to_the_new_master_key_and_stay_what_they_are(bool async)
    {
        var before = _store.List();
        Assert.Equal(new RewrapReport(Keys, Keys, BackupPath), await Run(_store, ToNew(), async));
        Assert.All(_store.List(), key => Assert.Equal("local:new", key.Provider));
        AssertAllWork(_new, "new");

        // The backup is a key vault of its own.
        Assert.Equal(Bytes(before), Bytes(new FileKeyVaultStore(BackupPath).List()));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(BackupPath));

        // Again: nothing to do, and no second backup.
        var after = Bytes(_store.List());
        Assert.Equal(new RewrapReport(0, Keys, null), await Run(_store, ToNew("second.json"), async));
        Assert.Equal(after, Bytes(_store.List()));
        Assert.Equal(["backup.json"], _folder.Names());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_are_wrapped_anew_with_their_own_master_key(bool async)
    {
        var before = _store.List().ToDictionary(key => key.Id);
        var options = new RewrapJobOptions { BackupPath = BackupPath };
        Assert.Equal(Keys, (await Run(_store, options, async)).Rewrapped);
        foreach (var key in _store.List())
        {
            Assert.Equal("local", key.Provider);
            Assert.NotEqual(before[key.Id].KeyMaterial.ToArray(), key.KeyMaterial.ToArray());
        }

        AssertAllWork(_old, null);
        var resumed = new RewrapJobOptions { BackupPath = BackupPath, Resume = true };
        Assert.Equal(new RewrapReport(0, Keys, BackupPath), await Run(_store, resumed, async));
    }

    [Fact]
    public async Task A_filter_limits_it_and_the_backup_holds_the_whole_key_vault_all_the_same()
    {
        var options = new RewrapJobOptions { BackupPath = BackupPath, Target = new() { Provider = "local:new" }, Filter = ExtendedJson.ToBson("""{"keyAltNames": {"$in": ["name1", "name2"]}}""") };
        Assert.Equal(2, (await Run(_store, options, async: false)).Rewrapped);
        Assert.Equal(2, _store.List().Count(key => key.Provider == "local:new"));
        Assert.Equal(Keys, (await new FileKeyVaultStore(BackupPath).ListAsync()).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_backup_that_is_there_is_never_written_over(bool async)
    {
        await File.WriteAllTextAsync(BackupPath, "precious");
        var error = await Assert.ThrowsAsync<KeyVaultException>(() => Run(_store, ToNew(), async));
        Assert.Contains("exists already", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<KeyVaultException>(() => Run(_store, ToNew(resume: true), async));
        Assert.Equal("precious", await File.ReadAllTextAsync(BackupPath));
        Assert.All(_store.List(), key => Assert.Equal("local", key.Provider));
    }

    [Fact]
    public void A_backup_that_cannot_be_written_stops_it_before_anything_changes()
    {
        var before = Bytes(_store.List());
        using var vault = Open(_store);
        Assert.Contains("cannot be written", Assert.Throws<KeyVaultException>(() => new RewrapJob(vault, ToNew("missing/backup.json")).Run()).Message, StringComparison.Ordinal);
        Assert.Equal(before, Bytes(_store.List()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_does_not_unwrap_stops_it_before_anything_changes(bool async)
    {
        _store.Insert(DataKeyDocument.Create(Guid.NewGuid(), ["broken"], new byte[160], DateTimeOffset.UtcNow, ExtendedJson.ToBson("""{"provider": "local"}""")));
        var before = Bytes(_store.List());
        using var vault = Open(_store);
        var problem = Assert.IsType<DataKeyException>(Assert.Single(new RewrapJob(vault, ToNew()).Plan().Problems));
        Assert.Contains("'broken'", problem.Message, StringComparison.Ordinal);
        Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, (await Assert.ThrowsAsync<DataKeyException>(() => Run(_store, ToNew(), async))).Code);
        Assert.Equal(before, Bytes(_store.List()));
        Assert.Empty(_folder.Names());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_KMS_that_wraps_something_else_stops_it_before_anything_changes(bool async)
    {
        var before = Bytes(_store.List());
        var liar = new FakeKeyManagementService("aws") { OnUnwrap = _ => RandomNumberGenerator.GetBytes(96) };
        using var vault = new KeyVaultService(_store, [new LocalKeyManagementService(_old), liar]);
        var job = new RewrapJob(vault, new() { BackupPath = BackupPath, Target = new() { Provider = "aws", MasterKey = ExtendedJson.ToBson("""{"region": "r", "key": "k"}""") } });
        var error = await Assert.ThrowsAsync<DataKeyException>(async () => _ = async ? await job.RunAsync() : job.Run());
        Assert.Contains("does not unwrap to the same key", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Bytes(_store.List()));
        Assert.Empty(_folder.Names());
    }

    [Fact]
    public void A_key_that_came_after_the_backup_is_not_changed_without_one()
    {
        RewrapBackup.Write(BackupPath, _store.List());
        using var vault = Open(_store);
        vault.CreateDataKey("local", new() { KeyAltNames = ["late"] });
        var error = Assert.Throws<KeyVaultException>(() => new RewrapJob(vault, ToNew(resume: true)).Run());
        Assert.Contains("'late'", error.Message, StringComparison.Ordinal);
        Assert.All(_store.List(), key => Assert.Equal("local", key.Provider));
    }

    [Fact]
    public void A_key_that_is_another_one_at_the_end_is_found()
    {
        RewrapBackup.Write(BackupPath, _store.List());
        using var vault = Open(_store);
        var victim = _store.Find([], ["name1"]).Single();
        var other = vault.Rewrap(_store.Find([], ["name2"]).Single(), vault.RewrapTarget(new() { Provider = "local:new" }), default);
        _store.Rewrap([other with { Id = victim.Id }], DateTimeOffset.UtcNow);
        var error = Assert.Throws<DataKeyException>(() => new RewrapJob(vault, ToNew(resume: true)).Run());
        Assert.Equal(victim.Id, error.KeyId);
        Assert.Contains("is not the key that the backup", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_master_key_without_its_provider_and_a_KMS_that_is_not_configured_are_refused()
    {
        using var vault = Open(_store);
        Assert.Contains("without the KMS provider", Assert.Throws<DataKeyException>(
            () => new RewrapJob(vault, new() { BackupPath = BackupPath, Target = new() { MasterKey = TestKeys.Aws } })).Message, StringComparison.Ordinal);
        Assert.Equal(CsfleErrorCode.KmsNotConfigured, Assert.Throws<DataKeyException>(
            () => new RewrapJob(vault, new() { BackupPath = BackupPath, Target = new() { Provider = "local:other" } })).Code);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    [InlineData(false, false, false)]
    [InlineData(false, true, false)]
    public async Task A_run_that_stops_at_any_step_is_finished_by_the_next_and_no_key_is_ever_lost(bool async, bool afterwards, bool toNew)
    {
        var original = _store.List();
        for (var failAt = 0; ; failAt++)
        {
            var path = _folder.PathOf($"backup{failAt}.json");
            var store = new InMemoryKeyVaultStore();
            foreach (var key in original) store.Insert(key);
            var target = toNew ? new RewrapOptions { Provider = "local:new" } : new RewrapOptions();
            var faulty = new FaultyKeyVaultStore(store, failAt, afterwards);
            try
            {
                await Run(faulty, new() { BackupPath = path, Target = target }, async);
            }
            catch (StoppedException)
            {
            }

            AssertAllWork(store);
            if (File.Exists(path)) Assert.Equal(Bytes(original), Bytes(new FileKeyVaultStore(path).List()));
            else Assert.Equal(Bytes(original), Bytes(store.List()));

            var report = await Run(store, new() { BackupPath = path, Target = target, Resume = true }, async);
            Assert.Equal(Keys, report.Checked);
            AssertAllWork(store);
            Assert.All(store.List(), key => Assert.Equal(toNew ? "local:new" : "local", key.Provider));
            Assert.All(store.List(), key => Assert.NotEqual(original.Single(each => each.Id == key.Id).KeyMaterial.ToArray(), key.KeyMaterial.ToArray()));
            Assert.Equal(Bytes(original), Bytes(new FileKeyVaultStore(path).List()));

            if (faulty.HasFailed) continue;
            Assert.InRange(failAt, 2 + Keys, 100);
            break;
        }
    }

    private static string[] Bytes(IEnumerable<DataKeyDocument> keys) => [.. keys.OrderBy(key => key.Id).Select(key => Convert.ToHexString(key.ToBson()))];

    private async Task<RewrapReport> Run(IKeyVaultStore store, RewrapJobOptions options, bool async)
    {
        using var vault = Open(store);
        var job = new RewrapJob(vault, options);
        return async ? await job.RunAsync() : job.Run();
    }

    private RewrapJobOptions ToNew(string name = "backup.json", bool resume = false)
        => new() { BackupPath = _folder.PathOf(name), Target = new() { Provider = "local:new" }, Resume = resume };

    private KeyVaultService Open(IKeyVaultStore store) => new(store, [new LocalKeyManagementService(_old), new LocalKeyManagementService(_new, "new")]);

    private void AssertAllWork(IKeyVaultStore store)
    {
        using var vault = Open(store);
        AssertAllWork(vault);
    }

    private void AssertAllWork(LocalMasterKey alone, string? name)
    {
        using var vault = new KeyVaultService(_store, [new LocalKeyManagementService(alone, name)]);
        AssertAllWork(vault);
    }

    private void AssertAllWork(KeyVaultService vault)
    {
        var ids = _materials.Keys.ToArray();
        var keys = new DataKey[ids.Length];
        vault.AcquireKeys([.. ids.Select(KeyReference.ById)], keys, default);
        for (var i = 0; i < ids.Length; i++)
        {
            Assert.Equal(_materials[ids[i]], Secrets.BytesOf(keys[i]));
            keys[i].Release();
        }
    }
}
