using System.Security.Cryptography;
using Medco.Csfle.Engine.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Medco.Csfle.Engine.Kms;

/// <summary>
/// What every KMS gets around it: a time limit for each attempt and for all of them together, further attempts after growing
/// pauses where it is unavailable or too slow, and a check that its answer can be one.
/// </summary>
/// <remarks>
/// A limit works through the token of the call: a service that does not listen to its token is waited for, because the keys in
/// its hands must not be zeroed under it. A refusal and a wrong answer are not tried again. Cancellation by the caller ends at
/// once and is no error of the KMS.
/// </remarks>
public sealed class ResilientKeyManagementService : IKeyManagementService
{
    private const string WrapOperation = "wrap";
    private const string UnwrapOperation = "unwrap";

    private readonly IKeyManagementService _inner;
    private readonly KmsResilienceOptions _options;
    private readonly Func<double> _random;
    private readonly ILogger _logger;

    /// <summary>Puts limits and retries around a service.</summary>
    /// <param name="inner">The service. This instance disposes it.</param>
    /// <param name="options">Settings; those of <see cref="KmsResilienceOptions"/> unless told.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public ResilientKeyManagementService(IKeyManagementService inner, KmsResilienceOptions? options = null)
        : this(inner, options ?? new KmsResilienceOptions(), Random.Shared.NextDouble)
    {
    }

    internal ResilientKeyManagementService(IKeyManagementService inner, KmsResilienceOptions options, Func<double> random)
    {
        ArgumentNullException.ThrowIfNull(inner);
        options.Validate();
        _inner = inner;
        _options = options;
        _random = random;
        _logger = options.LoggerFactory?.CreateLogger<ResilientKeyManagementService>() ?? (ILogger)NullLogger.Instance;
    }

    /// <inheritdoc/>
    public string Provider => _inner.Provider;

