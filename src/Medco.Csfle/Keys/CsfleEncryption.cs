using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;

namespace Medco.Csfle;

/// <summary>
/// Explicit encryption: the application encrypts single values itself, and writes and queries them through a client without
/// encryption. Every official driver decrypts them, and an encrypted client of this library does so by itself.
/// </summary>
/// <remarks>Needs neither registered collections nor a start-up. Safe to use from many threads.</remarks>
public sealed class CsfleEncryption
{
    private const string ElementName = "v";

    private readonly CsfleKeys _keys;
    private volatile CsfleEngine? _engine;

    internal CsfleEncryption(CsfleKeys keys) => _keys = keys;

    /// <summary>Encrypts a value with the data key of that id.</summary>
    /// <param name="value">Any value but null, <c>undefined</c>, MinKey and MaxKey, and what is encrypted already.</param>
    /// <param name="algorithm">
    /// Random; or deterministic, which gives equal values equal ciphertexts so that they can be found, and takes neither
    /// floating-point numbers nor booleans, documents and arrays.
    /// </param>
    /// <param name="keyId">The data key's UUID.</param>
    /// <param name="cancellationToken">Gives up waiting for the data key.</param>
    /// <returns>The ciphertext: binary data of subtype 6.</returns>
    /// <exception cref="EncryptionValueException">The value cannot be encrypted, or not with this algorithm.</exception>
    /// <exception cref="DataKeyException">The data key cannot be found or unwrapped.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    /// <exception cref="KmsException">The KMS failed.</exception>
    /// <exception cref="MasterKeyException">The master key cannot be read.</exception>
    /// <exception cref="CsfleConfigurationException">The master key comes asynchronously, and nothing has awaited it yet.</exception>
    public BsonBinaryData Encrypt(BsonValue value, CsfleAlgorithm algorithm, Guid keyId, CancellationToken cancellationToken = default)
        => Ciphertext(Engine(_keys.Service).Encrypt(Wrap(value), algorithm, keyId, cancellationToken));

    /// <summary>Encrypts a value with the data key of that name.</summary>
    /// <inheritdoc cref="Encrypt(BsonValue, CsfleAlgorithm, Guid, CancellationToken)"/>
    /// <param name="value"><inheritdoc cref="Encrypt(BsonValue, CsfleAlgorithm, Guid, CancellationToken)" path="/param[@name='value']"/></param>
    /// <param name="algorithm"><inheritdoc cref="Encrypt(BsonValue, CsfleAlgorithm, Guid, CancellationToken)" path="/param[@name='algorithm']"/></param>
    /// <param name="keyAltName">One of the data key's alternate names.</param>
    /// <param name="cancellationToken">Gives up waiting for the data key.</param>
    public BsonBinaryData Encrypt(BsonValue value, CsfleAlgorithm algorithm, string keyAltName, CancellationToken cancellationToken = default)
        => Ciphertext(Engine(_keys.Service).Encrypt(Wrap(value), algorithm, keyAltName, cancellationToken));

    /// <inheritdoc cref="Encrypt(BsonValue, CsfleAlgorithm, Guid, CancellationToken)"/>
    public async Task<BsonBinaryData> EncryptAsync(BsonValue value, CsfleAlgorithm algorithm, Guid keyId, CancellationToken cancellationToken = default)
    {
        var document = Wrap(value);
        var engine = Engine(await _keys.OpenAsync(cancellationToken).ConfigureAwait(false));
        return Ciphertext(await engine.EncryptAsync(document, algorithm, keyId, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc cref="Encrypt(BsonValue, CsfleAlgorithm, string, CancellationToken)"/>
    public async Task<BsonBinaryData> EncryptAsync(BsonValue value, CsfleAlgorithm algorithm, string keyAltName, CancellationToken cancellationToken = default)
    {
        var document = Wrap(value);
        var engine = Engine(await _keys.OpenAsync(cancellationToken).ConfigureAwait(false));
        return Ciphertext(await engine.EncryptAsync(document, algorithm, keyAltName, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Decrypts a value, whoever encrypted it. The ciphertext names its data key.</summary>
    /// <param name="ciphertext">Binary data of subtype 6.</param>
    /// <param name="cancellationToken">Gives up waiting for the data key.</param>
    /// <returns>The value, of the type it had.</returns>
    /// <exception cref="DecryptionException">It is no ciphertext, or does not authenticate.</exception>
    /// <exception cref="DataKeyException">The data key cannot be found or unwrapped.</exception>
    /// <exception cref="KeyVaultException">The key vault cannot be read.</exception>
    /// <exception cref="KmsException">The KMS failed.</exception>
    /// <exception cref="MasterKeyException">The master key cannot be read.</exception>
    /// <exception cref="CsfleConfigurationException">The master key comes asynchronously, and nothing has awaited it yet.</exception>
    public BsonValue Decrypt(BsonBinaryData ciphertext, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ciphertext);
        return Value(Engine(_keys.Service).Decrypt(Wrap(ciphertext), cancellationToken));
    }

    /// <inheritdoc cref="Decrypt"/>
    public async Task<BsonValue> DecryptAsync(BsonBinaryData ciphertext, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ciphertext);
        var engine = Engine(await _keys.OpenAsync(cancellationToken).ConfigureAwait(false));
        return Value(await engine.DecryptAsync(Wrap(ciphertext), cancellationToken).ConfigureAwait(false));
    }

    // Explicit encryption asks for no schema, so that this engine knows of none. The key vault is always the same one.
    private CsfleEngine Engine(KeyVaultService vault) => _engine ??= new CsfleEngine(vault, new CsfleEngineOptions());

    private static byte[] Wrap(BsonValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        try
        {
            return new BsonDocument(ElementName, value).ToBson();
        }
        catch (Exception exception) when (exception is BsonException or ArgumentException or FormatException or InvalidOperationException)
        {
            // The driver's message may quote the value.
            throw new EncryptionValueException("the value cannot be written as BSON", "Pass a value that the driver can write: valid Unicode, names without a null character, and not nested too deeply.");
        }
    }

    private static BsonBinaryData Ciphertext(byte[] document) => BsonSerializer.Deserialize<BsonDocument>(document)[ElementName].AsBsonBinaryData;

    // A document may hold the same name twice: that is no reason not to give back what was encrypted.
    private static BsonValue Value(byte[] document)
        => BsonSerializer.Deserialize<BsonDocument>(document, builder => builder.AllowDuplicateElementNames = true)[ElementName];
}
