using System.Text;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

public sealed class FileKeyVaultStoreTests : KeyVaultStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string VaultPath => _folder.PathOf("keys.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_a_file_that_people_can_read()
    {
        var key = TestKeys.New("medco-patients");
        NewStore().Insert(key);
        var text = File.ReadAllText(VaultPath);
        Assert.StartsWith("[\n{\n  \"_id\": ", text, StringComparison.Ordinal);
        Assert.Contains("\n  \"keyAltNames\": [", text, StringComparison.Ordinal);
        Assert.Contains("\"medco-patients\"", text, StringComparison.Ordinal);
        Assert.Contains("2023-11-14T22:13:20.123Z", text, StringComparison.Ordinal);
        Assert.EndsWith("}\n]\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_belongs_to_its_owner_alone_and_no_temporary_file_stays()
    {
        for (var i = 0; i < 3; i++) NewStore().Insert(TestKeys.New());
        Assert.Equal(["keys.json", "keys.json.lock"], _folder.Names());
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(VaultPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(VaultPath + ".lock"));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("   ", 3)]
    [InlineData("[", 1)]
    [InlineData("[]]", 2)]
    [InlineData("[], \"x\": 1", 0)]
    [InlineData("{}", 0)]
    [InlineData("[\n{\"_id\": }\n]", 10)]
    [InlineData("[{\"_id\": {\"$oid\": \"xyz\"}}]", null)]
    [InlineData("[1]", null)]
    [InlineData("[{}]", null)]
    public void A_damaged_file_is_an_error_with_path_and_place_and_stays_as_it_is(string content, int? offset)
    {
        File.WriteAllText(VaultPath, content);
        var store = NewStore();
        var read = Assert.Throws<KeyVaultException>(() => store.List());
        var written = Assert.Throws<KeyVaultException>(() => store.Insert(TestKeys.New()));
        foreach (var error in (KeyVaultException[])[read, written])
        {
            Assert.Contains($"'{VaultPath}' is damaged", error.Message, StringComparison.Ordinal);
            if (offset is not null) Assert.Contains($"at byte {offset} ", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(content, File.ReadAllText(VaultPath));
    }

    [Fact]
    public void A_file_that_was_cut_off_anywhere_is_an_error()
    {
        NewStore().Insert(TestKeys.New("a"));
        NewStore().Insert(TestKeys.New("b"));
        var content = File.ReadAllBytes(VaultPath);
        var end = Encoding.UTF8.GetString(content).TrimEnd().Length;
        for (var length = 0; length < end; length++)
        {
            File.WriteAllBytes(VaultPath, content[..length]);
            Assert.Throws<KeyVaultException>(() => NewStore().List());
        }
    }

    [Fact]
    public void Any_bytes_are_a_typed_error()
    {
        NewStore().Insert(TestKeys.New("a"));
        var content = File.ReadAllBytes(VaultPath);
        var random = new Random(1);
        for (var round = 0; round < 3000; round++)
        {
            var garbage = (byte[])content.Clone();
            for (var i = 0; i <= round % 3; i++) garbage[random.Next(garbage.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(VaultPath, garbage);
            try
            {
                NewStore().List();
            }
            catch (KeyVaultException)
            {
                // The one kind of exception there may be; a changed name, for one, raises none.
            }
        }
    }

    [Fact]
    public void A_name_that_two_keys_of_the_file_share_is_damage()
    {
        NewStore().Insert(TestKeys.New("first-name"));
        NewStore().Insert(TestKeys.New("other-name"));
        File.WriteAllText(VaultPath, File.ReadAllText(VaultPath).Replace("other-name", "first-name", StringComparison.Ordinal));
        Assert.Contains("'first-name'", Assert.Throws<KeyVaultException>(() => NewStore().List()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_folder_and_a_folder_in_its_place_are_typed_errors()
    {
        var missing = new FileKeyVaultStore(_folder.PathOf("missing/keys.json"));
        Assert.Throws<KeyVaultException>(() => missing.List());
        Assert.Throws<KeyVaultException>(() => missing.Insert(TestKeys.New()));
        await Assert.ThrowsAsync<KeyVaultException>(async () => await missing.InsertAsync(TestKeys.New()));
        Directory.CreateDirectory(VaultPath);
        Assert.Throws<KeyVaultException>(() => NewStore().List());
        Assert.Throws<KeyVaultException>(() => NewStore().Insert(TestKeys.New()));
    }

    [Fact]
    public async Task A_lock_that_nobody_lets_go_is_an_error_after_a_while_and_cancellation_ends_the_wait()
    {
        using var held = new FileStream(VaultPath + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var impatient = new FileKeyVaultStore(VaultPath, TimeSpan.FromMilliseconds(50));
        var error = Assert.Throws<KeyVaultException>(() => impatient.Insert(TestKeys.New()));
        Assert.Contains($"'{VaultPath}.lock'", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<KeyVaultException>(async () => await impatient.InsertAsync(TestKeys.New()));

        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        Assert.ThrowsAny<OperationCanceledException>(() => NewStore().Insert(TestKeys.New(), cancellation.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await NewStore().InsertAsync(TestKeys.New(), cancellation.Token));
        Assert.Empty(NewStore().List());
    }

    [Fact]
    public async Task Who_reads_while_others_write_never_sees_half_a_file()
    {
        NewStore().Insert(TestKeys.New("first"));
        using var done = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            var reads = 0;
            while (!done.IsCancellationRequested || reads == 0)
            {
                Assert.Single(NewStore().Find([], ["first"]));
                reads++;
            }
        });
        for (var i = 0; i < 100; i++) NewStore().Insert(TestKeys.New());
        await done.CancelAsync();
        await reader;
        Assert.Equal(101, NewStore().List().Count);
    }

    protected override IKeyVaultStore NewStore() => new FileKeyVaultStore(VaultPath);

    protected override IKeyVaultStore Reopen(IKeyVaultStore store) => NewStore();
}
