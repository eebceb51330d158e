using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Keeps data keys in a file that people can read: one JSON array of the key documents in relaxed Extended JSON, which is what
/// <c>mongoimport --jsonArray</c> reads and <c>mongoexport --jsonArray</c> writes.
/// </summary>
/// <remarks>
/// <para>Many threads and processes on one machine may use the same file. A change takes an exclusive lock on a second file
/// beside it, <c>name.lock</c>, which stays there empty, and replaces the file in one step, so that a reader, or a crash, sees
/// the old content or the new. Do not put the file on a network file system whose locks are not dependable.</para>
/// <para>A file that is not there is an empty key vault; one that cannot be understood is an error, and is never written over.
/// The file is readable for its owner alone (mode 0600 on Unix; on Windows the access list of the folder decides).</para>
/// <para>The asynchronous operations wait for the lock without blocking; they read and write the small local file itself on
/// the calling thread.</para>
/// </remarks>
public sealed class FileKeyVaultStore : WholeKeyVaultStore
{
    // The file is an array, the parser reads documents: it is given { "k": file }.
    private static readonly byte[] Prefix = "{\"k\":"u8.ToArray();
    private static readonly byte[] Suffix = "}"u8.ToArray();
    private static readonly TimeSpan LockPollInterval = TimeSpan.FromMilliseconds(5);

    private readonly string _path;
    private readonly TimeSpan _lockTimeout;
    private readonly Action<FileWriteStep>? _reached;

    /// <summary>Keeps keys in that file, which the first insert creates. Nothing is read or written yet.</summary>
    /// <param name="path">The file; its folder exists.</param>
    public FileKeyVaultStore(string path)
        : this(path, TimeSpan.FromSeconds(30))
    {
    }

    internal FileKeyVaultStore(string path, TimeSpan lockTimeout, Action<FileWriteStep>? reached = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = Path.GetFullPath(path);
        _lockTimeout = lockTimeout;
        _reached = reached;
    }

    /// <inheritdoc/>
    public override string Description => $"the key vault file '{_path}'";

    private protected override bool Change(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken)
    {
        var deadline = Deadline();
        FileStream? held;
        while ((held = TryLock(deadline)) is null)
        {
            cancellationToken.WaitHandle.WaitOne(LockPollInterval);
            cancellationToken.ThrowIfCancellationRequested();
        }

        using (held)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Apply(change);
        }
    }

    private protected override async ValueTask<bool> ChangeAsync(Func<KeyCollection, KeyCollection> change, CancellationToken cancellationToken)
    {
        var deadline = Deadline();
        FileStream? held;
        while ((held = TryLock(deadline)) is null)
        {
            await Task.Delay(LockPollInterval, cancellationToken).ConfigureAwait(false);
        }

        using (held)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Apply(change);
        }
    }

    private bool Apply(Func<KeyCollection, KeyCollection> change)
    {
        var before = Load();
        var after = change(before);
        if (ReferenceEquals(after, before)) return false;
        Save(after);
        return true;
    }

    private long Deadline() => Environment.TickCount64 + (long)_lockTimeout.TotalMilliseconds;

    private FileStream? TryLock(long deadline)
    {
        var path = _path + ".lock";
        try
        {
            return OwnerOnlyFile.Open(path, FileMode.OpenOrCreate);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && Environment.TickCount64 < deadline)
        {
            // Somebody else holds it. A missing folder, for one, is a type of its own and not worth waiting for.
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyVaultException($"{Description} cannot be locked: {e.Message.TrimEnd('.')}",
                $"Check that its folder exists and may be written to, and that no process hangs while it holds '{path}'.", e);
        }
    }

    private protected override KeyCollection Load()
    {
        byte[] content;
        try
        {
            content = ReadAll();
        }
        catch (FileNotFoundException)
        {
            return KeyCollection.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyVaultException($"{Description} cannot be read: {e.Message.TrimEnd('.')}", "Check the path and the permissions.", e);
        }

        return Parse(content);
    }

    private byte[] ReadAll()
    {
        // Sharing all, so that a change may replace the file meanwhile; what was opened stays as it was.
        using var stream = new FileStream(_path, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete });
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    private KeyCollection Parse(byte[] content)
    {
        byte[] document;
        try
        {
            document = ExtendedJson.ToBson([.. Prefix, .. content, .. Suffix]);
        }
        catch (ExtendedJsonFormatException e)
        {
            throw Damaged($"at byte {Math.Clamp(e.Position - Prefix.Length, 0, content.Length)} it is not Extended JSON", e);
        }
        catch (BsonFormatException e)
        {
            throw Damaged("it is longer than a key vault can be", e);
        }

        var file = new BsonReader(document);
        file.Read();
        if (file.Type != BsonType.Array || file.ValueEnd != file.End - 1) throw Damaged("at byte 0 it is not one array of data keys", null);

        var keys = new List<DataKeyDocument>();
        var array = file.ReadDocument();
        while (array.Read())
        {
            if (array.Type != BsonType.Document) throw Damaged($"entry {keys.Count} is no data key", null);
            try
            {
                keys.Add(DataKeyDocument.Parse(array.Value));
            }
            catch (CsfleException e)
            {
                throw Damaged($"entry {keys.Count} is no data key ({e.Message})", e);
            }
        }

        try
        {
            return KeyCollection.Of(keys);
        }
        catch (DataKeyException e)
        {
            throw Damaged($"an id or a name stands there twice ({e.Message})", e);
        }
    }

    /// <summary>The content of a file with those keys.</summary>
    internal static byte[] Format(KeyCollection keys, ExtendedJsonMode mode)
    {
        var text = new StringBuilder("[\n");
        for (var i = 0; i < keys.Keys.Count; i++)
        {
            if (i > 0) text.Append(",\n");
            text.Append(ExtendedJson.ToJson(keys.Keys[i].ToBson(), mode, indented: true));
        }

        text.Append("\n]\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private void Save(KeyCollection keys)
    {
        try
        {
            OwnerOnlyFile.Write(_path, Format(keys, ExtendedJsonMode.Relaxed), overwrite: true, _reached);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyVaultException($"{Description} cannot be written: {e.Message.TrimEnd('.')}", "Check that its folder may be written to and has room.", e);
        }
    }

    private KeyVaultException Damaged(string what, Exception? cause) => new(
        $"{Description} is damaged: {what}",
        "It is left as it is. Restore it from a backup: without it, what its data keys encrypted cannot be read.",
        cause);
}
