using Medco.Csfle.Engine.Tests;
using Medco.Csfle.Peers;

namespace Medco.Csfle.Interop.Tests.NodeTests;

/// <summary>A fact about the Node.js driver, which is skipped, with the reason and what brings it, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeFactAttribute : FactAttribute
{
    /// <summary>The driver with the scripts of the repository.</summary>
    public static readonly NodeDriver Driver = new(Path.Combine(RepositoryFiles.Root, "tests", "Interop", "node"));

    private static readonly string? Missing = Driver.MissingReason();

    public NodeFactAttribute() => Skip = Missing;
}
