using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine;

/// <summary>
/// Client-Side Field Level Encryption without a driver: commands and replies in, commands and replies out, as BSON bytes.
/// </summary>
/// <remarks>
/// <para>A command goes through query analysis (which values are to be encrypted, and whether the command may be sent at
/// all), then the data keys are fetched, then it is written with ciphertexts. Only the fetching of keys does I/O; it has a
/// sync and an async path, and neither blocks on the other.</para>
/// <para>Instances are safe to use from many threads. They do not own the key vault.</para>
/// </remarks>
public sealed class CsfleEngine
{
    private readonly KeyVaultService _keyVault;
    private readonly CommandAnalyzer _analyzer = new(new UnencryptedNamespaces([]));
    private readonly SchemaMap _schemas;
    private readonly IRandomSource _random;

    /// <summary>An engine for the collections of a schema map.</summary>
    /// <param name="keyVault">Where data keys come from.</param>
    /// <param name="schemas">
    /// The encryption schema of each encrypted collection, by namespace, <c>db.collection</c>. A collection that is not named
    /// is taken for unencrypted: what reads it passes as it is.
    /// </param>
    /// <exception cref="NamespaceException">A namespace is not of the form <c>db.collection</c>.</exception>
    /// <exception cref="ArgumentException">A namespace stands twice.</exception>
    public CsfleEngine(KeyVaultService keyVault, IEnumerable<KeyValuePair<string, EncryptionSchema>> schemas)
        : this(keyVault, schemas, SystemRandomSource.Instance)
    {
    }

    internal CsfleEngine(KeyVaultService keyVault, IEnumerable<KeyValuePair<string, EncryptionSchema>> schemas, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(keyVault);
        ArgumentNullException.ThrowIfNull(schemas);
        _keyVault = keyVault;
        _schemas = new SchemaMap(schemas);
        _random = random;
    }

