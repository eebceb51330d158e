using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>The key vault as it was before a rewrap, in a file: what is left when everything else goes wrong.</summary>
internal sealed class RewrapBackup
{
    private readonly Dictionary<Guid, DataKeyDocument> _keys;

    private RewrapBackup(string path, IEnumerable<DataKeyDocument> keys)
    {
        Path = path;
        _keys = keys.ToDictionary(key => key.Id);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Reads a backup.</summary>
    /// <exception cref="KeyVaultException">It cannot be read, or is no backup.</exception>
    public static RewrapBackup Read(string path) => new(path, new FileKeyVaultStore(path).List());

    /// <summary>Writes a backup to the disk, and reads it again.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="reached">Is told after every step of writing.</param>
    /// <exception cref="KeyVaultException">It cannot be written, or the file exists.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: two keys share an id or a name.</exception>
    public static RewrapBackup Write(string path, IReadOnlyList<DataKeyDocument> keys, Action<FileWriteStep>? reached = null)
    {
        var content = FileKeyVaultStore.Format(KeyCollection.Of(keys), ExtendedJsonMode.Canonical);
        try
        {
            OwnerOnlyFile.Write(path, content, overwrite: false, reached);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KeyVaultException($"the backup '{path}' cannot be written: {e.Message.TrimEnd('.')}",
                "Nothing was changed. Give a path that does not exist yet, in a folder that exists, may be written to and has room.", e);
        }

        var backup = Read(path);
        var isComplete = backup._keys.Count == keys.Count && keys.All(key => backup.Find(key.Id) is { } kept && kept.Bson.Span.SequenceEqual(key.Bson.Span));
        return isComplete
            ? backup
            : throw new KeyVaultException($"the backup '{path}' does not hold what was written to it", "Nothing was changed. Write the backup to another disk.");
    }

    /// <summary>A key as it was; null where there was none.</summary>
    public DataKeyDocument? Find(Guid id) => _keys.GetValueOrDefault(id);
}
