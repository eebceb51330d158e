using System.Security.Cryptography;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Testing;

/// <summary>
/// A KMS in memory that answers as a test tells it to, and counts how often it is asked. Without being told, it wraps and
/// unwraps properly, with a random master key of its own.
/// </summary>
/// <remarks>
/// <code>
/// using var kms = new FakeKeyManagementService("aws");
/// using var vault = new KeyVaultService(new InMemoryKeyVaultStore(), [kms]);
/// kms.Next(FakeKmsAnswer.Outage, 2).Next(FakeKmsAnswer.Refusal);   // two outages, then a refusal, then right answers
/// </code>
/// <para>It makes one attempt for each call, as a service shall; limits and retries are those of
/// <see cref="ResilientKeyManagementService"/>. The fields of the master key document are not looked at. Wrapped keys differ
/// from run to run and are read by this instance alone. Safe to use from many threads.</para>
/// </remarks>
public sealed class FakeKeyManagementService : IKeyManagementService
{
    private static readonly byte[] LocalMasterKeyDocument = ExtendedJson.ToBson("""{"provider": "local"}""");

    private readonly LocalKeyManagementService _local;
    private readonly TimeProvider _time;
    private readonly object _lock = new();
    private readonly Queue<FakeKmsAnswer> _script = new();
    private FakeKmsAnswer _otherwise = FakeKmsAnswer.Right;
    private int _wraps;
    private int _unwraps;
    private volatile bool _isDisposed;

    /// <summary>A KMS for one provider.</summary>
    /// <param name="provider">The provider: <c>aws</c>, <c>azure</c>, <c>gcp</c>, <c>kmip</c> or <c>local</c>, with a name or without.</param>
    /// <param name="timeProvider">The clock of late answers; the system's unless told.</param>
    public FakeKeyManagementService(string provider, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(provider);
        Provider = provider;
        _time = timeProvider ?? TimeProvider.System;
        using var masterKey = LocalMasterKey.Generate();
        _local = new LocalKeyManagementService(masterKey);
    }

    /// <inheritdoc/>
    public string Provider { get; }

    /// <summary>How often it was asked to wrap a data key, whatever it answered.</summary>
    public int Wraps => Volatile.Read(ref _wraps);

    /// <summary>How often it was asked to unwrap a data key, whatever it answered.</summary>
    public int Unwraps => Volatile.Read(ref _unwraps);

    /// <summary>Whether it was disposed. It refuses every call then.</summary>
    public bool IsDisposed => _isDisposed;

    /// <summary>Says how it answers the next calls that nothing was said about yet.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="calls">How many calls.</param>
    /// <returns>This instance, for what comes after.</returns>
    public FakeKeyManagementService Next(FakeKmsAnswer answer, int calls = 1)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentOutOfRangeException.ThrowIfNegative(calls);
        lock (_lock)
        {
            for (var i = 0; i < calls; i++) _script.Enqueue(answer);
        }

        return this;
    }

    /// <summary>Forgets what was said, and says how it answers every call from now on.</summary>
    /// <param name="answer">The answer.</param>
    /// <returns>This instance, for what comes before: <see cref="Next"/>.</returns>
    public FakeKeyManagementService Always(FakeKmsAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        lock (_lock)
        {
            _script.Clear();
            _otherwise = answer;
        }

        return this;
    }

    /// <inheritdoc/>
    public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
    {
        var answer = Begin(ref _wraps, cancellationToken);
        Wait(answer, cancellationToken);
        return Shape(answer, _local.Wrap(LocalMasterKeyDocument, dataKey, cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
    {
        var answer = Begin(ref _wraps, cancellationToken);
        await WaitAsync(answer, cancellationToken).ConfigureAwait(false);
        return Shape(answer, await _local.WrapAsync(LocalMasterKeyDocument, dataKey, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
    {
        var answer = Begin(ref _unwraps, cancellationToken);
        Wait(answer, cancellationToken);
        return Shape(answer, _local.Unwrap(LocalMasterKeyDocument, wrappedDataKey, cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
    {
        var answer = Begin(ref _unwraps, cancellationToken);
        await WaitAsync(answer, cancellationToken).ConfigureAwait(false);
        return Shape(answer, await _local.UnwrapAsync(LocalMasterKeyDocument, wrappedDataKey, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Lets the master key go.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _local.Dispose();
    }

    private static byte[] Shape(FakeKmsAnswer answer, byte[] right)
    {
        if (!answer.IsContentWrong && answer.Length is null) return right;
        CryptographicOperations.ZeroMemory(right);
        return RandomNumberGenerator.GetBytes(answer.Length ?? right.Length);
    }

    private FakeKmsAnswer Begin(ref int calls, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref calls);
        FakeKmsAnswer? answer;
        lock (_lock)
        {
            if (!_script.TryDequeue(out answer)) answer = _otherwise;
        }

        return answer.Failure is { } failure ? throw new KmsException(Provider, failure, $"the fake KMS was told so ({answer})") : answer;
    }

    private void Wait(FakeKmsAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.Delay == TimeSpan.Zero) return;
        using var end = new CancellationTokenSource(answer.Delay, _time);
        WaitHandle.WaitAny([end.Token.WaitHandle, cancellationToken.WaitHandle]);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async ValueTask WaitAsync(FakeKmsAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.Delay != TimeSpan.Zero) await Task.Delay(answer.Delay, _time, cancellationToken).ConfigureAwait(false);
    }
}
