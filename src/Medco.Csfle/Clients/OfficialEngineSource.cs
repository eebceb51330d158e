using Medco.Csfle.Proof;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Clients;

/// <summary>
/// Opens the official engine once for all clients of a factory, whoever asks first, and proves that it encrypts; the others wait.
/// One that failed is tried again by the next one who asks.
/// </summary>
/// <param name="official">The engine.</param>
/// <param name="engine">Starts up before it: the official engine is told the schemas that come out of that.</param>
/// <param name="proof">Proves that what was opened encrypts.</param>
/// <param name="newContext">What the official engine works with.</param>
internal sealed class OfficialEngineSource(OfficialEngine official, EngineSource engine, StartupProof proof, Func<StartedEngine, OfficialEngineContext> newContext)
    : IDisposable
{
    // Never disposed: nobody asks for its wait handle, and somebody may still be waiting.
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile IAutoEncryptionLibMongoCryptController? _opened;
    private volatile bool _disposed;

    /// <summary>The engine, opened now where it was not yet.</summary>
    /// <exception cref="Medco.Csfle.Engine.CsfleException">It cannot be opened.</exception>
    /// <exception cref="ObjectDisposedException">The factory is disposed.</exception>
    public IAutoEncryptionLibMongoCryptController Open(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(CsfleClientFactory));
        if (_opened is { } opened) return opened;
        var started = engine.Start(cancellationToken);
        _gate.Wait(cancellationToken);
        try
        {
            return _opened ??= OpenProven(started, cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc cref="Open"/>
    public ValueTask<IAutoEncryptionLibMongoCryptController> OpenAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(CsfleClientFactory));
        return _opened is { } opened ? new(opened) : OpenSlowlyAsync(cancellationToken);
    }

    /// <summary>Closes it, and refuses every use from now on.</summary>
    public void Dispose()
    {
        _disposed = true;
        Interlocked.Exchange(ref _opened, null)?.Dispose();
    }

    private async ValueTask<IAutoEncryptionLibMongoCryptController> OpenSlowlyAsync(CancellationToken cancellationToken)
    {
        var started = await engine.StartAsync(cancellationToken).ConfigureAwait(false);
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _opened ??= await OpenProvenAsync(started, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    private IAutoEncryptionLibMongoCryptController OpenProven(StartedEngine started, CancellationToken cancellationToken)
    {
        var controller = official.Open(newContext(started), cancellationToken);
        try
        {
            if (official.Encrypts) proof.RunThrough(controller, started.Schemas, cancellationToken);
            return controller;
        }
        catch
        {
            controller.Dispose();
            throw;
        }
    }

    private async ValueTask<IAutoEncryptionLibMongoCryptController> OpenProvenAsync(StartedEngine started, CancellationToken cancellationToken)
    {
        var controller = await official.OpenAsync(newContext(started), cancellationToken).ConfigureAwait(false);
        try
        {
            if (official.Encrypts) await proof.RunThroughAsync(controller, started.Schemas, cancellationToken).ConfigureAwait(false);
            return controller;
        }
        catch
        {
            controller.Dispose();
            throw;
        }
    }

    // Whoever disposed while it was being opened did not see it.
    private void Leave()
    {
        _gate.Release();
        if (_disposed) Dispose();
    }
}
