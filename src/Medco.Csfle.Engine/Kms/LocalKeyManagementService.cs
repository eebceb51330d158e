using System.Security.Cryptography;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Kms;

/// <summary>
/// The KMS provider <c>local</c>: wraps data keys with a master key that this process holds itself.
/// </summary>
/// <remarks>
/// A wrapped key is AEAD_AES_256_CBC_HMAC_SHA_512 under the master key with no associated data and a random initialization
/// vector: <c>{ iv 16 | 7 blocks of 16 | tag 32 }</c>, 160 bytes for the 96 of a data key. Whoever can read the master key and
/// the key vault can read everything: production systems keep the master key in a KMS of its own.
/// </remarks>
public sealed class LocalKeyManagementService : IKeyManagementService
{
    private static readonly int WrappedLength = AeadKey.PayloadLength(AeadKey.KeyLength);

    private readonly LocalMasterKey.Use _masterKey;

    /// <summary>Uses a master key for the provider <c>local</c>, or <c>local:name</c>.</summary>
    /// <param name="masterKey">The master key. It stays usable here when the caller disposes it, and is zeroed when both are disposed.</param>
    /// <param name="name">
    /// Tells several local master keys apart: letters, digits and underscores. Data keys made with a named provider can be
    /// read only under the same name.
    /// </param>
    /// <exception cref="ArgumentException">The name has other characters.</exception>
    /// <exception cref="ObjectDisposedException">The master key is disposed.</exception>
    public LocalKeyManagementService(LocalMasterKey masterKey, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(masterKey);
        if (name is not null && !KmsProvider.IsName(name))
        {
            throw new ArgumentException("The name of a KMS provider consists of letters, digits and underscores.", nameof(name));
        }

        Provider = name is null ? KmsProvider.Local : $"{KmsProvider.Local}:{name}";
        _masterKey = masterKey.BeginUse();
    }

    /// <inheritdoc/>
    public string Provider { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The data key has not 96 bytes.</exception>
    public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireOwn(masterKey.Span);
        if (dataKey.Length != AeadKey.KeyLength) throw new ArgumentException($"A data key has {AeadKey.KeyLength} bytes, not {dataKey.Length}.", nameof(dataKey));
        Span<byte> iv = stackalloc byte[AeadKey.IvLength];
        RandomNumberGenerator.Fill(iv);
        var wrapped = new byte[WrappedLength];
        _masterKey.Key.Encrypt(wrapped, 0, iv, dataKey.Span);
        return wrapped;
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<byte[]>(cancellationToken)
            : ValueTask.FromResult(Wrap(masterKey, dataKey, cancellationToken));

    /// <inheritdoc/>
    /// <exception cref="DataKeyException">
    /// <see cref="CsfleErrorCode.DataKeyNotUnwrapped"/>: the bytes were wrapped with another master key, or were changed.
    /// </exception>
    public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireOwn(masterKey.Span);
        if (wrappedDataKey.Length != WrappedLength)
        {
            throw NotUnwrapped($"a data key wrapped by KMS provider `{Provider}` has {WrappedLength} bytes, this one has {wrappedDataKey.Length}");
        }

        // Padding is at least one byte, so the room is longer than the key; only its own array leaves here.
        Span<byte> room = stackalloc byte[AeadKey.DecryptionLength(WrappedLength)];
        try
        {
            if (!_masterKey.Key.TryDecrypt(wrappedDataKey.Span, 0, room, out var length))
            {
                throw NotUnwrapped($"the master key of KMS provider `{Provider}` does not unwrap the data key: HMAC validation failure");
            }

            var dataKey = GC.AllocateUninitializedArray<byte>(length, pinned: true);
            room[..length].CopyTo(dataKey);
            return dataKey;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(room);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="DataKeyException">
    /// <see cref="CsfleErrorCode.DataKeyNotUnwrapped"/>: the bytes were wrapped with another master key, or were changed.
    /// </exception>
    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
        => cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<byte[]>(cancellationToken)
            : ValueTask.FromResult(Unwrap(masterKey, wrappedDataKey, cancellationToken));

    /// <summary>Copies the master key out, for an engine that unwraps data keys itself; the caller zeroes the copy.</summary>
    /// <param name="destination">Receives <see cref="LocalMasterKey.Length"/> bytes.</param>
    internal void CopyMasterKeyTo(Span<byte> destination) => _masterKey.Key.CopyTo(destination);

    /// <summary>Ends the use of the master key.</summary>
    public void Dispose() => _masterKey.Dispose();

    /// <summary>The provider alone.</summary>
    public override string ToString() => $"KMS provider `{Provider}`";

    private void RequireOwn(ReadOnlySpan<byte> masterKey)
    {
        var provider = MasterKeyDocument.Validate(masterKey);
        if (provider != Provider)
        {
            throw new DataKeyException(CsfleErrorCode.MalformedDataKey, $"the master key document names KMS provider `{provider}`, not `{Provider}`",
                "Pass it to the service of that provider.");
        }
    }

    private static DataKeyException NotUnwrapped(string what) => new(CsfleErrorCode.DataKeyNotUnwrapped, what,
        "Use the master key that the data key was created with, or restore the data key from a backup. Do not create a new data key: it would not read what the old one encrypted.");
}
