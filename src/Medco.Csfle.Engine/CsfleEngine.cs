using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.Engine.Schema;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

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
    private static readonly IReadOnlyDictionary<string, EncryptionSchema?> NothingAsked = new Dictionary<string, EncryptionSchema?>();

    private readonly KeyVaultService _keyVault;
    private readonly CommandAnalyzer _analyzer;
    private readonly SchemaMap _schemas;
    private readonly ServerSchemaCache? _server;
    private readonly bool _usesServerSchemas;
    private readonly KnownNamespaces _known;
    private readonly IRandomSource _random;
    private readonly ILogger _logger;

    /// <summary>An engine for the collections of a schema map, which writes to those collections alone.</summary>
    /// <param name="keyVault">Where data keys come from.</param>
    /// <param name="schemas">The encryption schema of each collection, by namespace, <c>db.collection</c>.</param>
    /// <exception cref="NamespaceException">A namespace is not of the form <c>db.collection</c>.</exception>
    /// <exception cref="ArgumentException">A namespace stands twice.</exception>
    public CsfleEngine(KeyVaultService keyVault, IEnumerable<KeyValuePair<string, EncryptionSchema>> schemas)
        : this(keyVault, new CsfleEngineOptions { Schemas = new Dictionary<string, EncryptionSchema>(schemas, StringComparer.Ordinal) })
    {
    }

    /// <summary>An engine for the collections that the options name, and those that have a schema on the server.</summary>
    /// <param name="keyVault">Where data keys come from.</param>
    /// <param name="options">Which collections are encrypted, and which may be written to in clear.</param>
    /// <exception cref="NamespaceException">A namespace, or a pattern for namespaces, is none.</exception>
    public CsfleEngine(KeyVaultService keyVault, CsfleEngineOptions options)
        : this(keyVault, options, SystemRandomSource.Instance)
    {
    }

    internal CsfleEngine(KeyVaultService keyVault, CsfleEngineOptions options, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(keyVault);
        ArgumentNullException.ThrowIfNull(options);
        _keyVault = keyVault;
        var allowed = new UnencryptedNamespaces(options.AllowUnencrypted);
        _analyzer = new CommandAnalyzer(allowed);
        _schemas = new SchemaMap(options.Schemas);
        _usesServerSchemas = options.ServerSchemas is not null;
        _server = (options.ServerSchemas ?? options.ServerChecks) is { } runner ? new ServerSchemaCache(runner, options.TimeProvider, _usesServerSchemas) : null;
        _known = new KnownNamespaces(_usesServerSchemas ? options.Schemas.Keys : options.Schemas.Keys.Concat(allowed.Collections));
        _random = random;
        _logger = options.LoggerFactory?.CreateLogger<CsfleEngine>() ?? (ILogger)NullLogger.Instance;
    }

    /// <summary>Encrypts in a command what its collection's schema says, and refuses a command that must not be sent.</summary>
    /// <param name="databaseName">The database the command runs in; <c>$db</c> in the command, if there, has to name the same.</param>
    /// <param name="command">One BSON document; document sequences are folded in as arrays. Not changed.</param>
    /// <param name="cancellationToken">Gives up waiting for schemas and data keys.</param>
    /// <returns>The command to send: the very bytes that came in where nothing is to be encrypted.</returns>
    /// <exception cref="QueryAnalysisException">The command cannot work on encrypted fields, or is not known to be safe.</exception>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    /// <exception cref="DataKeyException">A data key cannot be found or unwrapped.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    /// <exception cref="ServerSchemaException">The server was to be asked about a collection and did not answer.</exception>
    /// <exception cref="EncryptionSchemaException">The schema of a collection on the server is invalid.</exception>
    public ReadOnlyMemory<byte> EncryptCommand(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(databaseName);
        try
        {
            var schemas = SchemasFor(databaseName, command, cancellationToken);
            var measurement = default(CommandMeasurement);
            measurement.Run();
            var plan = _analyzer.Analyze(databaseName, command, schemas);
            if (plan.IsVerbatim)
            {
                plan.Recycle();
                return command;
            }

            measurement.Pause();
            using var keys = AcquiredKeys.Acquire(_keyVault, plan.KeySpan, cancellationToken);
            measurement.Run();
            var encrypted = plan.Apply(keys.Span, _random);
            measurement.Complete(databaseName, command.Span, plan.Placeholders.Count);
            plan.Recycle();
            return encrypted;
        }
        catch (Exception exception) when (CommandMeasurement.Refuse(exception, databaseName, command.Span, _logger))
        {
            throw;
        }
    }

    /// <inheritdoc cref="EncryptCommand"/>
    public async ValueTask<ReadOnlyMemory<byte>> EncryptCommandAsync(
        string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(databaseName);
        try
        {
            var schemas = await SchemasForAsync(databaseName, command, cancellationToken).ConfigureAwait(false);
            var measurement = default(CommandMeasurement);
            measurement.Run();
            var plan = _analyzer.Analyze(databaseName, command, schemas);
            if (plan.IsVerbatim)
            {
                plan.Recycle();
                return command;
            }

            measurement.Pause();
            using var keys = await AcquiredKeys.AcquireAsync(_keyVault, plan.KeySpan, cancellationToken).ConfigureAwait(false);
            measurement.Run();
            var encrypted = plan.Apply(keys.Span, _random);
            measurement.Complete(databaseName, command.Span, plan.Placeholders.Count);
            plan.Recycle();
            return encrypted;
        }
        catch (Exception exception) when (CommandMeasurement.Refuse(exception, databaseName, command.Span, _logger))
        {
            throw;
        }
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
        try
        {
            if (ReplyDecryption.CollectKeys(reply.Span) is not { } set) return reply;
            using var keys = AcquiredKeys.Acquire(_keyVault, set.Keys, cancellationToken);
            var decrypted = ReplyDecryption.Decrypt(reply.Span, set, keys.Span);
            CsfleTelemetry.DecryptedReplies.Add(1);
            return decrypted;
        }
        catch (Exception exception) when (NotDecrypted(exception))
        {
            throw;
        }
    }

    /// <inheritdoc cref="DecryptReply"/>
    public async ValueTask<ReadOnlyMemory<byte>> DecryptReplyAsync(ReadOnlyMemory<byte> reply, CancellationToken cancellationToken = default)
    {
        try
        {
            if (ReplyDecryption.CollectKeys(reply.Span) is not { } set) return reply;
            using var keys = await AcquiredKeys.AcquireAsync(_keyVault, set.Keys, cancellationToken).ConfigureAwait(false);
            var decrypted = ReplyDecryption.Decrypt(reply.Span, set, keys.Span);
            CsfleTelemetry.DecryptedReplies.Add(1);
            return decrypted;
        }
        catch (Exception exception) when (NotDecrypted(exception))
        {
            throw;
        }
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
        => Encrypt(ExplicitEncryption.Plan(value, algorithm, KeyReference.ById(keyId)), cancellationToken);

    /// <inheritdoc cref="Encrypt(ReadOnlyMemory{byte}, CsfleAlgorithm, Guid, CancellationToken)"/>
    /// <param name="value">A document with one element named <c>v</c>, the value.</param>
    /// <param name="algorithm">Deterministic or random.</param>
    /// <param name="keyAltName">One of the data key's alternate names.</param>
    /// <param name="cancellationToken">Gives up waiting for the data key.</param>
    public byte[] Encrypt(ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, string keyAltName, CancellationToken cancellationToken = default)
        => Encrypt(ExplicitEncryption.Plan(value, algorithm, NamedKey(keyAltName)), cancellationToken);

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

    /// <summary>
    /// Refuses a command that writes where nobody said that it may, and one that is not known, for a client that another engine
    /// encrypts for. What is encrypted in the command is that engine's business.
    /// </summary>
    /// <param name="databaseName">The database the command runs in.</param>
    /// <param name="command">The command before it is encrypted.</param>
    /// <param name="encrypts">
    /// False where the other engine encrypts nothing by itself: then an encrypted collection may be written to only where
    /// <see cref="CsfleEngineOptions.AllowUnencrypted"/> names it.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting for schemas.</param>
    /// <exception cref="QueryAnalysisException">The command may not be sent.</exception>
    internal void CheckWrites(string databaseName, ReadOnlyMemory<byte> command, bool encrypts, CancellationToken cancellationToken)
        => _analyzer.Analyze(databaseName, command, SchemasFor(databaseName, command, cancellationToken).Blank(encrypts));

    /// <inheritdoc cref="CheckWrites"/>
    internal async ValueTask CheckWritesAsync(string databaseName, ReadOnlyMemory<byte> command, bool encrypts, CancellationToken cancellationToken)
        => _analyzer.Analyze(databaseName, command, (await SchemasForAsync(databaseName, command, cancellationToken).ConfigureAwait(false)).Blank(encrypts));

    private SchemaMap SchemasFor(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        if (_server is null) return _schemas;
        var named = CommandNamespaces.Of(databaseName, command.Span, _known);
        return Complete(_server, named, named.Existing.Count == 0 ? NothingAsked : _server.Find(named.Existing, cancellationToken));
    }

    private ValueTask<SchemaMap> SchemasForAsync(string databaseName, ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        if (_server is null) return new(_schemas);
        var named = CommandNamespaces.Of(databaseName, command.Span, _known);
        return named.Existing.Count == 0 ? new(Complete(_server, named, NothingAsked)) : Ask(_server, named);

        async ValueTask<SchemaMap> Ask(ServerSchemaCache server, CommandNamespaces named)
            => Complete(server, named, await server.FindAsync(named.Existing, cancellationToken).ConfigureAwait(false));
    }

    // The schemas to analyse a command with, now that the server has told about the collections that nobody registered.
    private SchemaMap Complete(ServerSchemaCache server, CommandNamespaces named, IReadOnlyDictionary<string, EncryptionSchema?> found)
    {
        // The next command shall see what this one changes. Another that asks before the change has happened keeps the old
        // answer for as long as any; what holds then is the server's own validator.
        if (named.ChangesSchemas) server.Forget();
        if (_usesServerSchemas)
        {
            if (named.Created is { } created) found = new Dictionary<string, EncryptionSchema?>(found, StringComparer.Ordinal) { [created] = null };
            return _schemas.With(found);
        }

        // What the server says can forbid a command, never permit one: with a schema of its own making it could have a write
        // pass that would otherwise be refused.
        foreach (var (collection, schema) in found)
        {
            if (schema is not { EncryptsAnything: true }) continue;
            throw new QueryAnalysisException(CsfleErrorCode.SchemaNotRegistered,
                "The collection has an encryption schema on the server, but none is registered here, so that what it says to encrypt would be sent in clear",
                "Register the collection with AddCollection, or take schemas from the server with UseServerSchema().", collection);
        }

        return _schemas;
    }

    private byte[] Encrypt(EncryptionPlan plan, CancellationToken cancellationToken)
    {
        using var keys = AcquiredKeys.Acquire(_keyVault, plan.KeySpan, cancellationToken);
        var encrypted = plan.Apply(keys.Span, _random);
        CsfleTelemetry.EncryptedValues.Add(plan.Placeholders.Count);
        plan.Recycle();
        return encrypted;
    }

    private async ValueTask<byte[]> EncryptAsync(
        ReadOnlyMemory<byte> value, CsfleAlgorithm algorithm, KeyReference key, CancellationToken cancellationToken)
        => await EncryptAsync(ExplicitEncryption.Plan(value, algorithm, key), cancellationToken).ConfigureAwait(false);

    private async ValueTask<byte[]> EncryptAsync(EncryptionPlan plan, CancellationToken cancellationToken)
    {
        using var keys = await AcquiredKeys.AcquireAsync(_keyVault, plan.KeySpan, cancellationToken).ConfigureAwait(false);
        var encrypted = plan.Apply(keys.Span, _random);
        CsfleTelemetry.EncryptedValues.Add(plan.Placeholders.Count);
        plan.Recycle();
        return encrypted;
    }

    private bool NotDecrypted(Exception exception)
    {
        if (exception is not CsfleException { Code: var code }) return false;
        _logger.ReplyNotDecrypted(code, (exception as DecryptionException)?.KeyId ?? (exception as DataKeyException)?.KeyId);
        CsfleTelemetry.DecryptedReplies.Add(1, new KeyValuePair<string, object?>(CsfleTelemetry.ErrorType, code));
        return false;
    }

    private static KeyReference NamedKey(string keyAltName)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyAltName);
        return KeyReference.ByName(keyAltName);
    }

    /// <summary>The data keys of one operation, released together at its end. Their array serves the next operation on the thread.</summary>
    private readonly struct AcquiredKeys : IDisposable
    {
        private const int KeptLength = 8;

        [ThreadStatic]
        private static DataKey[]? t_idle;

        private readonly DataKey[] _keys;
        private readonly int _count;

        private AcquiredKeys(int count)
        {
            if (count <= KeptLength && t_idle is { } idle)
            {
                t_idle = null;
                _keys = idle;
            }
            else
            {
                _keys = new DataKey[Math.Max(count, KeptLength)];
            }

            _count = count;
        }

        public ReadOnlySpan<DataKey> Span => _keys.AsSpan(0, _count);

        public static AcquiredKeys Acquire(KeyVaultService keyVault, ReadOnlySpan<KeyReference> references, CancellationToken cancellationToken)
        {
            var acquired = new AcquiredKeys(references.Length);
            keyVault.AcquireKeys(references, acquired._keys.AsSpan(0, references.Length), cancellationToken);
            return acquired;
        }

        public static ValueTask<AcquiredKeys> AcquireAsync(KeyVaultService keyVault, ReadOnlySpan<KeyReference> references, CancellationToken cancellationToken)
        {
            var acquired = new AcquiredKeys(references.Length);
            var fetched = keyVault.AcquireKeysAsync(references, acquired._keys.AsMemory(0, references.Length), cancellationToken);
            return fetched.IsCompletedSuccessfully ? new(acquired) : Await(fetched, acquired);

            static async ValueTask<AcquiredKeys> Await(ValueTask fetched, AcquiredKeys acquired)
            {
                await fetched.ConfigureAwait(false);
                return acquired;
            }
        }

        public void Dispose()
        {
            foreach (var key in Span) key.Release();
            Array.Clear(_keys, 0, _count);
            if (_keys.Length == KeptLength) t_idle = _keys;
        }
    }
}
