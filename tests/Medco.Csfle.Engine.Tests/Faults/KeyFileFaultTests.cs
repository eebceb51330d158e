using System.Diagnostics;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.KeyVault;

namespace Medco.Csfle.Engine.Tests.Faults;

/// <summary>The process, or the disk, ends at each step of writing a file of keys.</summary>
public sealed class KeyFileFaultTests : IDisposable
{
    private static readonly DateTimeOffset Later = DateTimeOffset.UnixEpoch.AddYears(90);

    private readonly TemporaryFolder _folder = new();
    private readonly DataKeyDocument _first = TestKeys.New("first");
    private readonly DataKeyDocument _second = TestKeys.New("second");

    public static TheoryData<int, string> StepsAndChanges
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var step in Enum.GetValues<FileWriteStep>())
            {
                foreach (var change in new[] { "insert", "name", "rewrap", "delete" }) data.Add((int)step, change);
            }

            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(StepsAndChanges))]
    public void A_crash_leaves_the_old_keys_or_the_new_ones_and_work_goes_on(int at, string change)
    {
        var path = _folder.PathOf("keys.json");
        using var afterCrash = new TemporaryFolder();
        var store = new FileKeyVaultStore(path, TimeSpan.FromSeconds(30), step =>
        {
            // What a process leaves behind that ends here: its files as they are, and nothing cleaned up.
            if ((int)step == at) Copy(_folder, afterCrash);
        });
        new FileKeyVaultStore(path).Insert(_first);
        var before = Bytes(store);
        Apply(store, change);
        var after = Bytes(store);
        Assert.NotEqual(before, after);

        var survivor = new FileKeyVaultStore(afterCrash.PathOf("keys.json"));

        Assert.Equal(at == (int)FileWriteStep.Published ? after : before, Bytes(survivor));
        var third = TestKeys.New("third");
        survivor.Insert(third);
        Assert.Contains(survivor.List(), key => key.Id == third.Id);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void A_half_written_file_of_a_crashed_process_is_never_taken_for_keys(double share)
    {
        var store = new FileKeyVaultStore(_folder.PathOf("keys.json"));
        store.Insert(_first);
        var content = File.ReadAllBytes(_folder.PathOf("keys.json"));
        File.WriteAllBytes(_folder.PathOf($".{Guid.NewGuid():N}.tmp"), content[..(int)(content.Length * share)]);

        Assert.Equal([_first.Id], store.List().Select(key => key.Id));
        store.Insert(_second);
        Assert.Equal(2, store.List().Count);
    }

    [Theory]
    [MemberData(nameof(StepsAndChanges))]
    public void A_full_disk_is_a_typed_error_that_loses_no_key_and_the_same_store_goes_on(int at, string change)
    {
        var isFull = false;
        var store = new FileKeyVaultStore(_folder.PathOf("keys.json"), TimeSpan.FromSeconds(30), step =>
        {
            if (isFull && (int)step == at) throw new IOException("No space left on device");
        });
        store.Insert(_first);
        var before = Bytes(store);

        isFull = true;
        var error = Assert.Throws<KeyVaultException>(() => Apply(store, change));
        isFull = false;

        Assert.Contains("cannot be written: No space left on device", error.Message, StringComparison.Ordinal);
        Assert.Contains("has room", error.Message, StringComparison.Ordinal);
        Assert.Equal(["keys.json", "keys.json.lock"], _folder.Names());
        if (at != (int)FileWriteStep.Published) Assert.Equal(before, Bytes(store));
        if (change != "delete") Assert.Contains(store.List(), key => key.Id == _first.Id);

        var third = TestKeys.New("third");
        store.Insert(third);
        Assert.Contains(store.List(), key => key.Id == third.Id);
    }

    [Theory]
    [InlineData((int)FileWriteStep.Created)]
    [InlineData((int)FileWriteStep.Written)]
    [InlineData((int)FileWriteStep.Flushed)]
    [InlineData((int)FileWriteStep.Published)]
    public void A_crash_while_the_first_key_is_written_leaves_an_empty_key_vault_or_that_key(int at)
    {
        using var afterCrash = new TemporaryFolder();
        var store = new FileKeyVaultStore(_folder.PathOf("keys.json"), TimeSpan.FromSeconds(30), step =>
        {
            if ((int)step == at) Copy(_folder, afterCrash);
        });

        store.Insert(_first);

        var survivor = new FileKeyVaultStore(afterCrash.PathOf("keys.json"));
        Assert.Equal(at == (int)FileWriteStep.Published ? [_first.Id] : [], survivor.List().Select(key => key.Id));
        survivor.Insert(_second);
        Assert.Contains(survivor.List(), key => key.Id == _second.Id);
    }

    [Theory]
    [InlineData((int)FileWriteStep.Created)]
    [InlineData((int)FileWriteStep.Written)]
    [InlineData((int)FileWriteStep.Flushed)]
    [InlineData((int)FileWriteStep.Published)]
    public void Whatever_a_crash_leaves_only_the_owner_may_read(int at)
    {
        var seen = 0;
        OwnerOnlyFile.Write(_folder.PathOf("secret"), new byte[96], overwrite: false, step =>
        {
            if ((int)step != at) return;
            foreach (var name in _folder.Names())
            {
                if (!OperatingSystem.IsWindows()) Assert.Equal(OwnerOnlyFile.Mode, File.GetUnixFileMode(_folder.PathOf(name)));
                seen++;
            }
        });
        Assert.Equal(1, seen);
    }

    /// <summary>The files of a folder as they are now.</summary>
    internal static void Copy(TemporaryFolder from, TemporaryFolder to)
    {
        if (OperatingSystem.IsWindows())
        {
            // What somebody has open for himself alone cannot be read there: it is a temporary file or the lock.
            foreach (var name in from.Names())
            {
                if (name.EndsWith(".json", StringComparison.Ordinal)) File.Copy(from.PathOf(name), to.PathOf(name), overwrite: true);
                else File.WriteAllBytes(to.PathOf(name), []);
            }

            return;
        }

        // .NET minds its own locks even within a process; other programs see the files as they are on the disk.
        using var copy = Process.Start("cp", ["-a", from.PathOf("."), to.PathOf(".")]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }

    private void Apply(FileKeyVaultStore store, string change)
    {
        switch (change)
        {
            case "insert":
                store.Insert(_second);
                break;
            case "name":
                store.AddName(_first.Id, "another");
                break;
            case "rewrap":
                store.Rewrap([new RewrappedKey(_first.Id, new byte[160], TestKeys.Aws)], Later);
                break;
            case "delete":
                store.Delete(_first.Id);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change));
        }
    }

    private static string[] Bytes(FileKeyVaultStore store) => [.. store.List().Select(key => Convert.ToHexString(key.ToBson()))];
}
