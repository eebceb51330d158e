using Microsoft.Extensions.Hosting;

namespace Medco.Csfle.DependencyInjection;

/// <summary>Starts the library up before any other service of the host starts; the host does not start when it fails.</summary>
internal sealed class CsfleHostedStartup(ICsfleClientFactory factory) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => factory.InitializeAsync(cancellationToken);

    // For hosts that do not know the step before; done already in those that do.
    public Task StartAsync(CancellationToken cancellationToken) => factory.InitializeAsync(cancellationToken);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
