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

    [LoggerMessage(6100, LogLevel.Debug, "Start-up: {Collections} registered collections were read; they name {KeyNames} data keys by name.")]
    public static partial void CollectionsRead(this ILogger logger, int collections, int keyNames);

    [LoggerMessage(6101, LogLevel.Debug, "Start-up: {Keys} data keys were found in {KeyVault} and unwrapped.")]
    public static partial void KeysReady(this ILogger logger, int keys, string keyVault);

    [LoggerMessage(6102, LogLevel.Error, "Client-side field level encryption did not start: {Error}. Nothing is sent through encrypted clients.")]
    public static partial void NotStarted(this ILogger logger, string error);

    [LoggerMessage(6103, LogLevel.Information, "Proved with {Documents} synthetic documents that {Paths} paths of {Collection} are encrypted and can be decrypted.")]
    public static partial void CollectionProven(this ILogger logger, string collection, int paths, int documents);

    [LoggerMessage(6104, LogLevel.Warning, "Not proven at start-up: path {Path} of {Collection}, because {Reason}.")]
    public static partial void PathNotProven(this ILogger logger, string collection, string path, string reason);

    [LoggerMessage(6105, LogLevel.Warning, "{Collection} is registered, but its schema encrypts nothing.")]
    public static partial void NothingToProve(this ILogger logger, string collection);

    [LoggerMessage(6106, LogLevel.Information, "The canary's {Documents} documents were stored encrypted in {Collection}, read back, and removed.")]
    public static partial void CanaryFlown(this ILogger logger, string collection, int documents);

    [LoggerMessage(6107, LogLevel.Warning, "No canary for {Collection}: its schema leaves no plain field that would identify the documents to remove.")]
    public static partial void NoCanary(this ILogger logger, string collection);

    [LoggerMessage(6108, LogLevel.Warning, "Health check: {Problem}.")]
    public static partial void HealthProblem(this ILogger logger, string problem);
}
