using Medco.Csfle;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the health check of client-side field level encryption.</summary>
public static class CsfleHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check that <c>AddCsfle</c> has started, the key vault can be read and has its unique index, every data key of the
    /// schemas can be unwrapped, and no validator on the server that is to be enforced has drifted. It changes nothing and does not
    /// start anything.
    /// </summary>
    /// <remarks>
    /// <para>Failure: operations fail, or will as soon as a key leaves the memory, because it is not in the key vault any more or
    /// does not unwrap. Degraded: everything works, but somebody has to look.</para>
    /// <para>Each check unwraps every data key anew: with a KMS in a cloud, that is one request for each. Choose the period
    /// accordingly. The result's data are ids, names, codes and counts.</para>
    /// </remarks>
    /// <param name="builder">The health checks of the application.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What a failure is; <see cref="HealthStatus.Unhealthy"/> unless told.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="registration">The name that was given to <c>AddCsfle</c>; null for the registration without one.</param>
    /// <returns>The health checks, for the next call.</returns>
    public static IHealthChecksBuilder AddCsfle(
        this IHealthChecksBuilder builder, string name = "csfle", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null, TimeSpan? timeout = null,
        string? registration = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.Add(new HealthCheckRegistration(
            name,
            provider => (registration is null ? provider.GetRequiredService<ICsfleClientFactory>() : provider.GetRequiredKeyedService<ICsfleClientFactory>(registration))
                is CsfleClientFactory factory
                ? factory.NewHealthCheck()
                : throw new InvalidOperationException($"{nameof(ICsfleClientFactory)} was replaced by a class of the application, which this check cannot look into."),
            failureStatus,
            tags,
            timeout));
    }
}
