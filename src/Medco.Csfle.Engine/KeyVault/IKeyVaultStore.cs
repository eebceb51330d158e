namespace Medco.Csfle.Engine.KeyVault;

/// <summary>
/// Where data keys are kept. A store keeps them as they are, wrapped; it knows no master key. It is used by many threads and,
/// where it outlives the process, by many processes.
/// </summary>
/// <remarks>
/// Every operation exists twice, waiting on the calling thread and asynchronous; neither may be built on the other by
/// blocking. Nothing is cached here. Keys are found as they were at some moment during the call.
/// </remarks>
public interface IKeyVaultStore
{
    /// <summary>What and where it is, for messages: <c>the key vault file '/var/keys.json'</c>.</summary>
    string Description { get; }

    /// <summary>The keys that have one of the ids or one of the alternate names, each once, in any order.</summary>
    /// <exception cref="KeyVaultException">The store cannot be read.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: a document found is no data key.</exception>
    IReadOnlyList<DataKeyDocument> Find(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="Find"/>
    ValueTask<IReadOnlyList<DataKeyDocument>> FindAsync(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default);

    /// <summary>The first keys, in the store's order.</summary>
    /// <param name="limit">The most keys to return.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="KeyVaultException">The store cannot be read.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: a document found is no data key.</exception>
    IReadOnlyList<DataKeyDocument> List(int limit = int.MaxValue, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="List"/>
    ValueTask<IReadOnlyList<DataKeyDocument>> ListAsync(int limit = int.MaxValue, CancellationToken cancellationToken = default);

    /// <summary>Adds a key. When it returns, the key is kept as safely as the store keeps anything.</summary>
    /// <exception cref="DataKeyException">
    /// <see cref="CsfleErrorCode.DuplicateDataKey"/>: the id or one of the names is taken; nothing was added.
    /// </exception>
    /// <exception cref="KeyVaultException">The store cannot be read or written.</exception>
    void Insert(DataKeyDocument key, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="Insert"/>
    ValueTask InsertAsync(DataKeyDocument key, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes sure, once for all who use the key vault, that no name can come to stand for two keys. Nothing happens where that
    /// is so already.
    /// </summary>
    /// <exception cref="KeyVaultException">It cannot be made sure of: two keys share a name, or rights are missing.</exception>
    void EnsureIndex(CancellationToken cancellationToken = default);

    /// <inheritdoc cref="EnsureIndex"/>
    ValueTask EnsureIndexAsync(CancellationToken cancellationToken = default);

    /// <summary>The keys that a filter chooses, in the store's order.</summary>
    /// <param name="filter">
    /// A filter of MongoDB's query language over key documents, as BSON; the empty document chooses all. A store that has no
    /// server knows a part of the language, which chooses by <c>_id</c>, <c>keyAltNames</c>, <c>masterKey</c> and dates.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="KeyVaultException">The store cannot be read, or does not know something in the filter.</exception>
    /// <exception cref="BsonFormatException">The filter is not BSON.</exception>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.MalformedDataKey"/>: a document found is no data key.</exception>
    IReadOnlyList<DataKeyDocument> FindMatching(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="FindMatching"/>
    ValueTask<IReadOnlyList<DataKeyDocument>> FindMatchingAsync(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default);

    /// <summary>Gives a key one more name, in one step. A name that it has already stays as it is.</summary>
    /// <returns>The key as it was before; null where there is none of that id.</returns>
    /// <exception cref="DataKeyException"><see cref="CsfleErrorCode.DuplicateDataKey"/>: another key has the name; nothing was changed.</exception>
    /// <exception cref="KeyVaultException">The store cannot be read or written.</exception>
    DataKeyDocument? AddName(Guid id, string keyAltName, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="AddName"/>
    ValueTask<DataKeyDocument?> AddNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default);

    /// <summary>Takes a name from a key, in one step; with the last name goes the field.</summary>
    /// <returns>The key as it was before, with the name or without; null where there is none of that id.</returns>
    /// <exception cref="KeyVaultException">The store cannot be read or written.</exception>
    DataKeyDocument? RemoveName(Guid id, string keyAltName, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="RemoveName"/>
    ValueTask<DataKeyDocument?> RemoveNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default);

    /// <summary>Removes a key. What it encrypted can be read only with a backup of it.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="KeyVaultException">The store cannot be read or written.</exception>
    bool Delete(Guid id, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="Delete"/>
    ValueTask<bool> DeleteAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Replaces <c>keyMaterial</c> and <c>masterKey</c> of keys and sets <c>updateDate</c>. Every key changes in one step; all of
    /// them together need not. A key that is not there any more is left out.
    /// </summary>
    /// <param name="keys">The new wrappings.</param>
    /// <param name="now">The time of the change, for a store that has no clock of its own.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="KeyVaultException">The store cannot be read or written; some of the keys may have changed.</exception>
    RewrapResult Rewrap(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="Rewrap"/>
    ValueTask<RewrapResult> RewrapAsync(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default);
}
