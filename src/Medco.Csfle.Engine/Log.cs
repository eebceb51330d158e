using Microsoft.Extensions.Logging;

namespace Medco.Csfle.Engine;

/// <summary>Everything this assembly logs. Ids, names and paths; never a value or key material.</summary>
internal static partial class Log
{
    [LoggerMessage(4001, LogLevel.Warning, "Master key file '{Path}' may be read or written by others than its owner. Restrict it: chmod 600.")]
    public static partial void MasterKeyFileExposed(this ILogger logger, string path);

    [LoggerMessage(4002, LogLevel.Information, "Created data key {KeyId} with KMS provider {Provider} in {KeyVault}.")]
    public static partial void DataKeyCreated(this ILogger logger, Guid keyId, string provider, string keyVault);

    [LoggerMessage(4003, LogLevel.Debug, "Loaded {Count} data keys from {KeyVault}.")]
    public static partial void DataKeysLoaded(this ILogger logger, int count, string keyVault);

    [LoggerMessage(4020, LogLevel.Warning, "Attempt {Attempt} to {Operation} a data key with KMS provider {Provider} failed: {Failure}. Trying again in {Milliseconds} ms.")]
    public static partial void KmsRetry(this ILogger logger, int attempt, string operation, string provider, KmsFailure failure, double milliseconds);
}
