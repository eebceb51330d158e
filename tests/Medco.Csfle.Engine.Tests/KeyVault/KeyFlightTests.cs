using System.Security.Cryptography;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Tests.Cryptography;
using Medco.Csfle.Engine.Tests.Kms;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>Many who need a key at once: one of them fetches it, for himself and the others.</summary>
public sealed class KeyFlightTests : IDisposable
{
    private const int Callers = 32;

    private readonly ScriptedKeyVaultStore _store = new();
    private readonly FakeKeyManagementService _aws = new("aws");
    private readonly KeyVaultService _vault;
    private readonly DataKeyDocument _key = TestKeys.New("a");
    private readonly ManualResetEventSlim _gate = new();

    public KeyFlightTests()
    {
        _vault = new KeyVaultService(_store, [_aws]);
        _store.OnFind = () =>
        {
            _gate.Wait();
            return [_key];
        };
    }

    public void Dispose()
    {
        _vault.Dispose();
        _gate.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_is_fetched_once_for_all_who_wait_for_it(bool async)
    {
        var callers = Start(async, Callers);
        await Task.Delay(100);
        _gate.Set();
        var keys = await Task.WhenAll(callers);
        Assert.Single(keys.Distinct());
        Assert.Equal(1, _store.Finds);
        Assert.Equal(1, _aws.Unwraps);

        // Every caller has a reference, and one more would keep the key alive.
        _vault.Dispose();
        Assert.Contains(Secrets.BytesOf(keys[0]), b => b != 0);
        foreach (var key in keys) key.Release();
        Assert.All(Secrets.BytesOf(keys[0]), b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task Synchronous_and_asynchronous_callers_do_not_wait_for_each_other()
    {
        var callers = Start(false, Callers).Concat(Start(true, Callers)).ToArray();
        await Task.Delay(100);
        _gate.Set();
        foreach (var key in await Task.WhenAll(callers)) key.Release();
        Assert.InRange(_store.Finds, 1, 2);
        Assert.Equal(_store.Finds, _aws.Unwraps);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_error_is_everybodys_and_is_not_remembered(bool async)
    {
        _aws.OnUnwrap = _ =>
        {
            _gate.Wait();
            throw new CryptographicException("refused");
        };
        _store.OnFind = () => [_key];
        var callers = Start(async, Callers);
        await Task.Delay(100);
        _gate.Set();
        foreach (var caller in callers) Assert.Equal(CsfleErrorCode.DataKeyNotUnwrapped, (await Assert.ThrowsAsync<DataKeyException>(() => caller)).Code);
        Assert.InRange(_store.Finds, 1, Callers / 2);

        _aws.OnUnwrap = wrapped => [.. wrapped.Reverse()];
        (await Start(async, 1)[0]).Release();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_gives_up_takes_nobody_with_him(bool async)
    {
        using var cancellation = new CancellationTokenSource();
        var first = 1;
        _store.OnFind = () =>
        {
            if (Interlocked.Exchange(ref first, 0) == 0) return [_key];
            _gate.Wait();
            throw new OperationCanceledException(cancellation.Token);
        };
        var impatient = Start(async, 1, cancellation.Token)[0];
        await FirstFind();
        var others = Start(async, Callers);
        await Task.Delay(100);
        await cancellation.CancelAsync();
        _gate.Set();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        foreach (var key in await Task.WhenAll(others)) key.Release();
        Assert.Equal(2, _store.Finds);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Waiting_for_somebody_else_can_be_given_up(bool async)
    {
        var flying = Start(async, 1)[0];
        await FirstFind();
        using var cancellation = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Start(async, 1, cancellation.Token)[0]);
        _gate.Set();
        (await flying).Release();
        Assert.Equal(1, _store.Finds);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_is_missing_fails_only_those_who_want_it(bool async)
    {
        var both = Task.Factory.StartNew(() => Acquire(async, default, KeyReference.ByName("a"), KeyReference.ByName("missing")), TaskCreationOptions.LongRunning).Unwrap();
        await FirstFind();
        var one = Start(async, 1)[0];
        await Task.Delay(50);
        _gate.Set();
        Assert.Equal("missing", (await Assert.ThrowsAsync<DataKeyException>(() => both)).KeyAltName);
        (await one).Release();
    }

    private Task<DataKey>[] Start(bool async, int callers, CancellationToken cancellationToken = default)
        => [.. Enumerable.Range(0, callers).Select(_ => Task.Factory.StartNew(
            () => Acquire(async, cancellationToken, KeyReference.ByName("a")), TaskCreationOptions.LongRunning).Unwrap())];

    private async Task<DataKey> Acquire(bool async, CancellationToken cancellationToken, params KeyReference[] references)
    {
        var keys = new DataKey[references.Length];
        if (async) await _vault.AcquireKeysAsync(references, keys, cancellationToken);
        else _vault.AcquireKeys(references, keys, cancellationToken);
        return keys[0];
    }

    // Who comes first must have asked the key vault before the others start, however busy the machine is.
    private async Task FirstFind()
    {
        while (_store.Finds == 0) await Task.Delay(5);
    }
}
