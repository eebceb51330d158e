namespace Medco.Csfle.Packages;

/// <summary>A test of packages as they are published: those in the folder that <c>CSFLE_PACKAGES</c> names.</summary>
internal sealed class PackedFactAttribute : FactAttribute
{
    public PackedFactAttribute()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CSFLE_PACKAGES")))
        {
            Skip = "CSFLE_PACKAGES does not name a folder with packed packages; ./build.sh test packs them and sets it.";
        }
    }
}
