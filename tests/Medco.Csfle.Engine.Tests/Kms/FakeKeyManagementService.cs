using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.Tests.Kms;

/// <summary>A KMS that answers as a test wants, and counts how often it is asked.</summary>
internal sealed class FakeKeyManagementService(string provider) : IKeyManagementService
{
    private int _unwraps;

    public Func<byte[], byte[]> OnUnwrap { get; set; } = wrapped => [.. wrapped.Reverse()];

    public bool IsDisposed { get; private set; }

    public int Unwraps => _unwraps;

    /// <summary>The array handed out last: the caller must have zeroed it.</summary>
    public byte[]? LastAnswer { get; private set; }

    public string Provider => provider;

    public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var wrapped = dataKey.ToArray();
        Array.Reverse(wrapped);
        return wrapped;
    }

    public async ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return Wrap(masterKey, dataKey, cancellationToken);
    }

    public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _unwraps);
        return LastAnswer = OnUnwrap(wrappedDataKey.ToArray());
    }

    public async ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return Unwrap(masterKey, wrappedDataKey, cancellationToken);
    }

    public void Dispose() => IsDisposed = true;
}
