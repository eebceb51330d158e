using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Cryptography;

/// <summary>
/// An unwrapped data encryption key: encrypts and decrypts single BSON values. It prints nothing but its id, and its bytes are
/// zero once the last user has released it.
/// </summary>
internal sealed class DataKey : IDisposable
{
    private readonly AeadKey _key;

    /// <summary>Takes a copy of the 96 bytes; the caller zeroes the original.</summary>
    public DataKey(Guid id, ReadOnlySpan<byte> material)
    {
        Id = id;
        _key = new AeadKey(material);
    }

    /// <summary>The UUID that every ciphertext under this key carries.</summary>
    public Guid Id { get; }

    /// <inheritdoc cref="AeadKey.TryAddReference"/>
    public bool TryAddReference() => _key.TryAddReference();

    /// <inheritdoc cref="AeadKey.Release"/>
    public void Release() => _key.Release();

    /// <summary>Releases the owner's reference.</summary>
    public void Dispose() => _key.Dispose();

    /// <summary>Encrypts one value.</summary>
    /// <param name="algorithm">Deterministic or random.</param>
    /// <param name="type">The value's BSON type.</param>
    /// <param name="value">The value's raw bytes, without type and name.</param>
    /// <param name="iv">16 fresh random bytes for the random algorithm; not looked at for the deterministic one.</param>
    /// <param name="destination">Receives exactly <see cref="Ciphertext.LengthFor"/> bytes.</param>
    public void Encrypt(CsfleAlgorithm algorithm, BsonType type, ReadOnlySpan<byte> value, ReadOnlySpan<byte> iv, Span<byte> destination)
    {
        var header = destination[..Ciphertext.HeaderLength];
        header[0] = (byte)algorithm;
        Id.TryWriteBytes(header[1..], bigEndian: true, out _);
        header[^1] = (byte)type;
        switch (algorithm)
        {
            case CsfleAlgorithm.Deterministic:
                _key.EncryptDeterministically(destination, header.Length, value);
                break;
            case CsfleAlgorithm.Random:
                _key.Encrypt(destination, header.Length, iv, value);
                break;
            default:
                // Its number would become the first byte and make the ciphertext something else.
                throw new ArgumentOutOfRangeException(nameof(algorithm));
        }
    }

    /// <summary>Decrypts one value and checks that it is exactly one BSON value of the type the ciphertext states.</summary>
    /// <param name="ciphertext">A ciphertext under this key.</param>
    /// <param name="destination">Has room for <see cref="AeadKey.DecryptionLength"/> of the payload.</param>
    /// <returns>The number of bytes of the value.</returns>
    /// <exception cref="DecryptionException">It does not authenticate, or is no such value. The destination is zeroed.</exception>
    public int Decrypt(Ciphertext ciphertext, Span<byte> destination)
    {
        if (!_key.TryDecrypt(ciphertext.Bytes, Ciphertext.HeaderLength, destination, out var length))
        {
            throw Failed();
        }

        try
        {
            BsonValidator.ValidateValue(ciphertext.OriginalType, destination[..length]);
        }
        catch (BsonFormatException)
        {
            // Not even the offset is told: one failure for every failed decryption.
            CryptographicOperations.ZeroMemory(destination[..length]);
            throw Failed();
        }

        return length;
    }

    /// <summary>The id alone.</summary>
    public override string ToString() => $"data key {Id}";

    private DecryptionException Failed() => new(
        CsfleErrorCode.DecryptionFailed,
        $"HMAC validation failure: a value encrypted with data key {Id} cannot be decrypted",
        "It was changed after it was written, or the key vault holds another key under this id. Restore the value or the key from a backup.",
        Id);
}

/// <summary>Names a data key: by its UUID, or by a key alternate name.</summary>
/// <param name="Id">The UUID; empty where the key is named.</param>
/// <param name="AltName">The key alternate name, or null.</param>
internal readonly record struct KeyReference(Guid Id, string? AltName)
{
    /// <summary>A key by its UUID.</summary>
    public static KeyReference ById(Guid id) => new(id, null);

    /// <summary>A key by its alternate name.</summary>
    public static KeyReference ByName(string altName) => new(Guid.Empty, altName);

    /// <summary>For messages: the name in quotes or the UUID.</summary>
    public override string ToString() => AltName is null ? Id.ToString() : $"'{AltName}'";
}
