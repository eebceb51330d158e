using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Medco.Csfle.Engine.Cryptography;

/// <summary>
/// AEAD_AES_256_CBC_HMAC_SHA_512 as MongoDB's field-level encryption uses it, under one 96-byte key.
/// </summary>
/// <remarks>
/// <code>
/// key      { macKey 32 | encryptionKey 32 | ivKey 32 }
/// payload  { iv 16 | AES-256-CBC with PKCS#7 padding | tag 32 }
/// tag    = HMAC-SHA-512(macKey, aad | iv | ciphertext | be64(8 * aad.Length))[0..32]
/// </code>
/// The composition is draft-mcgrew-aead-aes-cbc-hmac-sha2-05 with the tag cut to 32 bytes and a third key for deterministic
/// initialization vectors (specifications, client-side-encryption, "BinData 6 payload"; libmongocrypt, mongocrypt-crypto.c).
/// The primitives are .NET's. Instances are safe to use from many threads; key and cipher states are zeroed when the last
/// user has released them.
/// </remarks>
internal sealed class AeadKey : IDisposable
{
    /// <summary>Length of the whole key in bytes.</summary>
    public const int KeyLength = 3 * PartLength;

    /// <summary>Length of the initialization vector, and of a cipher block, in bytes.</summary>
    public const int IvLength = 16;

    /// <summary>Length of the tag in bytes.</summary>
    public const int TagLength = 32;

    private const int PartLength = 32;
    private const int BlockLength = IvLength;
    private const int FullTagLength = HMACSHA512.HashSizeInBytes;
    private const int SlotCount = 16;

    private readonly byte[] _key;
    private readonly CipherState?[] _idle = new CipherState?[SlotCount];
    private int _references = 1;
    private int _disposed;