    /// <inheritdoc/>
    /// <exception cref="KmsException">It failed, for good or too often.</exception>
    public byte[] Wrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
    {
        using var call = new Call(this, WrapOperation, cancellationToken);
        while (true)
        {
            try
            {
                return call.End(CheckWrapped(_inner.Wrap(masterKey, dataKey, call.BeginAttempt()), dataKey.Span));
            }
            catch (Exception exception) when (call.IsFailure(exception))
            {
                call.Pause(call.NextPause(exception));
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="KmsException">It failed, for good or too often.</exception>
    public async ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> dataKey, CancellationToken cancellationToken = default)
    {
        using var call = new Call(this, WrapOperation, cancellationToken);
        while (true)
        {
            try
            {
                return call.End(CheckWrapped(await _inner.WrapAsync(masterKey, dataKey, call.BeginAttempt()).ConfigureAwait(false), dataKey.Span));
            }
            catch (Exception exception) when (call.IsFailure(exception))
            {
                await call.PauseAsync(call.NextPause(exception)).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="KmsException">It failed, for good or too often.</exception>
    public byte[] Unwrap(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
    {
        using var call = new Call(this, UnwrapOperation, cancellationToken);
        while (true)
        {
            try
            {
                return call.End(CheckUnwrapped(_inner.Unwrap(masterKey, wrappedDataKey, call.BeginAttempt())));
            }
            catch (Exception exception) when (call.IsFailure(exception))
            {
                call.Pause(call.NextPause(exception));
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="KmsException">It failed, for good or too often.</exception>
    public async ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> masterKey, ReadOnlyMemory<byte> wrappedDataKey, CancellationToken cancellationToken = default)
    {
        using var call = new Call(this, UnwrapOperation, cancellationToken);
        while (true)
        {
            try
            {
                return call.End(CheckUnwrapped(await _inner.UnwrapAsync(masterKey, wrappedDataKey, call.BeginAttempt()).ConfigureAwait(false)));
            }
            catch (Exception exception) when (call.IsFailure(exception))
            {
                await call.PauseAsync(call.NextPause(exception)).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Disposes the service.</summary>
    public void Dispose() => _inner.Dispose();

    /// <summary>What the service says of itself.</summary>
    public override string? ToString() => _inner.ToString();

    private byte[] CheckWrapped(byte[]? wrapped, ReadOnlySpan<byte> dataKey)
    {
        if (wrapped is not { Length: > 0 }) throw new KmsException(Provider, KmsFailure.WrongAnswer, "it answered a request to wrap a data key with nothing");

        // It would be stored in the key vault in clear.
        if (wrapped.AsSpan().IndexOf(dataKey) >= 0)
        {
            CryptographicOperations.ZeroMemory(wrapped);
            throw new KmsException(Provider, KmsFailure.WrongAnswer, "it answered a request to wrap a data key with the data key itself");
        }

        return wrapped;
    }

    private byte[] CheckUnwrapped(byte[]? dataKey)
    {
        if (dataKey is { Length: AeadKey.KeyLength }) return dataKey;
        CryptographicOperations.ZeroMemory(dataKey);
        throw new KmsException(Provider, KmsFailure.WrongAnswer, $"it unwrapped a data key to {dataKey?.Length ?? 0} bytes, not {AeadKey.KeyLength}");
    }

    /// <summary>One operation: its limits, its attempts, and what to make of a failure. All but the waiting, which exists twice.</summary>
    private sealed class Call : IDisposable
    {
        private readonly ResilientKeyManagementService _owner;
        private readonly string _operation;
        private readonly CancellationToken _caller;
        private readonly CancellationTokenSource _limit;
        private readonly CancellationTokenSource _all;
        private readonly MeasuredCall? _measured;
        private CancellationTokenSource? _attemptLimit;
        private CancellationTokenSource? _attempt;
        private int _attempts;

        public Call(ResilientKeyManagementService owner, string operation, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _owner = owner;
            _operation = operation;
            _caller = cancellationToken;
            _limit = new CancellationTokenSource(owner._options.TimeLimit, owner._options.TimeProvider);
            _all = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _limit.Token);
            _measured = MeasuredCall.Begin(
                operation == WrapOperation ? "csfle.kms.wrap" : "csfle.kms.unwrap",
                CsfleTelemetry.KmsDuration,
                new("medco.csfle.kms.provider", owner.Provider),
                new("medco.csfle.kms.operation", operation));
        }

        public byte[] End(byte[] answer)
        {
            _measured?.Succeed();
            return answer;
        }

        public CancellationToken BeginAttempt()
        {
            EndAttempt();
            _attempts++;
            _attemptLimit = new CancellationTokenSource(_owner._options.AttemptTimeLimit, _owner._options.TimeProvider);
            _attempt = CancellationTokenSource.CreateLinkedTokenSource(_all.Token, _attemptLimit.Token);
            return _attempt.Token;
        }

        /// <summary>Whether it is about the KMS being unavailable or too slow, or about the caller giving up.</summary>
        public bool IsFailure(Exception exception)
        {
            _measured?.Fail(exception);
            return exception switch
            {
                KmsException kms => kms.Failure is KmsFailure.Unavailable or KmsFailure.TooSlow,
                OperationCanceledException or HttpRequestException or IOException or System.Net.Sockets.SocketException or TimeoutException => true,
                _ => false,
            };
        }

        /// <summary>How long to pause before the next attempt.</summary>
        /// <exception cref="OperationCanceledException">The caller has given up.</exception>
        /// <exception cref="KmsException">There is no next attempt.</exception>
        public TimeSpan NextPause(Exception exception)
        {
            _caller.ThrowIfCancellationRequested();
            var (failure, reason) = Describe(exception);
            if (_limit.IsCancellationRequested || _attempts >= _owner._options.MaxAttempts)
            {
                var times = _attempts == 1 ? "1 attempt" : $"{_attempts} attempts";
                throw new KmsException(_owner.Provider, failure, $"it did not {_operation} a data key in {times}: {reason}", exception);
            }

            var pause = _owner._options.PauseAfter(_attempts, _owner._random());
            _owner._logger.KmsRetry(_attempts, _operation, _owner.Provider, failure, pause.TotalMilliseconds);
            return pause;
        }

        public void Pause(TimeSpan pause)
        {
            if (pause > TimeSpan.Zero)
            {
                using var end = new CancellationTokenSource(pause, _owner._options.TimeProvider);
                WaitHandle.WaitAny([end.Token.WaitHandle, _all.Token.WaitHandle]);
            }

            RequireTime();
        }

        public async ValueTask PauseAsync(TimeSpan pause)
        {
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, _owner._options.TimeProvider, _all.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            RequireTime();
        }

        public void Dispose()
        {
            _measured?.Tag("medco.csfle.kms.attempts", _attempts);
            _measured?.Dispose();
            EndAttempt();
            _all.Dispose();
            _limit.Dispose();
        }

        private void RequireTime()
        {
            _caller.ThrowIfCancellationRequested();
            if (!_limit.IsCancellationRequested) return;
            throw new KmsException(_owner.Provider, KmsFailure.TooSlow,
                $"it did not {_operation} a data key in {_attempts} attempts, and the {_owner._options.TimeLimit.TotalSeconds:0.###} seconds for all of them are over");
        }

        private (KmsFailure Failure, string Reason) Describe(Exception exception) => exception switch
        {
            KmsException kms => (kms.Failure, kms.What),
            _ when _limit.IsCancellationRequested => (KmsFailure.TooSlow, $"the time limit for all attempts, {_owner._options.TimeLimit.TotalSeconds:0.###} seconds, is over"),
            _ when _attemptLimit is { IsCancellationRequested: true } => (KmsFailure.TooSlow, $"no answer within {_owner._options.AttemptTimeLimit.TotalSeconds:0.###} seconds"),
            OperationCanceledException => (KmsFailure.TooSlow, "the service gave up waiting"),
            _ => (KmsFailure.Unavailable, exception.Message.TrimEnd('.')),
        };

        private void EndAttempt()
        {
            _attempt?.Dispose();
            _attemptLimit?.Dispose();
        }
    }
}
