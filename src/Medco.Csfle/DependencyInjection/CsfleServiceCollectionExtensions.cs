using Medco.Csfle;
using Medco.Csfle.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers client-side field level encryption for MongoDB.</summary>
/// <remarks>
/// <para>Registration does no I/O, and neither does taking a service from the container. With a host, settings are checked
/// first of all, and then every registration starts up before any other service of the host; the host does not start where
/// that fails.</para>
/// <para>All calls can be combined and repeated: each adds to what was said before, and what two of them say is as the later
/// one says it. A collection that is registered twice in different ways is an error.</para>
/// </remarks>
public static class CsfleServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="ICsfleClientFactory"/>, <see cref="CsfleKeys"/>, <see cref="CsfleEncryption"/> and <see cref="CsfleEnforcement"/>, and an
    /// <see cref="IMongoClient"/> under each of the keys <see cref="CsfleClients.Encrypted"/> and
    /// <see cref="CsfleClients.Unencrypted"/>. None is registered without a key: nobody shall get either by accident.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">Says where MongoDB, key vault and master key are, and which collections are encrypted.</param>
    /// <returns>The services, for the next call.</returns>
    public static IServiceCollection AddCsfle(this IServiceCollection services, Action<CsfleBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, null, (options, _) => configure(new CsfleBuilder(options)));
    }

    /// <summary>The same, from the section <c>Csfle</c> of the configuration that is registered in the container.</summary>
    /// <inheritdoc cref="AddCsfle(IServiceCollection, Action{CsfleBuilder})"/>
    /// <param name="services">The services of the application.</param>
    public static IServiceCollection AddCsfle(this IServiceCollection services) => Add(services, null, (options, provider) => ReadRegistered(options, provider, CsfleSection.DefaultPath));

    /// <summary>The same, from a section of a configuration; <see cref="CsfleBuilder.ReadFrom"/> says more.</summary>
    /// <inheritdoc cref="AddCsfle(IServiceCollection, Action{CsfleBuilder})"/>
    /// <param name="services">The services of the application.</param>
    /// <param name="section">The section itself, such as <c>configuration.GetSection("Csfle")</c>.</param>
    public static IServiceCollection AddCsfle(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return Add(services, null, (options, _) => new CsfleBuilder(options).ReadFrom(section));
    }

    /// <summary>
    /// A registration of its own for another cluster, or for other keys. It shares nothing with those of other names and the
    /// one without. <see cref="ICsfleClientFactory"/>, <see cref="CsfleKeys"/>, <see cref="CsfleEncryption"/> and
    /// <see cref="CsfleEnforcement"/> have its name as their service key, and its clients <see cref="CsfleClients.EncryptedOf"/> and <see cref="CsfleClients.UnencryptedOf"/>
    /// of it: <c>[FromKeyedServices("clinic")] ICsfleClientFactory</c>, <c>[EncryptedClient("clinic")] IMongoClient</c>.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="name">The name; letters count in their case.</param>
    /// <param name="configure">Says where MongoDB, key vault and master key are, and which collections are encrypted.</param>
    /// <returns>The services, for the next call.</returns>
    public static IServiceCollection AddCsfle(this IServiceCollection services, string name, Action<CsfleBuilder> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, name, (options, _) => configure(new CsfleBuilder(options)));
    }

    /// <summary>The same, from the section <c>Csfle:Named:</c><paramref name="name"/> of the configuration that is registered in the container.</summary>
    /// <inheritdoc cref="AddCsfle(IServiceCollection, string, Action{CsfleBuilder})"/>
    /// <param name="services">The services of the application.</param>
    /// <param name="name">The name; letters count in their case.</param>
    public static IServiceCollection AddCsfle(this IServiceCollection services, string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Add(services, name, (options, provider) => ReadRegistered(options, provider, ConfigurationPath.Combine(CsfleSection.DefaultPath, CsfleSection.Named, name)));
    }

    /// <summary>The same, from a section of a configuration; <see cref="CsfleBuilder.ReadFrom"/> says more.</summary>
    /// <inheritdoc cref="AddCsfle(IServiceCollection, string, Action{CsfleBuilder})"/>
    /// <param name="services">The services of the application.</param>
    /// <param name="name">The name; letters count in their case.</param>
    /// <param name="section">The section itself, such as <c>configuration.GetSection("Clinic")</c>.</param>
    public static IServiceCollection AddCsfle(this IServiceCollection services, string name, IConfiguration section)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(section);
        return Add(services, name, (options, _) => new CsfleBuilder(options).ReadFrom(section));
    }

    private static void ReadRegistered(CsfleOptions options, IServiceProvider provider, string path)
    {
        if (provider.GetService<IConfiguration>() is { } configuration)
        {
            new CsfleBuilder(options).ReadFrom(configuration.GetSection(path));
        }
        else
        {
            options.ConfigurationErrors.Add(new(path, "No configuration is registered in the container.", "Register an IConfiguration, or pass the section to AddCsfle."));
        }
    }

    private static IServiceCollection Add(IServiceCollection services, string? name, Action<CsfleOptions, IServiceProvider> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<CsfleOptions>(name ?? Options.Options.DefaultName).Configure<IServiceProvider>((options, provider) =>
        {
            options.Name = name;
            options.ContentRoot = provider.GetService<IHostEnvironment>()?.ContentRootPath;
            configure(options, provider);
        });
        services.AddOptions<CsfleRegistrations>().Configure(registrations => registrations.Add(name ?? Options.Options.DefaultName)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<CsfleRegistrations>, CsfleRegistrationsValidation>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CsfleHostedStartup>());
        if (name is null)
        {
            AddDefault(services);
        }
        else
        {
            AddNamed(services, name);
        }

        return services;
    }

    private static void AddDefault(IServiceCollection services)
    {
        services.TryAddSingleton<ICsfleClientFactory>(provider => NewFactory(provider, Options.Options.DefaultName));
        services.TryAddSingleton(provider => provider.GetRequiredService<ICsfleClientFactory>().Keys);
        services.TryAddSingleton(provider => provider.GetRequiredService<ICsfleClientFactory>().Encryption);
        services.TryAddSingleton(provider => provider.GetRequiredService<ICsfleClientFactory>().Enforcement);
        services.TryAddKeyedSingleton(CsfleClients.Encrypted, (provider, _) => provider.GetRequiredService<ICsfleClientFactory>().CreateEncryptedClient());
        services.TryAddKeyedSingleton(CsfleClients.Unencrypted, (provider, _) => provider.GetRequiredService<ICsfleClientFactory>().CreateUnencryptedClient());
    }

    private static void AddNamed(IServiceCollection services, string name)
    {
        services.TryAddKeyedSingleton<ICsfleClientFactory>(name, (provider, _) => NewFactory(provider, name));
        services.TryAddKeyedSingleton(name, (provider, _) => Factory(provider).Keys);
        services.TryAddKeyedSingleton(name, (provider, _) => Factory(provider).Encryption);
        services.TryAddKeyedSingleton(name, (provider, _) => Factory(provider).Enforcement);
        services.TryAddKeyedSingleton(CsfleClients.EncryptedOf(name), (provider, _) => Factory(provider).CreateEncryptedClient());
        services.TryAddKeyedSingleton(CsfleClients.UnencryptedOf(name), (provider, _) => Factory(provider).CreateUnencryptedClient());

        ICsfleClientFactory Factory(IServiceProvider provider) => provider.GetRequiredKeyedService<ICsfleClientFactory>(name);
    }

    private static CsfleClientFactory NewFactory(IServiceProvider provider, string name) => new(
        provider.GetRequiredService<IOptionsMonitor<CsfleOptions>>().Get(name),
        provider.GetService<IHostEnvironment>()?.IsDevelopment() ?? false,
        provider.GetService<ILoggerFactory>());
}