    /// <summary>Takes a copy of the key; the caller zeroes the original.</summary>
    public AeadKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyLength) throw new ArgumentException($"The key must have {KeyLength} bytes, not {key.Length}.", nameof(key));

        // Pinned, so that the garbage collector leaves no copies behind that nobody zeroes.
        _key = GC.AllocateUninitializedArray<byte>(KeyLength, pinned: true);
        key.CopyTo(_key);
    }

    /// <summary>The length in bytes of the payload for a plaintext of that length: padding always adds 1 to 16 bytes.</summary>
    public static int PayloadLength(int plaintextLength) => IvLength + BlockLength * (plaintextLength / BlockLength + 1) + TagLength;

    /// <summary>
    /// Whether a payload of that length can exist: an initialization vector, at least one whole block, a tag.
    /// </summary>
    public static bool IsPayloadLength(int length)
        => length >= IvLength + BlockLength + TagLength && (length - IvLength - TagLength) % BlockLength == 0;

    /// <summary>The most bytes that the plaintext of a payload can have, and the room that decryption needs.</summary>
    public static int DecryptionLength(int payloadLength) => payloadLength - IvLength - TagLength;

    /// <summary>Keeps the key usable until <see cref="Release"/>, even when its owner disposes it meanwhile.</summary>
    /// <returns>False when the key is already gone.</returns>
    public bool TryAddReference()
    {
        var current = Volatile.Read(ref _references);
        while (current > 0)
        {
            var seen = Interlocked.CompareExchange(ref _references, current + 1, current);
            if (seen == current) return true;
            current = seen;
        }

        return false;
    }

    /// <summary>Ends one use. The last one zeroes the key.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) != 0) return;
        CryptographicOperations.ZeroMemory(_key);
        DropIdle();
    }

    /// <summary>Releases the owner's reference, once: a second call may not take away another user's.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) Release();
    }

    /// <summary>Hands the key to somebody who has to hold it himself; the caller zeroes the copy.</summary>
    /// <param name="destination">Receives <see cref="KeyLength"/> bytes. The caller holds a reference.</param>
    public void CopyTo(Span<byte> destination) => _key.CopyTo(destination);

    /// <summary>Encrypts under a given initialization vector.</summary>
    /// <param name="message">
    /// Begins with the associated data, which is authenticated and not encrypted; receives the payload behind it. Exactly as
    /// long as both, since a tag with a gap before it would never verify. One behind the other they are hashed in one call.
    /// </param>
    /// <param name="associatedDataLength">Bytes of associated data.</param>
    /// <param name="iv">16 bytes.</param>
    /// <param name="plaintext">What to encrypt; may be empty; may not overlap the message.</param>
    public void Encrypt(Span<byte> message, int associatedDataLength, ReadOnlySpan<byte> iv, ReadOnlySpan<byte> plaintext)
    {
        iv.CopyTo(message.Slice(associatedDataLength, IvLength));
        var state = Rent();
        state.Encrypt(message, associatedDataLength, plaintext);
        Return(state);
    }

    /// <summary>
    /// Encrypts under the initialization vector that follows from key, associated data and plaintext, so that equal inputs
    /// give equal payloads: iv = HMAC-SHA-512(ivKey, aad | be64(8 * aad.Length) | plaintext)[0..16].
    /// </summary>
    /// <inheritdoc cref="Encrypt"/>
    public void EncryptDeterministically(Span<byte> message, int associatedDataLength, ReadOnlySpan<byte> plaintext)
    {
        var state = Rent();
        state.DeriveIv(message, associatedDataLength, plaintext);
        state.Encrypt(message, associatedDataLength, plaintext);
        Return(state);
    }

    /// <summary>Checks the tag in constant time and only then decrypts.</summary>
    /// <param name="message">Associated data and payload, as encryption wrote them; <see cref="IsPayloadLength"/> holds.</param>
    /// <param name="associatedDataLength">Bytes of associated data.</param>
    /// <param name="plaintext">Has room for <see cref="DecryptionLength"/> bytes; may not overlap the message.</param>
    /// <param name="length">Bytes of plaintext; what follows them in the span is zeroed.</param>
    /// <returns>False when tag or padding are wrong; the span is then zero.</returns>
    public bool TryDecrypt(ReadOnlySpan<byte> message, int associatedDataLength, Span<byte> plaintext, out int length)
    {
        var state = Rent();
        var decrypted = state.TryDecrypt(message, associatedDataLength, plaintext, out length);
        Return(state);
        return decrypted;
    }

    // A cipher state serves one thread at a time. Idle ones wait in a few slots; each thread starts at a slot of its own, so
    // that threads rarely meet and none ever waits. A state that finds no free slot is dropped, as is one that threw.
    private static int s_threads;

    [ThreadStatic]
    private static int t_slot;

    private static int FirstSlot()
    {
        // The bit above the slots tells a thread's slot 0 from no slot yet.
        if (t_slot == 0) t_slot = SlotCount | (Interlocked.Increment(ref s_threads) & (SlotCount - 1));
        return t_slot;
    }

    private CipherState Rent()
    {
        if (Volatile.Read(ref _references) <= 0) throw new ObjectDisposedException(nameof(AeadKey));
        var first = FirstSlot();
        for (var i = 0; i < _idle.Length; i++)
        {
            ref var slot = ref _idle[(first + i) % _idle.Length];
            if (Volatile.Read(ref slot) is not null && Interlocked.Exchange(ref slot, null) is { } state) return state;
        }

        var created = new CipherState(_key);

        // Had the key been zeroed before or while it was copied, this would be the state of a key that everybody knows.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _references) > 0) return created;
        created.Dispose();
        throw new ObjectDisposedException(nameof(AeadKey));
    }

    private void Return(CipherState state)
    {
        var first = FirstSlot();
        for (var i = 0; i < _idle.Length; i++)
        {
            ref var slot = ref _idle[(first + i) % _idle.Length];
            if (Volatile.Read(ref slot) is not null || Interlocked.CompareExchange(ref slot, state, null) is not null) continue;

            // Returned behind the last release, nobody else would clear it away.
            if (Volatile.Read(ref _references) <= 0) DropIdle();
            return;
        }

        state.Dispose();
    }

    private void DropIdle()
    {
        for (var i = 0; i < _idle.Length; i++) Interlocked.Exchange(ref _idle[i], null)?.Dispose();
    }

    private sealed class CipherState : IDisposable
    {
        private readonly Aes _aes;
        private readonly IncrementalHash _tagHash;
        private readonly IncrementalHash _ivHash;

        public CipherState(byte[] key)
        {
            _tagHash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, key.AsSpan(0, PartLength));
            _ivHash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA512, key.AsSpan(2 * PartLength, PartLength));
            _aes = Aes.Create();
            var encryptionKey = GC.AllocateUninitializedArray<byte>(PartLength, pinned: true);
            try
            {
                key.AsSpan(PartLength, PartLength).CopyTo(encryptionKey);
                _aes.Key = encryptionKey;
            }
            finally
            {
                CryptographicOperations.ZeroMemory(encryptionKey);
            }
        }

        /// <summary>Writes the initialization vector behind the associated data.</summary>
        public void DeriveIv(Span<byte> message, int associatedDataLength, ReadOnlySpan<byte> plaintext)
        {
            // The bit length takes the place of the initialization vector until that is known.
            BinaryPrimitives.WriteUInt64BigEndian(message[associatedDataLength..], BitLength(associatedDataLength));
            Span<byte> hash = stackalloc byte[FullTagLength];
            _ivHash.AppendData(message[..(associatedDataLength + sizeof(ulong))]);
            _ivHash.AppendData(plaintext);
            _ivHash.GetHashAndReset(hash);
            hash[..IvLength].CopyTo(message[associatedDataLength..]);
        }

        /// <summary>Writes ciphertext and tag behind the initialization vector.</summary>
        public void Encrypt(Span<byte> message, int associatedDataLength, ReadOnlySpan<byte> plaintext)
        {
            if (message.Length != associatedDataLength + PayloadLength(plaintext.Length)) throw new ArgumentException("The message has not the length of its parts.", nameof(message));
            var iv = message.Slice(associatedDataLength, IvLength);
            var tagged = message[..^TagLength];
            _aes.EncryptCbc(plaintext, iv, tagged[(associatedDataLength + IvLength)..], PaddingMode.PKCS7);

            // The bit length takes the place of the tag until that is known.
            BinaryPrimitives.WriteUInt64BigEndian(message[tagged.Length..], BitLength(associatedDataLength));
            Span<byte> tag = stackalloc byte[FullTagLength];
            _tagHash.AppendData(message[..(tagged.Length + sizeof(ulong))]);
            _tagHash.GetHashAndReset(tag);
            tag[..TagLength].CopyTo(message[tagged.Length..]);
        }

        public bool TryDecrypt(ReadOnlySpan<byte> message, int associatedDataLength, Span<byte> plaintext, out int length)
        {
            length = 0;
            var payload = message[associatedDataLength..];
            var room = plaintext[..DecryptionLength(payload.Length)];
            Span<byte> bitLength = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64BigEndian(bitLength, BitLength(associatedDataLength));
            Span<byte> tag = stackalloc byte[FullTagLength];
            _tagHash.AppendData(message[..^TagLength]);
            _tagHash.AppendData(bitLength);
            _tagHash.GetHashAndReset(tag);
            if (!CryptographicOperations.FixedTimeEquals(tag[..TagLength], payload[^TagLength..]))
            {
                room.Clear();
                return false;
            }

            _aes.DecryptCbc(payload[IvLength..^TagLength], payload[..IvLength], room, PaddingMode.None);

            // The bytes are authentic, so the padding is the encrypter's own; like libmongocrypt, only its length is checked.
            var padding = room[^1];
            if (padding is 0 or > BlockLength)
            {
                room.Clear();
                return false;
            }

            length = room.Length - padding;
            room[length..].Clear();
            return true;
        }

        public void Dispose()
        {
            _aes.Dispose();
            _tagHash.Dispose();
            _ivHash.Dispose();
        }

        private static ulong BitLength(int bytes) => 8UL * (ulong)bytes;
    }
}
