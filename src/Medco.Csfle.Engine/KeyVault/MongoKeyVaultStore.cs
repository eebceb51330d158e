using Medco.Csfle.Engine.Analysis;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>Keeps data keys in a collection of MongoDB: the key vault that the official drivers use, document for document.</summary>
/// <remarks>
/// <para>Reads are majority reads and writes wait for the majority, so that a key that encrypted something is not lost when a
/// server is. No cursor stays open: what may not fit into one batch is read page by page, in the order of <c>_id</c>.</para>
/// <para>That no name is taken twice is the work of a unique index, which MongoDB does not create by itself: call
/// <see cref="EnsureIndex"/> once before the first key is inserted.</para>
/// <para>Source: specifications, client-side-encryption, "Key vault collection".</para>
/// </remarks>
public sealed class MongoKeyVaultStore : IKeyVaultStore
{
    private readonly IMongoCommandRunner _runner;
    private readonly MongoNamespace _namespace;
    private readonly KeyVaultReplies _replies;

    /// <summary>Keeps keys in that collection. Nothing is read or written yet.</summary>
    /// <param name="runner">Runs commands on the server that has the key vault, without encrypting or decrypting them.</param>
    /// <param name="keyVaultNamespace">The collection, <c>database.collection</c>; by custom <c>encryption.__keyVault</c>.</param>
    /// <exception cref="NamespaceException">The namespace is none that MongoDB would take.</exception>
    public MongoKeyVaultStore(IMongoCommandRunner runner, string keyVaultNamespace)
    {
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentNullException.ThrowIfNull(keyVaultNamespace);
        _runner = runner;
        _namespace = MongoNamespace.Parse(keyVaultNamespace, "Give the key vault as 'database.collection', such as 'encryption.__keyVault'.");
        _replies = new KeyVaultReplies(Description);
    }

    /// <inheritdoc/>
    public string Description => $"the key vault collection '{_namespace}'";

    /// <summary>
    /// Creates the unique index on <c>keyAltNames</c>, over the keys that have names. Does nothing where it is there already.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="KeyVaultException">
    /// The index cannot be created; <see cref="KeyVaultException.ServerCode"/> says why, 11000 where two keys share a name.
    /// </exception>
    public void EnsureIndex(CancellationToken cancellationToken = default)
        => _replies.CheckIndex(Run(KeyVaultCommands.CreateIndex(_namespace.Collection), cancellationToken));

    /// <inheritdoc/>
    public async ValueTask EnsureIndexAsync(CancellationToken cancellationToken = default)
        => _replies.CheckIndex(await RunAsync(KeyVaultCommands.CreateIndex(_namespace.Collection), cancellationToken).ConfigureAwait(false));

    /// <summary>Whether the unique index on <c>keyAltNames</c> is there. Changes nothing.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="KeyVaultException">The server does not answer, or not what it was asked.</exception>
    public KeyVaultIndex CheckIndex(CancellationToken cancellationToken = default)
        => _replies.ReadIndex(Run(KeyVaultIndexQuestion.Command(_namespace.Collection), cancellationToken));

