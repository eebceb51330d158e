using Microsoft.Extensions.Logging;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>Everything this assembly logs. Names, paths and versions; never a value, a key or a connection string.</summary>
internal static partial class Log
{
    [LoggerMessage(6030, LogLevel.Information, "libmongocrypt is ready, with crypt_shared {Version}.")]
    public static partial void ReadyWithCryptShared(this ILogger logger, string version);

    [LoggerMessage(6031, LogLevel.Information, "libmongocrypt is ready, with mongocryptd at {Address}.")]
    public static partial void ReadyWithMongocryptd(this ILogger logger, string address);

    [LoggerMessage(6032, LogLevel.Warning, "libmongocrypt is ready and decrypts only, since encryption is bypassed.")]
    public static partial void ReadyToDecrypt(this ILogger logger);

    [LoggerMessage(6033, LogLevel.Information, "Started {Path} {Arguments}.")]
    public static partial void MongocryptdStarted(this ILogger logger, string path, string arguments);
}
