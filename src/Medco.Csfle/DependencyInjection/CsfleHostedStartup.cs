using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Medco.Csfle.DependencyInjection;

/// <summary>
/// Starts every registration up before any other service of the host starts; the host does not start when one of them fails.
/// </summary>
internal sealed class CsfleHostedStartup(IServiceProvider services, IOptions<CsfleRegistrations> registrations, ILoggerFactory? logging = null) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var name in registrations.Value.Names)
        {
            try
            {
                await FactoryOf(name).InitializeAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (name != Options.DefaultName && exception is not OperationCanceledException)
            {
                logging?.CreateLogger<CsfleHostedStartup>().StartFailed(name);
                throw;
            }
        }
    }

    // For hosts that do not know the step before; done already in those that do.
    public Task StartAsync(CancellationToken cancellationToken) => StartingAsync(cancellationToken);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private ICsfleClientFactory FactoryOf(string name) => name == Options.DefaultName
        ? services.GetRequiredService<ICsfleClientFactory>()
        : services.GetRequiredKeyedService<ICsfleClientFactory>(name);
}
