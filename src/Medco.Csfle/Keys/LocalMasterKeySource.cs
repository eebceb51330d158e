using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Keys;

/// <summary>Where a local master key comes from. It is read when it is opened, each time anew.</summary>
internal sealed class LocalMasterKeySource
{
    private readonly Func<string, ILogger, LocalMasterKey> _open;
    private readonly Func<string, CancellationToken, Task<LocalMasterKey>>? _openAsync;

    private LocalMasterKeySource(Func<string, ILogger, LocalMasterKey> open, Func<string, CancellationToken, Task<LocalMasterKey>>? openAsync = null)
    {
        _open = open;
        _openAsync = openAsync;
    }

    /// <summary>Whether what is opened is to be disposed by whoever opened it.</summary>
    public bool IsOwned { get; private init; } = true;

    public static LocalMasterKeySource File(string path) => new((_, logger) => LocalMasterKey.FromFile(path, logger));

    public static LocalMasterKeySource EnvironmentVariable(string variable) => new((_, _) => LocalMasterKey.FromEnvironmentVariable(variable));

    public static LocalMasterKeySource Given(LocalMasterKey masterKey) => new((_, _) => masterKey) { IsOwned = false };

    public static LocalMasterKeySource Configuration(IConfiguration configuration, string key) => new((_, _) =>
    {
        var section = configuration.GetSection(key);
        return LocalMasterKey.FromBase64OrNothing(
            section.Value,
            $"configuration value '{section.Path}'",
            section.GetChildren().Any() ? "There is a section of that name, but no value: name one in it." : "Check the name, and that the source which holds it is part of the configuration: user secrets are so in Development alone.");
    });

    public static LocalMasterKeySource Function(Func<LocalMasterKey> open) => new((provider, _) =>
    {
        try
        {
            return open() ?? throw Nothing(provider);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw Failed(provider, exception);
        }
    });

    public static LocalMasterKeySource Function(Func<CancellationToken, Task<LocalMasterKey>> open) => new(
        (provider, _) => throw new CsfleConfigurationException(
            CsfleErrorCode.NotStarted,
            $"The master key of KMS provider `{provider}` comes from an asynchronous function, and a call that is not asynchronous was the first to need it",
            $"Await {nameof(ICsfleClientFactory.InitializeAsync)} first, or give a function that is not asynchronous."),
        async (provider, cancellationToken) =>
        {
            try
            {
                return await open(cancellationToken).ConfigureAwait(false) ?? throw Nothing(provider);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                throw Failed(provider, exception);
            }
        });

    /// <summary>Opens it without blocking on anything asynchronous.</summary>
    /// <exception cref="MasterKeyException">It is not there, or is none; the message names where it was looked for.</exception>
    /// <exception cref="CsfleConfigurationException">It comes asynchronously alone.</exception>
    public LocalMasterKey Open(string provider, ILogger logger) => _open(provider, logger);

    /// <inheritdoc cref="Open"/>
    public async ValueTask<LocalMasterKey> OpenAsync(string provider, ILogger logger, CancellationToken cancellationToken)
        => _openAsync is null ? _open(provider, logger) : await _openAsync(provider, cancellationToken).ConfigureAwait(false);

    private static InvalidOperationException Nothing(string provider) => new($"The function returned no master key for KMS provider `{provider}`.");

    // Of somebody else's error only the type is quoted: its message may show what must not be in a log.
    private static MasterKeyException Failed(string provider, Exception exception) => new(
        $"the function that gives the master key of KMS provider `{provider}` failed: {(exception is CsfleException ? exception.Message.TrimEnd('.') : exception.GetType().Name)}",
        "The inner exception says more.",
        exception);
}
