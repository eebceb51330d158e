using System.Security.Cryptography;

namespace Medco.Csfle.Benchmarks;

/// <summary>
/// The least that encrypting and decrypting given values can cost with .NET's own primitives: AES-CBC with the key set once,
/// cached HMAC-SHA-512 state, randomness drawn in bulk, on the same number of bytes, and nothing else: no BSON, no keys to
/// find, no layout, no output document.
/// </summary>
internal sealed class Floor : IDisposable
{
    private const int AssociatedDataLength = 18;
    private const int IvLength = 16;
    private const int CiphertextStart = AssociatedDataLength + IvLength;
    private const int BitLengthLength = 8;

    private readonly Aes _aes = Aes.Create();
    private readonly IncrementalHash _tag;
    private readonly IncrementalHash _iv;
    private readonly (byte[] Value, bool Deterministic)[] _values;

    // { associated data 18 | iv 16 | ciphertext | length of the associated data in bits 8 }: what the tag is computed of, in one
    // piece, because every piece costs a call into the native library.
    private readonly byte[][] _messages;
    private readonly byte[] _associatedDataAndBitLength = new byte[AssociatedDataLength + BitLengthLength];
    private readonly byte[] _hash = new byte[64];
    private readonly byte[] _randomIvs;
    private readonly byte[] _plaintext;

    /// <summary>For these values; the deterministic ones derive their initialization vector by one more HMAC.</summary>
    public Floor(params (byte[] Value, bool Deterministic)[] values)
    {
        _values = values;
        _messages = [.. values.Select(value => new byte[CiphertextStart + 16 * (value.Value.Length / 16 + 1) + BitLengthLength])];
        _randomIvs = new byte[IvLength * values.Count(value => !value.Deterministic)];
        _plaintext = new byte[_messages.Max(message => message.Length)];
        _aes.Key = RandomNumberGenerator.GetBytes(32);
        _tag = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, RandomNumberGenerator.GetBytes(32));
        _iv = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, RandomNumberGenerator.GetBytes(32));
        Encrypt();
    }

    public void Encrypt()
    {
        if (_randomIvs.Length > 0) RandomNumberGenerator.Fill(_randomIvs);
        var random = 0;
        for (var i = 0; i < _values.Length; i++)
        {
            var (value, deterministic) = _values[i];
            var message = _messages[i];
            var iv = message.AsSpan(AssociatedDataLength, IvLength);
            if (deterministic)
            {
                _iv.AppendData(_associatedDataAndBitLength);
                _iv.AppendData(value);
                _iv.GetHashAndReset(_hash);
                _hash.AsSpan(0, IvLength).CopyTo(iv);
            }
            else
            {
                _randomIvs.AsSpan(random, IvLength).CopyTo(iv);
                random += IvLength;
            }

            _aes.EncryptCbc(value, iv, CiphertextOf(message));
            Tag(message);
        }
    }

    public void Decrypt()
    {
        foreach (var message in _messages)
        {
            Tag(message);
            _aes.DecryptCbc(CiphertextOf(message), message.AsSpan(AssociatedDataLength, IvLength), _plaintext, PaddingMode.None);
        }
    }

    public void Dispose()
    {
        _aes.Dispose();
        _tag.Dispose();
        _iv.Dispose();
    }

    private void Tag(byte[] message)
    {
        _tag.AppendData(message);
        _tag.GetHashAndReset(_hash);
    }

    private static Span<byte> CiphertextOf(byte[] message) => message.AsSpan(CiphertextStart, message.Length - CiphertextStart - BitLengthLength);
}
