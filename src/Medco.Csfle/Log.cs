using Microsoft.Extensions.Logging;

namespace Medco.Csfle;

/// <summary>Everything this assembly logs. Names and ids; never a value, a key or a connection string.</summary>
internal static partial class Log
{
    [LoggerMessage(6001, LogLevel.Information, "Client-side field level encryption is ready: {Collections} encrypted collections, {Keys} data keys, {KeyVault}.")]
    public static partial void Started(this ILogger logger, int collections, int keys, string keyVault);

    [LoggerMessage(6002, LogLevel.Warning, "This user may not create the unique index on keyAltNames in {KeyVault}, so that nobody checked that it is there. Create it as a user that may.")]
    public static partial void KeyVaultIndexNotChecked(this ILogger logger, string keyVault);

    [LoggerMessage(6010, LogLevel.Error, "The start-up of AddCsfle(\"{Registration}\") failed.")]
    public static partial void StartFailed(this ILogger logger, string registration);

    [LoggerMessage(6040, LogLevel.Information, "{Collection} was created with a validator that refuses plaintext in encrypted fields.")]
    public static partial void CollectionCreated(this ILogger logger, string collection);

    [LoggerMessage(6041, LogLevel.Information, "The validator of {Collection} was changed, in {Differences} places, so that it refuses plaintext in encrypted fields.")]
    public static partial void ValidatorChanged(this ILogger logger, string collection, int differences);
}
