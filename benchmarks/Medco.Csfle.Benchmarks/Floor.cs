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

    private readonly Aes _aes = Aes.Create();
    private readonly IncrementalHash _tag;
    private readonly IncrementalHash _iv;
    private readonly (byte[] Value, bool Deterministic)[] _values;
    private readonly byte[][] _ciphertexts;
    private readonly byte[] _associatedData = new byte[AssociatedDataLength];
    private readonly byte[] _bitLength = new byte[8];
    private readonly byte[] _hash = new byte[64];
    private readonly byte[] _ivs;
    private readonly byte[] _plaintext;

    /// <summary>For these values; the deterministic ones derive their initialization vector by one more HMAC.</summary>
    public Floor(params (byte[] Value, bool Deterministic)[] values)
    {
        _values = values;
        _ciphertexts = [.. values.Select(value => new byte[16 * (value.Value.Length / 16 + 1)])];
        _ivs = new byte[IvLength * values.Length];
        _plaintext = new byte[_ciphertexts.Max(ciphertext => ciphertext.Length)];
        _aes.Key = RandomNumberGenerator.GetBytes(32);
        _tag = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, RandomNumberGenerator.GetBytes(32));
        _iv = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, RandomNumberGenerator.GetBytes(32));
        Encrypt();
    }

    public void Encrypt()
    {
        RandomNumberGenerator.Fill(_ivs);
        for (var i = 0; i < _values.Length; i++)
        {
            var (value, deterministic) = _values[i];
            var iv = _ivs.AsSpan(i * IvLength, IvLength);
            if (deterministic)
            {
                _iv.AppendData(_associatedData);
                _iv.AppendData(_bitLength);
                _iv.AppendData(value);
                _iv.GetHashAndReset(_hash);
                _hash.AsSpan(0, IvLength).CopyTo(iv);
            }

            _aes.EncryptCbc(value, iv, _ciphertexts[i]);
            Tag(iv, _ciphertexts[i]);
        }
    }

    public void Decrypt()
    {
        for (var i = 0; i < _values.Length; i++)
        {
            var iv = _ivs.AsSpan(i * IvLength, IvLength);
            Tag(iv, _ciphertexts[i]);
            _aes.DecryptCbc(_ciphertexts[i], iv, _plaintext, PaddingMode.None);
        }
    }

    public void Dispose()
    {
        _aes.Dispose();
        _tag.Dispose();
        _iv.Dispose();
    }

    private void Tag(ReadOnlySpan<byte> iv, byte[] ciphertext)
    {
        _tag.AppendData(_associatedData);
        _tag.AppendData(iv);
        _tag.AppendData(ciphertext);
        _tag.AppendData(_bitLength);
        _tag.GetHashAndReset(_hash);
    }
}
