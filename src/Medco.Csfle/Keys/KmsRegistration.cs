using Medco.Csfle.Engine.Kms;
using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Keys;

/// <summary>A KMS provider that data keys may be wrapped by, not opened yet.</summary>
/// <param name="Provider">The provider, with its name where it has one. Not checked.</param>
/// <param name="Open">Opens it without blocking on anything asynchronous.</param>
/// <param name="OpenAsync">Opens it.</param>
internal sealed record KmsRegistration(
    string Provider,
    Func<ILogger, IKeyManagementService> Open,
    Func<ILogger, CancellationToken, ValueTask<IKeyManagementService>> OpenAsync)
{
    /// <summary>A master key that this process holds itself.</summary>
    public static KmsRegistration Local(LocalMasterKeySource source, string? name)
    {
        var provider = name is null ? KmsProvider.Local : $"{KmsProvider.Local}:{name}";
        return new(provider, Open, OpenAsync);

        IKeyManagementService Open(ILogger logger) => NewService(source.Open(provider, logger));

        async ValueTask<IKeyManagementService> OpenAsync(ILogger logger, CancellationToken cancellationToken)
            => NewService(await source.OpenAsync(provider, logger, cancellationToken).ConfigureAwait(false));

        LocalKeyManagementService NewService(LocalMasterKey masterKey)
        {
            try
            {
                return new LocalKeyManagementService(masterKey, name);
            }
            finally
            {
                if (source.IsOwned) masterKey.Dispose();
            }
        }
    }
}
