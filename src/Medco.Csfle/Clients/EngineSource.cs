using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Proof;
using Medco.Csfle.Schema;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Clients;

/// <summary>What start-up results in.</summary>
/// <param name="Engine">Encrypts and decrypts.</param>
/// <param name="Schemas">The schema of each registered collection.</param>
internal sealed record StartedEngine(CsfleEngine Engine, IReadOnlyDictionary<string, EncryptionSchema> Schemas);

/// <summary>
/// Starts the engine once, whoever asks first; the others wait. A start that failed is tried again by the next one who asks.
/// </summary>
internal sealed class EngineSource(
    CsfleOptions options, CsfleKeys keys, CsfleEnforcement enforcement, StartupProof proof, Func<IMongoCommandRunner> newRunner, bool createMissingDataKeys, ILoggerFactory loggerFactory)
    : IDisposable
{
    private const string ActivityName = "csfle.start";

    // Never disposed: nobody asks for its wait handle, and somebody may still be waiting.
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly AsyncLocal<Candidate?> _candidate = new();
    private readonly ILogger _logger = loggerFactory.CreateLogger<CsfleClientFactory>();
    private volatile StartedEngine? _started;
    private volatile string? _error;
    private volatile bool _disposed;

    /// <summary>The engine; null before it is started.</summary>
    public StartedEngine? Started => _started;

    /// <summary>What the last start failed with, as <c>error.type</c> says it; null where there was none, or it succeeded.</summary>
    public string? Error => _error;

    /// <summary>Whether the factory is disposed.</summary>
    public bool IsDisposed => _disposed;

    /// <summary>The engine, started now where it was not yet.</summary>
    /// <exception cref="CsfleException">It cannot be started.</exception>
    /// <exception cref="ObjectDisposedException">The factory is disposed.</exception>
    public StartedEngine Start(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(CsfleClientFactory));
        if ((_started ?? _candidate.Value?.Engine) is { } started) return started;
        _gate.Wait(cancellationToken);
        if (_started is { } first)
        {
            _gate.Release();
            return first;
        }

        using var call = MeasuredCall.Begin(ActivityName);
        try
        {
            _started = StartOnce(cancellationToken);
            _error = null;
            return _started;
        }
        catch (Exception exception) when (Failed(call, exception))
        {
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc cref="Start"/>
    public ValueTask<StartedEngine> StartAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(CsfleClientFactory));
        return (_started ?? _candidate.Value?.Engine) is { } started ? new(started) : StartSlowlyAsync(cancellationToken);
    }

    /// <summary>Refuses every use from now on.</summary>
    public void Dispose() => _disposed = true;

    private async ValueTask<StartedEngine> StartSlowlyAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_started is { } first)
        {
            _gate.Release();
            return first;
        }

        using var call = MeasuredCall.Begin(ActivityName);
        try
        {
            _started = await StartOnceAsync(cancellationToken).ConfigureAwait(false);
            _error = null;
            return _started;
        }
        catch (Exception exception) when (Failed(call, exception))
        {
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    private StartedEngine StartOnce(CancellationToken cancellationToken)
    {
        var collections = ReadLocally();
        var vault = keys.Service;
        keys.EnsureIndex(createMissingDataKeys, cancellationToken);
        var schemas = collections.ToSchemas(keys.Resolve(collections.KeyAltNames, createMissingDataKeys, cancellationToken));
        var ids = RegisteredCollections.KeyIdsIn(schemas.Values);
        keys.Load(ids, cancellationToken);
        _logger.KeysReady(ids.Count, keys.Description);
        enforcement.AtStartup(schemas, cancellationToken);
        var started = NewEngine(vault, schemas);
        using (var candidate = new Candidate(started))
        {
            _candidate.Value = candidate;
            proof.Run(schemas, cancellationToken);
        }

        _logger.Started(schemas.Count, ids.Count, keys.Description);
        return started;
    }

    private async ValueTask<StartedEngine> StartOnceAsync(CancellationToken cancellationToken)
    {
        var collections = ReadLocally();
        var vault = await keys.OpenAsync(cancellationToken).ConfigureAwait(false);
        await keys.EnsureIndexAsync(createMissingDataKeys, cancellationToken).ConfigureAwait(false);
        var schemas = collections.ToSchemas(await keys.ResolveAsync(collections.KeyAltNames, createMissingDataKeys, cancellationToken).ConfigureAwait(false));
        var ids = RegisteredCollections.KeyIdsIn(schemas.Values);
        await keys.LoadAsync(ids, cancellationToken).ConfigureAwait(false);
        _logger.KeysReady(ids.Count, keys.Description);
        await enforcement.AtStartupAsync(schemas, cancellationToken).ConfigureAwait(false);
        var started = NewEngine(vault, schemas);
        using (var candidate = new Candidate(started))
        {
            _candidate.Value = candidate;
            await proof.RunAsync(schemas, cancellationToken).ConfigureAwait(false);
        }

        _logger.Started(schemas.Count, ids.Count, keys.Description);
        return started;
    }

    // What is wrong on this machine, master keys included, is found before any server is asked.
    private RegisteredCollections ReadLocally()
    {
        CsfleOptionsValidator.RequireCollections(options);
        var collections = RegisteredCollections.Read(options.Collections);
        _logger.CollectionsRead(options.Collections.Count, collections.KeyAltNames.Count);
        return collections;
    }

    private StartedEngine NewEngine(KeyVaultService vault, Dictionary<string, EncryptionSchema> schemas)
    {
        var engine = new CsfleEngine(vault, new CsfleEngineOptions
        {
            Schemas = proof.WithCanaries(schemas),
            AllowUnencrypted = options.AllowUnencrypted,
            ServerSchemas = options.UseServerSchema ? newRunner() : null,
            ServerChecks = options.UseServerSchema ? null : newRunner(),
            LoggerFactory = loggerFactory,
        });
        return new StartedEngine(engine, schemas);
    }

    // The condition of a catch clause that catches nothing. Whoever gave up waiting is no failure of the start-up.
    private bool Failed(MeasuredCall? call, Exception exception)
    {
        call?.Fail(exception);
        if (exception is OperationCanceledException) return false;
        _error = CsfleTelemetry.TypeOf(exception);
        _logger.NotStarted(_error);
        return false;
    }

    /// <summary>
    /// The engine that is being proven, for whoever asks from within the start-up: the proof goes through the same clients and
    /// controllers as everybody else, who would wait for the start-up to end. Background work that the proof has started
    /// inherits it, and finds it empty afterwards.
    /// </summary>
    private sealed class Candidate(StartedEngine engine) : IDisposable
    {
        private volatile StartedEngine? _engine = engine;

        public StartedEngine? Engine => _engine;

        public void Dispose() => _engine = null;
    }
}
