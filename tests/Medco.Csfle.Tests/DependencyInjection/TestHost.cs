using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Medco.Csfle.Tests.DependencyInjection;

/// <summary>A host with a configuration of pairs of keys and values.</summary>
internal static class TestHost
{
    /// <summary>A master key in base64, as a configuration holds it.</summary>
    public static readonly string MasterKey = Convert.ToBase64String(Enumerable.Range(1, LocalMasterKey.Length).Select(number => (byte)number).ToArray());

    public static IHost Build(Action<IServiceCollection> configure, params (string Key, string? Value)[] configuration)
        => Build(configure, "Production", contentRoot: null, configuration);

    public static IHost Build(Action<IServiceCollection> configure, string environment, string? contentRoot, params (string Key, string? Value)[] configuration)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, EnvironmentName = environment, ContentRootPath = contentRoot });
        builder.Configuration.AddInMemoryCollection(configuration.Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
        configure(builder.Services);
        return builder.Build();
    }
}
