using Microsoft.Extensions.Logging;

namespace Medco.Csfle.ClassSchemas;

/// <summary>Everything this assembly logs. Names; never a value.</summary>
internal static partial class Log
{
    [LoggerMessage(6070, LogLevel.Information, "The server will not check [{Constraint}] of '{Path}' in {Collection}: {Reason}.")]
    public static partial void ConstraintNotEnforced(this ILogger logger, string collection, string path, string constraint, string reason);
}
