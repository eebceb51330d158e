using Medco.Csfle;
using Medco.Csfle.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers client-side field level encryption for MongoDB.</summary>
public static class CsfleServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ICsfleClientFactory"/>, <see cref="CsfleKeys"/>, <see cref="CsfleEncryption"/> and <see cref="CsfleEnforcement"/>, and starts the library up with the host. Registration
    /// does no I/O. Called again, it adds to what was said before.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Says where MongoDB, key vault and master key are, and which collections are encrypted.</param>
    /// <returns>The services, for the next call.</returns>
    public static IServiceCollection AddCsfle(this IServiceCollection services, Action<CsfleBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<CsfleOptions>().Configure(options => configure(new CsfleBuilder(options)));
        services.TryAddSingleton<ICsfleClientFactory>(provider => new CsfleClientFactory(
            provider.GetRequiredService<IOptions<CsfleOptions>>().Value,
            provider.GetService<IHostEnvironment>()?.IsDevelopment() ?? false,
            provider.GetService<ILoggerFactory>()));
        services.TryAddSingleton(provider => provider.GetRequiredService<ICsfleClientFactory>().Keys);
        services.TryAddSingleton(provider => provider.GetRequiredService<ICsfleClientFactory>().Encryption);
        services.TryAddSingleton(provider => provider.GetRequiredService<ICsfleClientFactory>().Enforcement);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CsfleHostedStartup>());
        return services;
    }
}
