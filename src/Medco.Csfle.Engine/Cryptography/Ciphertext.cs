using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Cryptography;

/// <summary>
/// The layout of an encrypted value, the content of binary data of subtype 6.
/// </summary>
/// <remarks>
/// <code>
/// { algorithm 1 | keyId 16 | originalBsonType 1 | iv 16 | ciphertext 16·(n/16 + 1) | tag 32 }
///   1 deterministic  RFC 4122                     └──────────── AeadKey's payload ───────────┘
///   2 random         byte order
/// </code>
/// The first 18 bytes are the associated data. The plaintext is the raw BSON value: no type, no name. The first byte 0 marks
/// a placeholder, 3 to 18 Queryable Encryption; both are refused. Source: specifications, client-side-encryption,
/// "BinData 6 payload".
/// </remarks>
internal readonly ref struct Ciphertext
{
    /// <summary>Length of the associated data in front of the payload, in bytes.</summary>
    public const int HeaderLength = 18;

    private const int KeyIdOffset = 1;
    private const int TypeOffset = 17;
    private const byte LastQueryableEncryption = 18;

    private readonly ReadOnlySpan<byte> _bytes;

    private Ciphertext(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>The data key it was encrypted with.</summary>
    public Guid KeyId => new(_bytes.Slice(KeyIdOffset, 16), bigEndian: true);

    /// <summary>The algorithm it was encrypted with.</summary>
    public CsfleAlgorithm Algorithm => (CsfleAlgorithm)_bytes[0];

    /// <summary>The BSON type of the plaintext.</summary>
    public BsonType OriginalType => (BsonType)_bytes[TypeOffset];

    /// <summary>All of it: what is authenticated beside the payload, and the payload.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Initialization vector, ciphertext and tag.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    /// <summary>The length in bytes of the encrypted value for a plaintext of that length.</summary>
    public static int LengthFor(int plaintextLength) => HeaderLength + AeadKey.PayloadLength(plaintextLength);

    /// <summary>Whether <see cref="Parse"/> would succeed.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> bytes)
        => bytes.Length > HeaderLength
            && bytes[0] is (byte)CsfleAlgorithm.Deterministic or (byte)CsfleAlgorithm.Random
            && AeadKey.IsPayloadLength(bytes.Length - HeaderLength);

    /// <summary>Reads the layout; nothing is decrypted.</summary>
    /// <exception cref="DecryptionException">The bytes are no ciphertext of the two algorithms.</exception>
    public static Ciphertext Parse(ReadOnlySpan<byte> bytes)
    {
        var ciphertext = ParseHeader(bytes);
        return AeadKey.IsPayloadLength(bytes.Length - HeaderLength)
            ? ciphertext
            : throw Malformed($"malformed ciphertext: {bytes.Length} bytes are not a whole number of blocks", "Restore the value from a backup.");
    }

    /// <summary>
    /// The data key that the header names, whatever follows it: as for libmongocrypt, a key that is missing is told before a
    /// payload that is cut off.
    /// </summary>
    /// <exception cref="DecryptionException">The bytes do not begin as a ciphertext of the two algorithms.</exception>
    public static Guid ReadKeyId(ReadOnlySpan<byte> bytes) => ParseHeader(bytes).KeyId;

    private static Ciphertext ParseHeader(ReadOnlySpan<byte> bytes)
    {
        // The texts are libmongocrypt's, which official tests assert in part.
        if (bytes.Length <= HeaderLength) throw Malformed("malformed ciphertext, too small", "Restore the value from a backup.");
        switch (bytes[0])
        {
            case (byte)CsfleAlgorithm.Deterministic or (byte)CsfleAlgorithm.Random:
                break;
            case 0:
                throw Malformed("malformed ciphertext: a placeholder, which only a query analyzer may produce", "Find out who stored it; it may hold plaintext.");
            case <= LastQueryableEncryption:
                throw Malformed("a value of Queryable Encryption, which is not supported", "Read this collection with a client for Queryable Encryption.");
            default:
                throw Malformed($"malformed ciphertext: unknown first byte {bytes[0]}", "Restore the value from a backup.");
        }

        return new Ciphertext(bytes);
    }

    private static DecryptionException Malformed(string what, string remedy)
        => new(CsfleErrorCode.MalformedCiphertext, what, remedy);
}
