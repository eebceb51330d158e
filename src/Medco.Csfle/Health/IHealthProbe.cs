using Medco.Csfle.Clients;

namespace Medco.Csfle.Health;

/// <summary>One more thing for the health check to look at, such as the validators on the server.</summary>
internal interface IHealthProbe
{
    /// <summary>What it looks at, for messages.</summary>
    string Name { get; }

    /// <summary>Looks, and tells what it found. Changes nothing. What it throws becomes a problem of its own.</summary>
    ValueTask CheckAsync(StartedEngine started, HealthFinding finding, CancellationToken cancellationToken);
}