    /// <summary>Encrypts in a command what its collection's schema says, and refuses a command that must not be sent.</summary>
    /// <param name="databaseName">The database the command runs in; <c>$db</c> in the command, if there, has to name the same.</param>
    /// <param name="command">One BSON document; document sequences are folded in as arrays. Not changed.</param>
    /// <param name="cancellationToken">Gives up waiting for data keys.</param>
    /// <returns>The command to send: the very bytes that came in where nothing is to be encrypted.</returns>
    /// <exception cref="QueryAnalysisException">The command cannot work on encrypted fields, or is not known to be safe.</exception>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    /// <exception cref="DataKeyException">A data key cannot be found or unwrapped.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    public ReadOnlyMemory<byte> EncryptCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(databaseName);
        var plan = _analyzer.Analyze(databaseName, command, _schemas);
        if (!plan.HasPlaceholders) return command;
        using var keys = new AcquiredKeys(plan.Keys);
        _keyVault.AcquireKeys(keys.References.Span, keys.DataKeys.Span, cancellationToken);
        keys.Acquired = true;
        return plan.Apply(keys.DataKeys.Span, _random);
    }

    /// <inheritdoc cref="EncryptCommand"/>
    public async ValueTask<ReadOnlyMemory<byte>> EncryptCommandAsync(
        string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(databaseName);
        var plan = _analyzer.Analyze(databaseName, command, _schemas);
        if (!plan.HasPlaceholders) return command;
        using var keys = new AcquiredKeys(plan.Keys);
        await _keyVault.AcquireKeysAsync(keys.References, keys.DataKeys, cancellationToken).ConfigureAwait(false);
        keys.Acquired = true;
        return plan.Apply(keys.DataKeys.Span, _random);
    }

    /// <summary>
    /// Decrypts every ciphertext in a reply. Error replies stay as they are: drivers copy them into exception messages, and a
    /// decrypted value there would end in a log.
    /// </summary>
    /// <param name="reply">One BSON document. Not changed.</param>
    /// <param name="cancellationToken">Gives up waiting for data keys.</param>
    /// <returns>The reply with plaintexts: the very bytes that came in where nothing is encrypted.</returns>
    /// <exception cref="DecryptionException">A ciphertext is malformed or does not authenticate.</exception>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    /// <exception cref="DataKeyException">A data key cannot be found or unwrapped.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    public ReadOnlyMemory<byte> DecryptReply(ReadOnlyMemory<byte> reply, CancellationToken cancellationToken = default)
    {
        if (ReplyDecryption.CollectKeys(reply.Span) is not { } set) return reply;
        using var keys = new AcquiredKeys(set.Ids);
        _keyVault.AcquireKeys(keys.References.Span, keys.DataKeys.Span, cancellationToken);
        keys.Acquired = true;
        return ReplyDecryption.Decrypt(reply.Span, set, keys.DataKeys.Span);
    }

    /// <inheritdoc cref="DecryptReply"/>
    public async ValueTask<ReadOnlyMemory<byte>> DecryptReplyAsync(ReadOnlyMemory<byte> reply, CancellationToken cancellationToken = default)
    {
        if (ReplyDecryption.CollectKeys(reply.Span) is not { } set) return reply;
        using var keys = new AcquiredKeys(set.Ids);
        await _keyVault.AcquireKeysAsync(keys.References, keys.DataKeys, cancellationToken).ConfigureAwait(false);
        keys.Acquired = true;
        return ReplyDecryption.Decrypt(reply.Span, set, keys.DataKeys.Span);
    }

    /// <summary>Encrypts one value explicitly, whatever schemas say.</summary>
    /// <param name="value">A document with one element named <c>v</c>, the value: BSON values have no bytes of their own without a type.</param>
    /// <param name="algorithm">Deterministic or random.</param>
    /// <param name="keyId">The data key's UUID.</param>
    /// <param name="cancellationToken">Gives up waiting for the data key.</param>
    /// <returns>A document with one element named <c>v</c>: binary data of subtype 6, the ciphertext.</returns>
    /// <exception cref="EncryptionValueException">The value's type cannot be encrypted, or not with this algorithm.</exception>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    /// <exception cref="DataKeyException">The data key cannot be found or unwrapped.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    public byte[] Encrypt(ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, Guid keyId, CancellationToken cancellationToken = default)
        => Encrypt(value, algorithm, KeyReference.ById(keyId), cancellationToken);

    /// <inheritdoc cref="Encrypt(ReadOnlyMemory{byte}, CsfleAlgorithm, Guid, CancellationToken)"/>
    /// <param name="value">A document with one element named <c>v</c>, the value.</param>
    /// <param name="algorithm">Deterministic or random.</param>
    /// <param name="keyAltName">One of the data key's alternate names.</param>
    /// <param name="cancellationToken">Gives up waiting for the data key.</param>
    public byte[] Encrypt(ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, string keyAltName, CancellationToken cancellationToken = default)
        => Encrypt(value, algorithm, NamedKey(keyAltName), cancellationToken);

    /// <inheritdoc cref="Encrypt(ReadOnlyMemory{byte}, CsfleAlgorithm, Guid, CancellationToken)"/>
    public ValueTask<byte[]> EncryptAsync(ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, Guid keyId, CancellationToken cancellationToken = default)
        => EncryptAsync(value, algorithm, KeyReference.ById(keyId), cancellationToken);

    /// <inheritdoc cref="Encrypt(ReadOnlyMemory{byte}, CsfleAlgorithm, string, CancellationToken)"/>
    public ValueTask<byte[]> EncryptAsync(ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, string keyAltName, CancellationToken cancellationToken = default)
        => EncryptAsync(value, algorithm, NamedKey(keyAltName), cancellationToken);

    /// <summary>Decrypts one value.</summary>
    /// <param name="ciphertext">A document with one element named <c>v</c>: binary data of subtype 6.</param>
    /// <param name="cancellationToken">Gives up waiting for the data key.</param>
    /// <returns>A document with one element named <c>v</c>: the value.</returns>
    /// <exception cref="DecryptionException">It is no ciphertext, or does not authenticate.</exception>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    /// <exception cref="DataKeyException">The data key cannot be found or unwrapped.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    public byte[] Decrypt(ReadOnlyMemory<byte> ciphertext, CancellationToken cancellationToken = default)
    {
        ExplicitEncryption.CheckCiphertext(ciphertext.Span);
        return DecryptReply(ciphertext, cancellationToken).ToArray();
    }

    /// <inheritdoc cref="Decrypt"/>
    public async ValueTask<byte[]> DecryptAsync(ReadOnlyMemory<byte> ciphertext, CancellationToken cancellationToken = default)
    {
        ExplicitEncryption.CheckCiphertext(ciphertext.Span);
        return (await DecryptReplyAsync(ciphertext, cancellationToken).ConfigureAwait(false)).ToArray();
    }

    private byte[] Encrypt(ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, KeyReference key, CancellationToken cancellationToken)
    {
        var plan = ExplicitEncryption.Plan(value, algorithm, key);
        using var keys = new AcquiredKeys(plan.Keys);
        _keyVault.AcquireKeys(keys.References.Span, keys.DataKeys.Span, cancellationToken);
        keys.Acquired = true;
        return plan.Apply(keys.DataKeys.Span, _random);
    }

    private async ValueTask<byte[]> EncryptAsync(
        ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, KeyReference key, CancellationToken cancellationToken)
    {
        var plan = ExplicitEncryption.Plan(value, algorithm, key);
        using var keys = new AcquiredKeys(plan.Keys);
        await _keyVault.AcquireKeysAsync(keys.References, keys.DataKeys, cancellationToken).ConfigureAwait(false);
        keys.Acquired = true;
        return plan.Apply(keys.DataKeys.Span, _random);
    }

    private static KeyReference NamedKey(string keyAltName)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyAltName);
        return KeyReference.ByName(keyAltName);
    }

    /// <summary>The data keys of one operation, released together at its end.</summary>
    private sealed class AcquiredKeys : IDisposable
    {
        private readonly KeyReference[] _references;
        private readonly DataKey[] _dataKeys;

        public AcquiredKeys(IReadOnlyList<KeyReference> references)
        {
            _references = [.. references];
            _dataKeys = new DataKey[_references.Length];
        }

        public AcquiredKeys(IReadOnlyList<Guid> ids)
            : this([.. ids.Select(KeyReference.ById)])
        {
        }

        public bool Acquired { get; set; }

        public ReadOnlyMemory<KeyReference> References => _references;

        public Memory<DataKey> DataKeys => _dataKeys;

        public void Dispose()
        {
            if (!Acquired) return;
            foreach (var key in _dataKeys) key.Release();
        }
    }
}
