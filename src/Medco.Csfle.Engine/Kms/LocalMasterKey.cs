using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Medco.Csfle.Engine.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Medco.Csfle.Engine.Kms;

/// <summary>
/// A customer master key held by this process: 96 random bytes. It prints nothing, and its memory is zeroed when it and every
/// service that uses it are disposed.
/// </summary>
/// <remarks>Lost with all its copies, it takes with it every data key wrapped by it and everything they encrypted.</remarks>
public sealed class LocalMasterKey : IDisposable
{
    /// <summary>The length of a local master key in bytes.</summary>
    public const int Length = AeadKey.KeyLength;

    // Base64 of 96 bytes has 128 characters; the rest is for line breaks and blanks. What is longer is some other file.
    private const int MaxFileLength = 1024;

    private readonly AeadKey _key;

    private LocalMasterKey(ReadOnlySpan<byte> key) => _key = new AeadKey(key);

    /// <summary>A new random master key that exists in this process alone: for tests and demonstrations.</summary>
    public static LocalMasterKey Generate()
    {
        var key = GC.AllocateUninitializedArray<byte>(Length, pinned: true);
        try
        {
            RandomNumberGenerator.Fill(key);
            return new LocalMasterKey(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>A master key from its 96 bytes, of which a copy is taken: the caller zeroes the original.</summary>
    /// <exception cref="MasterKeyException">The length is another.</exception>
    public static LocalMasterKey FromBytes(ReadOnlySpan<byte> key)
        => key.Length == Length
            ? new LocalMasterKey(key)
            : throw new MasterKeyException($"a local master key has {Length} bytes, this one has {key.Length}", "Pass the bytes of the master key that the data keys were created with.");

    /// <summary>A master key from 96 bytes in base64, as configuration and secret stores hold it. White space is ignored.</summary>
    /// <exception cref="MasterKeyException">It is not base64, or the length is another.</exception>
    public static LocalMasterKey FromBase64(string base64)
        => FromBase64(base64, "the text of a local master key", "Pass the master key that the data keys were created with.");

    /// <summary>
    /// A master key from an environment variable that holds its 96 bytes in base64. White space is ignored. Other processes of
    /// the same user can read the variable, and child processes inherit it.
    /// </summary>
    /// <param name="variable">The name of the variable.</param>
    /// <exception cref="MasterKeyException">The variable is not set, or holds anything else.</exception>
    public static LocalMasterKey FromEnvironmentVariable(string variable)
    {
        ArgumentException.ThrowIfNullOrEmpty(variable);
        return FromBase64OrNothing(Environment.GetEnvironmentVariable(variable), $"environment variable '{variable}'", "Set it for the process that reads it, and not only in a shell beside it.");
    }

    /// <summary>
    /// A master key from a file that holds its 96 bytes, or the same in base64 with any white space.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="logger">Is warned when other users of a Unix machine may read the file.</param>
    /// <exception cref="MasterKeyException">The file is missing, unreadable, or holds anything else.</exception>
    public static LocalMasterKey FromFile(string path, ILogger? logger = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        const string Remedy = "Use the master key file that the data keys were created with, or restore it from a backup.";
        var content = GC.AllocateUninitializedArray<byte>(MaxFileLength + 1, pinned: true);
        try
        {
            var length = Read(path, content, logger ?? NullLogger.Instance);
            if (length == Length) return new LocalMasterKey(content.AsSpan(0, Length));
            if (length > MaxFileLength)
            {
                throw new MasterKeyException($"master key file '{path}' has more than {MaxFileLength} bytes; {Length} bytes, or the same in base64, are expected", Remedy);
            }

            return FromBase64(content.AsSpan(0, length), $"master key file '{path}' has {length} bytes, not {Length}, and", Remedy);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MasterKeyException($"master key file '{path}' cannot be read: {e.Message.TrimEnd('.')}",
                "Check the path and the permissions. Create a new file only where no data has been encrypted yet.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>
    /// Creates a master key file of 96 random bytes that only its owner may read (mode 0600 on Unix; on Windows the access
    /// list of the folder decides). The file is there completely or not at all. Back it up.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="overwrite">
    /// True replaces a file that exists. What was encrypted under the old master key can then be read only with a backup of it.
    /// </param>
    /// <exception cref="MasterKeyException">The file exists, or cannot be written.</exception>
    public static void CreateFile(string path, bool overwrite = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var key = GC.AllocateUninitializedArray<byte>(Length, pinned: true);
        try
        {
            RandomNumberGenerator.Fill(key);
            OwnerOnlyFile.Write(path, key, overwrite);
        }
        catch (IOException e) when (!overwrite && File.Exists(path))
        {
            throw new MasterKeyException($"master key file '{path}' exists and is not overwritten",
                "Use it: what is encrypted under it can be read with it alone. To replace it all the same, keep a backup and ask for overwriting.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MasterKeyException($"master key file '{path}' cannot be written: {e.Message.TrimEnd('.')}", "Check that the folder exists and may be written to.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Ends the owner's use; services made from it go on until they are disposed.</summary>
    public void Dispose() => _key.Dispose();

    /// <summary>Says what it is and nothing else.</summary>
    public override string ToString() => "local master key";

    /// <summary>Keeps the key usable until the returned use is disposed.</summary>
    internal Use BeginUse()
    {
        ObjectDisposedException.ThrowIf(!_key.TryAddReference(), this);
        return new Use(_key);
    }

    /// <summary>A master key from a text that may be missing.</summary>
    /// <param name="base64">The text.</param>
    /// <param name="source">Where it was looked for.</param>
    /// <param name="missingRemedy">What to do where it is missing.</param>
    /// <exception cref="MasterKeyException">There is no text, or another one.</exception>
    internal static LocalMasterKey FromBase64OrNothing(string? base64, string source, string missingRemedy)
        => string.IsNullOrWhiteSpace(base64)
            ? throw new MasterKeyException(
                $"{source} {(base64 is null ? "is not set" : "is empty")}, and was to hold a local master key",
                $"{missingRemedy} Expected are {Length} bytes in base64.")
            : FromBase64(base64, source, "Use the master key that the data keys were created with.");

    private static LocalMasterKey FromBase64(string base64, string subject, string remedy)
    {
        ArgumentNullException.ThrowIfNull(base64);
        var text = GC.AllocateUninitializedArray<byte>(Encoding.UTF8.GetMaxByteCount(base64.Length), pinned: true);
        try
        {
            var length = Encoding.UTF8.GetBytes(base64, text);
            return FromBase64(text.AsSpan(0, length), subject, remedy);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    private static LocalMasterKey FromBase64(ReadOnlySpan<byte> text, string subject, string remedy)
    {
        var key = GC.AllocateUninitializedArray<byte>(Base64.GetMaxDecodedFromUtf8Length(text.Length), pinned: true);
        try
        {
            var status = Base64.DecodeFromUtf8(text, key, out _, out var length);
            if (status != OperationStatus.Done) throw new MasterKeyException($"{subject} is not base64", $"{Length} bytes, or the same in base64, are expected. {remedy}");
            if (length != Length) throw new MasterKeyException($"{subject} is base64 of {length} bytes, not of {Length}", remedy);
            return new LocalMasterKey(key.AsSpan(0, length));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static int Read(string path, Span<byte> destination, ILogger logger)
    {
        using var stream = new FileStream(path, new FileStreamOptions { BufferSize = 0 });
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if ((File.GetUnixFileMode(stream.SafeFileHandle) & Others) != 0) logger.MasterKeyFileExposed(path);
        }

        return stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
    }

    /// <summary>One service's use of the key.</summary>
    internal sealed class Use(AeadKey key) : IDisposable
    {
        private int _disposed;

        /// <summary>The key, usable until this is disposed.</summary>
        public AeadKey Key => Volatile.Read(ref _disposed) == 0 ? key : throw new ObjectDisposedException(nameof(LocalKeyManagementService));

        /// <summary>Releases the key once, however often it is called.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0) key.Release();
        }
    }
}
