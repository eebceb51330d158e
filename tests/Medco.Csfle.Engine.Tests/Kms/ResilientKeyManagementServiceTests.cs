using System.Net.Sockets;
using System.Security.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Tests.KeyVault;
using Medco.Csfle.Testing;
using ScriptedKms = Medco.Csfle.Testing.FakeKeyManagementService;

namespace Medco.Csfle.Engine.Tests.Kms;

public sealed class ResilientKeyManagementServiceTests : IDisposable
{
    private static readonly TimeSpan AttemptLimit = TimeSpan.FromSeconds(10);

    private readonly TimerClock _clock = new();
    private readonly CollectingLogger _log = new();
    private readonly ScriptedKms _kms;
    private readonly byte[] _dataKey = RandomNumberGenerator.GetBytes(96);
    private readonly byte[] _wrapped;

    public ResilientKeyManagementServiceTests()
    {
        _kms = new ScriptedKms("aws", _clock);
        _wrapped = _kms.Wrap(TestKeys.Aws, _dataKey);
    }

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task An_outage_is_tried_again_after_growing_pauses_until_it_is_over(bool isAsync)
    {
        _kms.Next(FakeKmsAnswer.Outage, 3);

        var call = Unwrap(Resilient(), isAsync);
        _clock.Pass(TimeSpan.FromMilliseconds(200));
        _clock.Pass(TimeSpan.FromMilliseconds(400));
        _clock.Pass(TimeSpan.FromMilliseconds(800));

        Assert.Equal(_dataKey, await call);
        Assert.Equal(4, _kms.Unwraps);
        Assert.Equal(["1", "2", "3"], _log.Lines.Select(line => line.Text.Split(' ')[1]));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Wrapping_is_tried_again_too(bool isAsync)
    {
        _kms.Next(FakeKmsAnswer.Outage);

        var call = Wrap(Resilient(), isAsync);
        _clock.Pass(TimeSpan.FromMilliseconds(200));

        Assert.Equal(_dataKey, _kms.Unwrap(TestKeys.Aws, await call));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task An_outage_that_lasts_is_an_error_that_says_how_often_it_was_tried(bool isAsync)
    {
        _kms.Always(FakeKmsAnswer.Outage);

        var call = Unwrap(Resilient(new KmsResilienceOptions { MaxAttempts = 2, TimeProvider = _clock }), isAsync);
        _clock.Pass(TimeSpan.FromMilliseconds(200));
        var exception = await Assert.ThrowsAsync<KmsException>(() => call);

        Assert.Equal((CsfleErrorCode.KmsFailed, KmsFailure.Unavailable, "aws"), (exception.Code, exception.Failure, exception.Provider));
        Assert.Contains("`aws`: it did not unwrap a data key in 2 attempts", exception.Message, StringComparison.Ordinal);
        Assert.IsType<KmsException>(exception.InnerException);
        Assert.Equal(2, _kms.Unwraps);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_refusal_is_not_tried_again(bool isAsync)
    {
        _kms.Always(FakeKmsAnswer.Refusal);

        Assert.Equal(KmsFailure.Refused, (await Assert.ThrowsAsync<KmsException>(() => Unwrap(Resilient(), isAsync))).Failure);
        Assert.Equal(KmsFailure.Refused, (await Assert.ThrowsAsync<KmsException>(() => Wrap(Resilient(), isAsync))).Failure);

        Assert.Equal((2, 1), (_kms.Wraps, _kms.Unwraps));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_call_without_an_answer_is_cut_off_and_tried_again(bool isAsync)
    {
        _kms.Next(FakeKmsAnswer.Silence);

        var call = Unwrap(Resilient(), isAsync);
        WaitForAttempt(1);
        _clock.Pass(AttemptLimit);
        _clock.Pass(TimeSpan.FromMilliseconds(200));

        Assert.Equal(_dataKey, await call);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Silence_ends_with_the_time_limit_for_all_attempts(bool isAsync)
    {
        _kms.Always(FakeKmsAnswer.Silence);

        var options = new KmsResilienceOptions { TimeLimit = TimeSpan.FromSeconds(15), TimeProvider = _clock };
        var call = Unwrap(Resilient(options), isAsync);
        WaitForAttempt(1);
        _clock.Pass(AttemptLimit);
        _clock.Pass(TimeSpan.FromMilliseconds(200));
        WaitForAttempt(2);
        _clock.Pass(TimeSpan.FromMilliseconds(4800));
        var exception = await Assert.ThrowsAsync<KmsException>(() => call);

        Assert.Equal(KmsFailure.TooSlow, exception.Failure);
        Assert.Contains("15 seconds", exception.Message, StringComparison.Ordinal);
        Assert.Equal(2, _kms.Unwraps);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task The_time_limit_ends_a_pause(bool isAsync)
    {
        _kms.Always(FakeKmsAnswer.Outage);

        var options = new KmsResilienceOptions { TimeLimit = TimeSpan.FromSeconds(3), FirstPause = TimeSpan.FromSeconds(5), TimeProvider = _clock };
        var call = Unwrap(Resilient(options), isAsync);
        Assert.True(SpinWait.SpinUntil(() => _log.Lines.Count == 1, TimeSpan.FromSeconds(30)));
        _clock.Pass(TimeSpan.FromSeconds(3));

        Assert.Equal(KmsFailure.TooSlow, (await Assert.ThrowsAsync<KmsException>(() => call)).Failure);
        Assert.Equal(1, _kms.Unwraps);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task Cancellation_by_the_caller_ends_attempt_and_pause_and_is_no_error_of_the_kms(bool isAsync, bool whileSilent)
    {
        _kms.Always(whileSilent ? FakeKmsAnswer.Silence : FakeKmsAnswer.Outage);
        using var cancellation = new CancellationTokenSource();
        var call = Unwrap(Resilient(), isAsync, cancellation.Token);
        Assert.True(SpinWait.SpinUntil(() => whileSilent ? _kms.Unwraps == 1 : _log.Lines.Count == 1, TimeSpan.FromSeconds(30)));

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(1, _kms.Unwraps);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 95)]
    [InlineData(true, 97)]
    public async Task What_has_not_the_length_of_a_data_key_is_a_wrong_answer(bool isAsync, int length)
    {
        _kms.Always(FakeKmsAnswer.OfLength(length));

        var exception = await Assert.ThrowsAsync<KmsException>(() => Unwrap(Resilient(), isAsync));

        Assert.Equal(KmsFailure.WrongAnswer, exception.Failure);
        Assert.Contains($"{length} bytes", exception.Message, StringComparison.Ordinal);
        Assert.Equal(1, _kms.Unwraps);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_data_key_wrapped_to_nothing_or_not_wrapped_at_all_is_a_wrong_answer(bool isAsync)
    {
        _kms.Always(FakeKmsAnswer.OfLength(0));
        var echo = new FakeKeyManagementService("aws") { OnUnwrap = _ => throw new InvalidOperationException() };

        Assert.Equal(KmsFailure.WrongAnswer, (await Assert.ThrowsAsync<KmsException>(() => Wrap(Resilient(), isAsync))).Failure);

        // What that fake makes of a palindrome is the palindrome.
        byte[] palindrome = [.. _dataKey[..48], .. _dataKey[..48].Reverse()];
        var service = new ResilientKeyManagementService(echo);
        Assert.Equal(KmsFailure.WrongAnswer, (await Assert.ThrowsAsync<KmsException>(
            async () => _ = isAsync ? await service.WrapAsync(TestKeys.Aws, palindrome) : service.Wrap(TestKeys.Aws, palindrome))).Failure);
    }

    [Theory]
    [InlineData(typeof(HttpRequestException))]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(SocketException))]
    [InlineData(typeof(TimeoutException))]
    public async Task Errors_of_the_network_count_as_an_outage(Type type)
    {
        var attempts = 0;
        var service = Throwing(() => ++attempts < 3 ? (Exception)Activator.CreateInstance(type)! : null);

        Assert.Equal(_dataKey, await Unwrap(service, isAsync: true));
        Assert.Equal(3, attempts);

        attempts = -10;
        var exception = await Assert.ThrowsAsync<KmsException>(() => Unwrap(service, isAsync: true));
        Assert.Equal(KmsFailure.Unavailable, exception.Failure);
        Assert.IsType(type, exception.InnerException);
    }

    [Theory]
    [InlineData(typeof(CryptographicException))]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(ObjectDisposedException))]
    public async Task Every_other_error_goes_through_as_it_is(Type type)
    {
        var attempts = 0;
        var thrown = type == typeof(ObjectDisposedException) ? new ObjectDisposedException("kms") : (Exception)Activator.CreateInstance(type)!;

        Assert.Same(thrown, await Record.ExceptionAsync(() => Unwrap(
            Throwing(() =>
            {
                attempts++;
                return thrown;
            }),
            isAsync: false)));
        Assert.Equal(1, attempts);
    }

    [Fact]
    public void Pauses_are_shortened_at_random_by_up_to_half_and_end_at_the_longest()
    {
        var options = new KmsResilienceOptions { FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(3) };

        Assert.Equal(TimeSpan.FromSeconds(0.5), options.PauseAfter(1, 0));
        Assert.Equal(TimeSpan.FromSeconds(1), options.PauseAfter(1, 1));
        Assert.Equal(TimeSpan.FromSeconds(2), options.PauseAfter(2, 1));
        Assert.Equal(TimeSpan.FromSeconds(3), options.PauseAfter(3, 1));
        Assert.Equal(TimeSpan.FromSeconds(3), options.PauseAfter(int.MaxValue, 1));
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        Assert.All(
            new KmsResilienceOptions[]
            {
                new() { TimeLimit = TimeSpan.Zero },
                new() { TimeLimit = TimeSpan.MaxValue },
                new() { AttemptTimeLimit = Timeout.InfiniteTimeSpan },
                new() { MaxAttempts = 0 },
                new() { FirstPause = TimeSpan.FromTicks(-1) },
                new() { LongestPause = TimeSpan.FromDays(2) },
            },
            options => Assert.Throws<ArgumentOutOfRangeException>(() => new ResilientKeyManagementService(_kms, options)));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_refused_data_key_is_not_added_to_the_key_vault(bool isAsync)
    {
        var store = new InMemoryKeyVaultStore();
        using var vault = new KeyVaultService(store, [Resilient()]);
        _kms.Always(FakeKmsAnswer.Refusal);
        var options = new DataKeyCreationOptions { MasterKey = Medco.Csfle.Engine.Bson.ExtendedJson.ToBson("""{"region": "eu-west-1", "key": "arn"}""") };

        await Assert.ThrowsAsync<KmsException>(async () => _ = isAsync ? await vault.CreateDataKeyAsync("aws", options) : vault.CreateDataKey("aws", options));

        Assert.Empty(store.List());
    }

    [Fact]
    public void It_stands_for_the_service_and_disposes_it()
    {
        var service = Resilient();
        Assert.Equal("aws", service.Provider);

        service.Dispose();

        Assert.True(_kms.IsDisposed);
    }

    public void Dispose()
    {
        _kms.Dispose();
        _log.Dispose();
    }

    // Time must not pass before the KMS has been asked.
    private void WaitForAttempt(int number) => Assert.True(SpinWait.SpinUntil(() => _kms.Unwraps == number, TimeSpan.FromSeconds(30)));

    private ResilientKeyManagementService Resilient(KmsResilienceOptions? options = null)
    {
        options ??= new KmsResilienceOptions { TimeProvider = _clock };
        return new(_kms, new KmsResilienceOptions
        {
            TimeLimit = options.TimeLimit,
            MaxAttempts = options.MaxAttempts,
            FirstPause = options.FirstPause,
            TimeProvider = options.TimeProvider,
            LoggerFactory = _log,
        }, () => 1);
    }

    // One that fails as it is told, and else answers with the data key; it is never paused for.
    private ResilientKeyManagementService Throwing(Func<Exception?> next)
        => new(
            new FakeKeyManagementService("aws") { OnUnwrap = _ => next() is { } exception ? throw exception : [.. _dataKey] },
            new KmsResilienceOptions { FirstPause = TimeSpan.Zero });

    // On a thread of its own: the sync path blocks until the clock is turned.
    private Task<byte[]> Unwrap(ResilientKeyManagementService service, bool isAsync, CancellationToken cancellationToken = default)
        => Task.Run(async () => isAsync ? await service.UnwrapAsync(TestKeys.Aws, _wrapped, cancellationToken) : service.Unwrap(TestKeys.Aws, _wrapped, cancellationToken));

    private Task<byte[]> Wrap(ResilientKeyManagementService service, bool isAsync)
        => Task.Run(async () => isAsync ? await service.WrapAsync(TestKeys.Aws, _dataKey) : service.Wrap(TestKeys.Aws, _dataKey));
}
