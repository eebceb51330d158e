using System.Runtime.InteropServices;
using Medco.Csfle.Engine;
using MongoDB.Driver.Encryption;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>The native library libmongocrypt itself is not there, or is not for this system.</summary>
internal static class NativeLibraryErrors
{
    private const string PathVariable = "LIBMONGOCRYPT_PATH";

    /// <summary>Whether an exception of MongoDB.Driver.Encryption says so.</summary>
    public static bool IsAboutLoading(Exception exception) => exception switch
    {
        TypeInitializationException { InnerException: { } inner } => IsAboutLoading(inner),
        FileNotFoundException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or PlatformNotSupportedException or LibraryLoadingException => true,
        _ => exception.GetType().Name == "FunctionNotFoundException",
    };

    /// <summary>The error to throw instead. The exception's text has the paths that were tried.</summary>
    public static LibMongoCryptException NotLoaded(Exception exception)
    {
        var cause = exception is TypeInitializationException { InnerException: { } inner } ? inner : exception;
        var named = Environment.GetEnvironmentVariable(PathVariable);
        return new(
            CsfleErrorCode.LibMongoCryptNotLoaded,
            $"libmongocrypt cannot be loaded for {RuntimeInformation.RuntimeIdentifier}: {(named is null ? "" : $"{PathVariable} names '{named}'; ")}{string.Join(' ', cause.Message.Split('\n', StringSplitOptions.TrimEntries)).TrimEnd('.')}",
            "The package MongoDB.Driver.Encryption brings it for Linux, macOS and Windows: reference it from the application's own project, so that its folder runtimes/ is published, "
                + $"or name the library with the environment variable {PathVariable}. The managed engine does not need it.",
            cause);
    }
}
