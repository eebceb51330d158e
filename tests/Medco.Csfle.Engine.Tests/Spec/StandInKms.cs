using System.Security.Cryptography;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>
/// Stands in for a KMS in tests that look at the commands to the key vault and not at keys: it unwraps what it wrapped, and makes
/// a key of its own out of a wrapping that only the owner of the published one can unwrap.
/// </summary>
/// <param name="provider">The provider it stands in for.</param>
internal sealed class StandInKms(string provider) : IKeyManagementService
{
    private static readonly byte[] Mark = "wrapped by the stand-in: "u8.ToArray();

    public string Provider => provider;

    public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
        => [.. Mark, .. Scramble(dataKey.Span)];

    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(Wrap(masterKey, dataKey, cancellationToken));

    public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
        => wrappedDataKey.Span.StartsWith(Mark)
            ? Scramble(wrappedDataKey.Span[Mark.Length..])
            : HKDF.DeriveKey(HashAlgorithmName.SHA256, wrappedDataKey.ToArray(), LocalMasterKey.Length);

    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(Unwrap(masterKey, wrappedDataKey, cancellationToken));

    // No protection, but not the key itself either, which no KMS may return as its wrapping.
    private static byte[] Scramble(ReadOnlySpan<byte> bytes) => [.. bytes.ToArray().Select(value => (byte)(value ^ 0xFF))];

    public void Dispose()
    {
    }
}
