using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Schema;
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
internal sealed class EngineSource(CsfleOptions options, CsfleKeys keys, CsfleEnforcement enforcement, Func<IMongoCommandRunner> newRunner, bool createMissingDataKeys, ILogger logger)
    : IDisposable
{
    // Never disposed: nobody asks for its wait handle, and somebody may still be waiting.
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile StartedEngine? _started;
    private volatile bool _disposed;

    /// <summary>The engine; null before it is started.</summary>
    public StartedEngine? Started => _started;

    /// <summary>The engine, started now where it was not yet.</summary>
    /// <exception cref="CsfleException">It cannot be started.</exception>
    /// <exception cref="ObjectDisposedException">The factory is disposed.</exception>
    public StartedEngine Start(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(CsfleClientFactory));
        if (_started is { } started) return started;
        _gate.Wait(cancellationToken);
        try
        {
            return _started ??= StartOnce(cancellationToken);
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
        return _started is { } started ? new(started) : StartSlowlyAsync(cancellationToken);
    }

    /// <summary>Refuses every use from now on.</summary>
    public void Dispose() => _disposed = true;

    private async ValueTask<StartedEngine> StartSlowlyAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _started ??= await StartOnceAsync(cancellationToken).ConfigureAwait(false);
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
        enforcement.AtStartup(schemas, cancellationToken);
        return NewEngine(vault, schemas, ids.Count);
    }

    private async ValueTask<StartedEngine> StartOnceAsync(CancellationToken cancellationToken)
    {
        var collections = ReadLocally();
        var vault = await keys.OpenAsync(cancellationToken).ConfigureAwait(false);
        await keys.EnsureIndexAsync(createMissingDataKeys, cancellationToken).ConfigureAwait(false);
        var schemas = collections.ToSchemas(await keys.ResolveAsync(collections.KeyAltNames, createMissingDataKeys, cancellationToken).ConfigureAwait(false));
        var ids = RegisteredCollections.KeyIdsIn(schemas.Values);
        await keys.LoadAsync(ids, cancellationToken).ConfigureAwait(false);
        await enforcement.AtStartupAsync(schemas, cancellationToken).ConfigureAwait(false);
        return NewEngine(vault, schemas, ids.Count);
    }

    // What is wrong on this machine, master keys included, is found before any server is asked.
    private RegisteredCollections ReadLocally()
    {
        CsfleOptionsValidator.RequireCollections(options);
        return RegisteredCollections.Read(options.Collections);
    }

    private StartedEngine NewEngine(KeyVaultService vault, Dictionary<string, EncryptionSchema> schemas, int keyCount)
    {
        var engine = new CsfleEngine(vault, new CsfleEngineOptions
        {
            Schemas = schemas,
            AllowUnencrypted = options.AllowUnencrypted,
            ServerSchemas = options.UseServerSchema ? newRunner() : null,
            ServerChecks = options.UseServerSchema ? null : newRunner(),
        });
        logger.Started(schemas.Count, keyCount, keys.Description);
        return new StartedEngine(engine, schemas);
    }
}