    /// <inheritdoc cref="CheckIndex"/>
    public async ValueTask<KeyVaultIndex> CheckIndexAsync(CancellationToken cancellationToken = default)
        => _replies.ReadIndex(await RunAsync(KeyVaultIndexQuestion.Command(_namespace.Collection), cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> Find(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
        => Read(KeyPages.Matching(_namespace.Collection, ids, keyAltNames), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DataKeyDocument>> FindAsync(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> keyAltNames, CancellationToken cancellationToken = default)
        => ReadAsync(KeyPages.Matching(_namespace.Collection, ids, keyAltNames), cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> List(int limit = int.MaxValue, CancellationToken cancellationToken = default)
        => Read(KeyPages.All(_namespace.Collection, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DataKeyDocument>> ListAsync(int limit = int.MaxValue, CancellationToken cancellationToken = default)
        => ReadAsync(KeyPages.All(_namespace.Collection, limit), cancellationToken);

    /// <inheritdoc/>
    public void Insert(DataKeyDocument key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        _replies.CheckInsert(Run(KeyVaultCommands.Insert(_namespace.Collection, key), cancellationToken), key);
    }

    /// <inheritdoc/>
    public async ValueTask InsertAsync(DataKeyDocument key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        _replies.CheckInsert(await RunAsync(KeyVaultCommands.Insert(_namespace.Collection, key), cancellationToken).ConfigureAwait(false), key);
    }

    /// <inheritdoc/>
    public IReadOnlyList<DataKeyDocument> FindMatching(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
        => Read(KeyPages.Matching(_namespace.Collection, filter.Span), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DataKeyDocument>> FindMatchingAsync(ReadOnlyMemory<byte> filter, CancellationToken cancellationToken = default)
        => ReadAsync(KeyPages.Matching(_namespace.Collection, filter.Span), cancellationToken);

    /// <inheritdoc/>
    public DataKeyDocument? AddName(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        return _replies.ReadChanged(Run(KeyVaultUpdates.AddName(_namespace.Collection, id, keyAltName), cancellationToken), id, keyAltName);
    }

    /// <inheritdoc/>
    public async ValueTask<DataKeyDocument?> AddNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        var command = KeyVaultUpdates.AddName(_namespace.Collection, id, keyAltName);
        return _replies.ReadChanged(await RunAsync(command, cancellationToken).ConfigureAwait(false), id, keyAltName);
    }

    /// <inheritdoc/>
    public DataKeyDocument? RemoveName(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        var before = _replies.ReadChanged(Run(KeyVaultUpdates.RemoveName(_namespace.Collection, id, keyAltName), cancellationToken), id, keyAltName);

        // The drivers' pipeline turns names that are not there into null, and nobody reads such a key.
        if (before is { KeyAltNames: [] }) _replies.ReadCounts(Run(KeyVaultUpdates.RemoveNullNames(_namespace.Collection, id), CancellationToken.None), $"data key {id} was changed");
        return before;
    }

    /// <inheritdoc/>
    public async ValueTask<DataKeyDocument?> RemoveNameAsync(Guid id, string keyAltName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keyAltName);
        var command = KeyVaultUpdates.RemoveName(_namespace.Collection, id, keyAltName);
        var before = _replies.ReadChanged(await RunAsync(command, cancellationToken).ConfigureAwait(false), id, keyAltName);
        if (before is { KeyAltNames: [] })
        {
            var undo = KeyVaultUpdates.RemoveNullNames(_namespace.Collection, id);
            _replies.ReadCounts(await RunAsync(undo, CancellationToken.None).ConfigureAwait(false), $"data key {id} was changed");
        }

        return before;
    }

    /// <inheritdoc/>
    public bool Delete(Guid id, CancellationToken cancellationToken = default)
        => _replies.ReadCounts(Run(KeyVaultUpdates.Delete(_namespace.Collection, id), cancellationToken), $"data key {id} was deleted").MatchedCount > 0;

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(Guid id, CancellationToken cancellationToken = default)
    {
        var reply = await RunAsync(KeyVaultUpdates.Delete(_namespace.Collection, id), cancellationToken).ConfigureAwait(false);
        return _replies.ReadCounts(reply, $"data key {id} was deleted").MatchedCount > 0;
    }

    /// <inheritdoc/>
    public RewrapResult Rewrap(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var (matched, modified, next) = (0, 0, 0);
        while (next < keys.Count)
        {
            var counts = _replies.ReadCounts(Run(KeyVaultUpdates.Rewrap(_namespace.Collection, keys, ref next), cancellationToken), "keys were rewrapped");
            (matched, modified) = (matched + counts.MatchedCount, modified + counts.ModifiedCount);
        }

        return new RewrapResult(matched, modified);
    }

    /// <inheritdoc/>
    public async ValueTask<RewrapResult> RewrapAsync(IReadOnlyList<RewrappedKey> keys, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var (matched, modified, next) = (0, 0, 0);
        while (next < keys.Count)
        {
            var reply = await RunAsync(KeyVaultUpdates.Rewrap(_namespace.Collection, keys, ref next), cancellationToken).ConfigureAwait(false);
            var counts = _replies.ReadCounts(reply, "keys were rewrapped");
            (matched, modified) = (matched + counts.MatchedCount, modified + counts.ModifiedCount);
        }

        return new RewrapResult(matched, modified);
    }

    private IReadOnlyList<DataKeyDocument> Read(KeyPages pages, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (pages.NextCommand() is { } command) pages.Add(_replies.ReadKeys(Run(command, cancellationToken), out var length), length);
        return pages.Keys;
    }

    private async ValueTask<IReadOnlyList<DataKeyDocument>> ReadAsync(KeyPages pages, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (pages.NextCommand() is { } command)
        {
            pages.Add(_replies.ReadKeys(await RunAsync(command, cancellationToken).ConfigureAwait(false), out var length), length);
        }

        return pages.Keys;
    }

    private byte[] Run(byte[] command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return _runner.RunCommand(_namespace.Database, command, cancellationToken);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw _replies.NoAnswer(e);
        }
    }

    private async ValueTask<byte[]> RunAsync(byte[] command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _runner.RunCommandAsync(_namespace.Database, command, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ServerReply.IsTransportFault(e, cancellationToken))
        {
            throw _replies.NoAnswer(e);
        }
    }
}
