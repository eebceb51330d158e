namespace Medco.Csfle.LibMongoCrypt.Tests;

/// <summary>A fact about MongoDB's own <c>crypt_shared</c>, which <c>CRYPT_SHARED_LIB_PATH</c> names; skipped, with the reason, without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CryptSharedFactAttribute : FactAttribute
{
    public static readonly string? Path = Environment.GetEnvironmentVariable("CRYPT_SHARED_LIB_PATH");

    public CryptSharedFactAttribute()
    {
        if (string.IsNullOrEmpty(Path)) Skip = "CRYPT_SHARED_LIB_PATH does not name MongoDB's crypt_shared.";
    }
}
