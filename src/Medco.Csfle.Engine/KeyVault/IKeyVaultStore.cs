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
}
