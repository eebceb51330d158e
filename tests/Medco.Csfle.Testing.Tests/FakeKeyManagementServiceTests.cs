using System.Security.Cryptography;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Testing.Tests;

public sealed class FakeKeyManagementServiceTests : IDisposable
{
    private static readonly byte[] MasterKey = ExtendedJson.ToBson("""{"provider": "aws", "region": "eu-west-1", "key": "arn"}""");

    private readonly byte[] _dataKey = RandomNumberGenerator.GetBytes(96);
    private readonly FakeKeyManagementService _kms = new("aws");

    public static TheoryData<bool> SyncAndAsync => new() { false, true };

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Untold_it_wraps_and_unwraps_and_counts(bool isAsync)
    {
        var wrapped = await Wrap(isAsync);

        Assert.Equal(-1, wrapped.AsSpan().IndexOf(_dataKey));
        Assert.Equal(_dataKey, await Unwrap(wrapped, isAsync));
        Assert.Equal(_dataKey, await Unwrap(wrapped, isAsync));
        Assert.Equal((1, 2), (_kms.Wraps, _kms.Unwraps));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task It_follows_its_script_and_then_answers_rightly_again(bool isAsync)
    {
        var wrapped = await Wrap(isAsync);
        _kms.Next(FakeKmsAnswer.Outage, 2).Next(FakeKmsAnswer.Refusal).Next(FakeKmsAnswer.WrongContent).Next(FakeKmsAnswer.OfLength(32));

        Assert.Equal(KmsFailure.Unavailable, (await Assert.ThrowsAsync<KmsException>(() => Unwrap(wrapped, isAsync))).Failure);
        Assert.Equal(KmsFailure.Unavailable, (await Assert.ThrowsAsync<KmsException>(() => Unwrap(wrapped, isAsync))).Failure);
        Assert.Equal(KmsFailure.Refused, (await Assert.ThrowsAsync<KmsException>(() => Unwrap(wrapped, isAsync))).Failure);
        var wrong = await Unwrap(wrapped, isAsync);
        Assert.Equal(96, wrong.Length);
        Assert.NotEqual(_dataKey, wrong);
        Assert.Equal(32, (await Unwrap(wrapped, isAsync)).Length);
        Assert.Equal(_dataKey, await Unwrap(wrapped, isAsync));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task What_it_always_answers_replaces_the_script(bool isAsync)
    {
        _kms.Next(FakeKmsAnswer.Outage, 5).Always(FakeKmsAnswer.Refusal);

        for (var i = 0; i < 3; i++) Assert.Equal(KmsFailure.Refused, (await Assert.ThrowsAsync<KmsException>(() => Wrap(isAsync))).Failure);
        _kms.Always(FakeKmsAnswer.Right);
        Assert.NotEmpty(await Wrap(isAsync));
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task Silence_lasts_until_the_call_is_cancelled(bool isAsync)
    {
        _kms.Next(FakeKmsAnswer.Silence);
        using var cancellation = new CancellationTokenSource();
        var call = Task.Run(() => Wrap(isAsync, cancellation.Token));
        Assert.True(SpinWait.SpinUntil(() => _kms.Wraps == 1, TimeSpan.FromSeconds(30)));
        Assert.False(call.IsCompleted);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Theory]
    [MemberData(nameof(SyncAndAsync))]
    public async Task A_late_answer_is_right(bool isAsync)
    {
        var wrapped = await Wrap(isAsync);
        _kms.Next(FakeKmsAnswer.After(TimeSpan.FromMilliseconds(20)));
        var start = TimeProvider.System.GetTimestamp();

        Assert.Equal(_dataKey, await Unwrap(wrapped, isAsync));

        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 10, double.MaxValue);
    }

    [Fact]
    public void Disposed_it_refuses_to_work()
    {
        _kms.Dispose();

        Assert.True(_kms.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => _kms.Wrap(MasterKey, _dataKey));
    }

    public void Dispose() => _kms.Dispose();

    private async Task<byte[]> Wrap(bool isAsync, CancellationToken cancellationToken = default)
        => isAsync ? await _kms.WrapAsync(MasterKey, _dataKey, cancellationToken) : _kms.Wrap(MasterKey, _dataKey, cancellationToken);

    private async Task<byte[]> Unwrap(byte[] wrapped, bool isAsync)
        => isAsync ? await _kms.UnwrapAsync(MasterKey, wrapped) : _kms.Unwrap(MasterKey, wrapped);
}
