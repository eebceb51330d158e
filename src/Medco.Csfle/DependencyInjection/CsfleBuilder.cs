using Medco.Csfle.DependencyInjection;
using Microsoft.Extensions.Logging;
using MongoDB.Driver;

namespace Medco.Csfle;

/// <summary>
/// Says what is encrypted and where the keys are. Nothing is opened, read or connected to before start-up, and everything is
/// checked together.
/// </summary>
/// <remarks>
/// Conventions, class maps and serializers of the driver are registered before start-up, as they are before the first use of a
/// class.
/// </remarks>
public sealed partial class CsfleBuilder
{
    private readonly CsfleOptions _options;

    internal CsfleBuilder(CsfleOptions options) => _options = options;

    /// <summary>The server that all clients connect to.</summary>
    /// <param name="connectionString">A connection string as the driver takes it, <c>mongodb://…</c> or <c>mongodb+srv://…</c>.</param>
    public CsfleBuilder ConnectTo(string connectionString)
    {
        _options.ConnectionString = connectionString;
        _options.ConfiguredAt.Remove((nameof(ConnectTo), null));
        return this;
    }

    /// <summary>Changes the settings of every client that is made: timeouts, TLS, credentials, monitoring.</summary>
    /// <param name="configure">Is called for each client, before what this library sets itself.</param>
    public CsfleBuilder ConfigureClient(Action<MongoClientSettings> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        _options.ConfigureClient.Add(configure);
        return this;
    }

    /// <summary>Where to log; with a container, its own logging counts.</summary>
    /// <param name="loggerFactory">Makes the loggers.</param>
    public CsfleBuilder LogTo(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        _options.LoggerFactory = loggerFactory;
        return this;
    }
}
