namespace Medco.Csfle.Engine.Cryptography;

/// <summary>
/// The two algorithms of Client-Side Field Level Encryption. The numbers are the first byte of a ciphertext and the
/// <c>a</c> of a placeholder.
/// </summary>
public enum CsfleAlgorithm : byte
{
    /// <summary>
    /// <c>AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic</c>: the same value under the same key gives the same ciphertext, so
    /// that a field can be found by equality, and whoever sees the database can see which documents share a value.
    /// </summary>
    Deterministic = 1,

    /// <summary><c>AEAD_AES_256_CBC_HMAC_SHA_512-Random</c>: every encryption differs; nothing but the length shows, and no query works.</summary>
    Random = 2,
}
