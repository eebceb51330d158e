using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>Settings of a <see cref="KeyVaultService"/>.</summary>
public sealed class KeyVaultOptions
{
    /// <summary>
    /// How long an unwrapped data key is kept in memory before it is looked up and unwrapped again. 60 seconds unless told;
    /// zero means, as for the official drivers' <c>keyExpirationMS</c>, never again.
    /// </summary>
    public TimeSpan CacheExpiration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The clock: when keys expire, and the dates in new data keys.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Time limits and retries of calls to a KMS; the defaults of <see cref="KmsResilienceOptions"/> unless told.</summary>
    public KmsResilienceOptions? KmsResilience { get; init; }

    /// <summary>Where to log; nowhere unless told. Ids and names are logged, never keys or values.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
