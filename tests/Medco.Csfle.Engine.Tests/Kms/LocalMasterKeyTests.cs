using System.Security.Cryptography;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.Cryptography;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine.Tests.Kms;

public sealed class LocalMasterKeyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_created_file_holds_96_bytes_that_read_back_and_differ_each_time()
    {
        LocalMasterKey.CreateFile(_folder.PathOf("one"));
        LocalMasterKey.CreateFile(_folder.PathOf("two"));
        var bytes = File.ReadAllBytes(_folder.PathOf("one"));
        using var key = LocalMasterKey.FromFile(_folder.PathOf("one"));
        Assert.Equal(96, bytes.Length);
        Assert.Equal(bytes, Secrets.BytesOf(key));
        Assert.NotEqual(bytes, File.ReadAllBytes(_folder.PathOf("two")));
        Assert.Equal(["one", "two"], _folder.Names());
    }

    [Fact]
    public void A_created_file_belongs_to_its_owner_alone()
    {
        LocalMasterKey.CreateFile(_folder.PathOf("key"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.PathOf("key")));
        }
    }

    [Fact]
    public void An_existing_file_is_never_overwritten_unless_asked()
    {
        File.WriteAllText(_folder.PathOf("key"), "precious");
        var error = Assert.Throws<MasterKeyException>(() => LocalMasterKey.CreateFile(_folder.PathOf("key")));
        Assert.Contains($"'{_folder.PathOf("key")}' exists and is not overwritten", error.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(_folder.PathOf("key")));
        Assert.Equal(["key"], _folder.Names());

        LocalMasterKey.CreateFile(_folder.PathOf("key"), overwrite: true);
        Assert.Equal(96, new FileInfo(_folder.PathOf("key")).Length);
    }

    [Fact]
    public void Of_many_who_create_the_same_file_one_wins()
    {
        var created = 0;
        Parallel.For(0, 16, _ =>
        {
            try
            {
                LocalMasterKey.CreateFile(_folder.PathOf("key"));
                Interlocked.Increment(ref created);
            }
            catch (MasterKeyException)
            {
                // Somebody else was first.
            }
        });
        Assert.Equal(1, created);
        Assert.Equal(["key"], _folder.Names());
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named()
    {
        var path = _folder.PathOf("missing/key");
        Assert.Contains(path, Assert.Throws<MasterKeyException>(() => LocalMasterKey.CreateFile(path)).Message, StringComparison.Ordinal);
        Assert.Contains(path, Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromFile(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("{0}\n")]
    [InlineData(" \t{0}\r\n\n")]
    [InlineData("{1}\n{2}\n")]
    public void Reads_base64_with_white_space(string format)
    {
        var bytes = RandomNumberGenerator.GetBytes(96);
        var base64 = Convert.ToBase64String(bytes);
        var text = string.Format(null, format, base64, base64[..76], base64[76..]);
        File.WriteAllText(_folder.PathOf("key"), text);
        using var fromFile = LocalMasterKey.FromFile(_folder.PathOf("key"));
        using var fromText = LocalMasterKey.FromBase64(text);
        Assert.Equal(bytes, Secrets.BytesOf(fromFile));
        Assert.Equal(bytes, Secrets.BytesOf(fromText));
    }

    [Fact]
    public void Ninety_six_bytes_are_the_key_even_where_they_look_like_text()
    {
        var bytes = new byte[96];
        Array.Fill(bytes, (byte)'A');
        File.WriteAllBytes(_folder.PathOf("key"), bytes);
        using var key = LocalMasterKey.FromFile(_folder.PathOf("key"));
        Assert.Equal(bytes, Secrets.BytesOf(key));
    }

    [Theory]
    [InlineData(0, "has 0 bytes")]
    [InlineData(95, "has 95 bytes")]
    [InlineData(97, "has 97 bytes")]
    [InlineData(1024, "has 1024 bytes")]
    [InlineData(1025, "has more than 1024 bytes")]
    [InlineData(1_000_000, "has more than 1024 bytes")]
    public void A_file_of_another_length_says_which_it_has_and_which_is_expected(int length, string expected)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, (byte)0xFE);
        File.WriteAllBytes(_folder.PathOf("key"), bytes);
        var error = Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromFile(_folder.PathOf("key")));
        Assert.Contains(_folder.PathOf("key"), error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("96", error.Message, StringComparison.Ordinal);
        Assert.Equal(CsfleErrorCode.InvalidMasterKey, error.Code);
    }

    [Fact]
    public void Base64_of_another_length_says_so_without_showing_it()
    {
        var base64 = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        File.WriteAllText(_folder.PathOf("key"), base64);
        var error = Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromFile(_folder.PathOf("key")));
        Assert.Contains("has 44 bytes, not 96, and is base64 of 32 bytes, not of 96", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(base64, error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(base64, Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromBase64(base64)).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not base64!")]
    [InlineData("AAA")]
    [InlineData("\ud800")]
    [InlineData("")]
    public void Text_that_is_no_key_is_a_typed_error(string text)
        => Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromBase64(text));

    [Theory]
    [InlineData(0)]
    [InlineData(95)]
    [InlineData(97)]
    public void Bytes_of_another_length_are_a_typed_error(int length)
        => Assert.Contains($"this one has {length}", Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromBytes(new byte[length])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_file_and_a_folder_in_its_place_are_typed_errors()
    {
        Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromFile(_folder.PathOf("missing")));
        Directory.CreateDirectory(_folder.PathOf("folder"));
        Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromFile(_folder.PathOf("folder")));
        Assert.Throws<MasterKeyException>(() => LocalMasterKey.CreateFile(_folder.PathOf("folder")));
        Assert.Throws<MasterKeyException>(() => LocalMasterKey.CreateFile(_folder.PathOf("folder"), overwrite: true));
    }

    [Fact]
    public void Warns_where_others_may_read_the_file_and_only_there()
    {
        if (OperatingSystem.IsWindows()) return;
        var path = _folder.PathOf("key");
        LocalMasterKey.CreateFile(path);
        var logger = new CollectingLogger();
        LocalMasterKey.FromFile(path, logger).Dispose();
        Assert.Empty(logger.Lines);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        LocalMasterKey.FromFile(path, logger).Dispose();
        var line = Assert.Single(logger.Lines);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains(path, line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Prints_nothing_and_is_zero_when_disposed()
    {
        var key = LocalMasterKey.Generate();
        var bytes = Secrets.BytesOf(key);
        Assert.Equal("local master key", key.ToString());
        Assert.Contains(bytes, b => b != 0);
        key.Dispose();
        key.Dispose();
        Assert.All(bytes, b => Assert.Equal(0, b));
    }

    [Fact]
    public void Stays_usable_for_the_services_made_from_it_and_is_zero_after_the_last()
    {
        var key = LocalMasterKey.Generate();
        var bytes = Secrets.BytesOf(key);
        var service = new LocalKeyManagementService(key);
        key.Dispose();
        Assert.Contains(bytes, b => b != 0);
        service.Dispose();
        service.Dispose();
        Assert.All(bytes, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => new LocalKeyManagementService(key));
    }

    [Fact]
    public void A_key_in_an_environment_variable_is_read()
    {
        var bytes = RandomNumberGenerator.GetBytes(96);
        using var variable = new Variable($" {Convert.ToBase64String(bytes)}\n");

        using var key = LocalMasterKey.FromEnvironmentVariable(variable.Name);

        Assert.Equal(bytes, Secrets.BytesOf(key));
    }

    [Theory]
    [InlineData(null, "is not set")]
    [InlineData(" ", "is empty")]
    [InlineData("se-cr-et", "is not base64")]
    [InlineData("c2VjcmV0", "is base64 of 6 bytes, not of 96")]
    public void A_mistake_in_an_environment_variable_names_the_variable_and_not_its_value(string? value, string problem)
    {
        using var variable = new Variable(value);

        var error = Assert.Throws<MasterKeyException>(() => LocalMasterKey.FromEnvironmentVariable(variable.Name));

        Assert.Equal(CsfleErrorCode.InvalidMasterKey, error.Code);
        Assert.Contains($"environment variable '{variable.Name}' {problem}", error.Message, StringComparison.Ordinal);
        if (!string.IsNullOrWhiteSpace(value)) Assert.DoesNotContain(value, error.ToString(), StringComparison.Ordinal);
    }

    private sealed class Variable : IDisposable
    {
        public Variable(string? value) => Environment.SetEnvironmentVariable(Name, value);

        public string Name { get; } = $"MEDCO_TEST_{Guid.NewGuid():N}";

        public void Dispose() => Environment.SetEnvironmentVariable(Name, null);
    }
}
