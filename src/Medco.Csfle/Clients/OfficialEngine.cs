using Medco.Csfle.DependencyInjection;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Logging;
using MongoDB.Driver;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.Clients;

/// <summary>
/// MongoDB's own engine. The package Medco.Csfle.LibMongoCrypt brings it, so that whoever does without has nothing native.
/// </summary>
internal abstract class OfficialEngine
{
    /// <summary>Whether it encrypts by itself; if not, there is nothing to prove.</summary>
    public abstract bool Encrypts { get; }

    /// <summary>What was told to the builder and cannot work with this engine. Opens nothing.</summary>
    public abstract IEnumerable<CsfleConfigurationError> FindMistakes(CsfleOptions options);

    /// <summary>Loads it and proves that it can encrypt.</summary>
    /// <returns>Encrypts and decrypts for every client of a factory that asks for this engine; the caller disposes it.</returns>
    /// <exception cref="Medco.Csfle.Engine.CsfleException">Something that it needs is missing, or does not work.</exception>
    public abstract IAutoEncryptionLibMongoCryptController Open(OfficialEngineContext context, CancellationToken cancellationToken);

    /// <inheritdoc cref="Open"/>
    public abstract ValueTask<IAutoEncryptionLibMongoCryptController> OpenAsync(OfficialEngineContext context, CancellationToken cancellationToken);
}

/// <summary>What the official engine works with, known after start-up.</summary>
/// <param name="Options">What the builder was told.</param>
/// <param name="Started">The managed engine, which knows where may be written, and the schemas.</param>
/// <param name="MasterKeys">The KMS providers, opened; they stay the caller's.</param>
/// <param name="KeyVaultClient">A client that does not encrypt; it stays the caller's.</param>
/// <param name="NewSettings">Makes the settings of a client as the application configured them.</param>
/// <param name="Logger">Where to log.</param>
internal sealed record OfficialEngineContext(
    CsfleOptions Options,
    StartedEngine Started,
    IReadOnlyList<IKeyManagementService> MasterKeys,
    IMongoClient KeyVaultClient,
    Func<MongoClientSettings> NewSettings,
    ILogger Logger);
