using Medco.Csfle.Peers;

namespace Medco.Csfle.Interop.Tests;

/// <summary>A fact about libmongocrypt, which is skipped, with the reason and what brings it, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LibMongoCryptFactAttribute : FactAttribute
{
    public LibMongoCryptFactAttribute() => Skip = LibMongoCrypt.MissingReason;
}
