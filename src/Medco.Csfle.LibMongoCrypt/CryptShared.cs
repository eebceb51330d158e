using System.Runtime.InteropServices;
using Medco.Csfle.Engine;

namespace Medco.Csfle.LibMongoCrypt;

/// <summary>MongoDB's library that analyses commands in this process. libmongocrypt loads it and does not say why it did not.</summary>
internal static class CryptShared
{
    private const string Symbol = "mongo_crypt_v1_get_version";

    /// <summary>The name that libmongocrypt looks for.</summary>
    public static string FileName => OperatingSystem.IsWindows() ? "mongo_crypt_v1.dll" : OperatingSystem.IsMacOS() ? "mongo_crypt_v1.dylib" : "mongo_crypt_v1.so";

    /// <summary>The error to throw where it was named or required and is not loaded.</summary>
    public static LibMongoCryptException NotLoaded(string? path, Exception? cause)
    {
        var tried = path is null
            ? $"libmongocrypt found no {FileName} where the system looks for libraries{(OperatingSystem.IsLinux() ? " (LD_LIBRARY_PATH, the linker's cache, /lib and /usr/lib)" : "")}, and it is required"
            : $"the library that {nameof(LibMongoCryptOptions.CryptSharedLibraryPath)} names, '{path}', was not loaded: {WhyNot(path)}";
        return new(
            CsfleErrorCode.CryptSharedNotLoaded,
            $"crypt_shared is missing: {tried}",
            $"Download the package crypt_shared for this system and architecture ({RuntimeInformation.RuntimeIdentifier}) from MongoDB's Download Center, and name its file {FileName} "
                + $"with {nameof(LibMongoCryptOptions.CryptSharedLibraryPath)}. The managed engine does not need it.",
            cause);
    }

    private static string WhyNot(string path)
    {
        // libmongocrypt puts its own folder there.
        if (path.Contains("$ORIGIN", StringComparison.Ordinal)) return "there may be no such file";
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full)) return "it is a folder";
        if (!File.Exists(full)) return $"there is no file '{full}'";
        try
        {
            var library = NativeLibrary.Load(full);
            try
            {
                return NativeLibrary.TryGetExport(library, "mongocrypt_version", out _) ? "it is libmongocrypt itself, not crypt_shared"
                    : NativeLibrary.TryGetExport(library, Symbol, out _) ? "another file is loaded as crypt_shared in this process, which can load one only, or it is of a version that libmongocrypt does not know"
                    : "it is a library, but not crypt_shared";
            }
            finally
            {
                NativeLibrary.Free(library);
            }
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            return $"it is no library for this system ({RuntimeInformation.RuntimeIdentifier}), or lacks one that it needs";
        }
    }
}
