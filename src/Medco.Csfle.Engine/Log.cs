using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine;

/// <summary>Everything this assembly logs. Ids, names and paths; never a value or key material.</summary>
internal static partial class Log
{
    [LoggerMessage(3010, LogLevel.Information, "Query analysis listens on 127.0.0.1:{Port}.")]
    public static partial void EndpointListens(this ILogger logger, int port);

    [LoggerMessage(3011, LogLevel.Warning, "Query analysis on 127.0.0.1:{Port} hung up on a client: {MaxConnections} are connected already, or it is stopping.")]
    public static partial void EndpointConnectionRefused(this ILogger logger, int port, int maxConnections);

    [LoggerMessage(3012, LogLevel.Error, "Query analysis failed by a fault of its own: {Type} {StackTrace}")]
    public static partial void QueryAnalysisFault(this ILogger logger, Type type, string? stackTrace);

    [LoggerMessage(4001, LogLevel.Warning, "Master key file '{Path}' may be read or written by others than its owner. Restrict it: chmod 600.")]
    public static partial void MasterKeyFileExposed(this ILogger logger, string path);

    [LoggerMessage(4002, LogLevel.Information, "Created data key {KeyId} with KMS provider {Provider} in {KeyVault}.")]
    public static partial void DataKeyCreated(this ILogger logger, Guid keyId, string provider, string keyVault);

    [LoggerMessage(4003, LogLevel.Debug, "Loaded {Count} data keys from {KeyVault}.")]
    public static partial void DataKeysLoaded(this ILogger logger, int count, string keyVault);

    [LoggerMessage(4020, LogLevel.Warning, "Attempt {Attempt} to {Operation} a data key with KMS provider {Provider} failed: {Failure}. Trying again in {Milliseconds} ms.")]
    public static partial void KmsRetry(this ILogger logger, int attempt, string operation, string provider, KmsFailure failure, double milliseconds);

    [LoggerMessage(4100, LogLevel.Information, "Refused the command {Command} on {Collection}, path {Path}: {Code}.")]
    public static partial void CommandRefused(this ILogger logger, string command, string collection, string? path, string code);

    [LoggerMessage(4101, LogLevel.Warning, "A reply was not decrypted: {Code}, data key {KeyId}.")]
    public static partial void ReplyNotDecrypted(this ILogger logger, string code, Guid? keyId);

    [LoggerMessage(4102, LogLevel.Warning, "Data keys were not fetched from {KeyVault}: {Error}.")]
    public static partial void DataKeysNotLoaded(this ILogger logger, string keyVault, string error);

    [LoggerMessage(4103, LogLevel.Information, "Wrapped {Rewrapped} of {Checked} data keys anew in {KeyVault}.")]
    public static partial void KeysRewrapped(this ILogger logger, int rewrapped, int @checked, string keyVault);
}
