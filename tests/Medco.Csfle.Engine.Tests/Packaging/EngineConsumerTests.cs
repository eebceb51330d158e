using Medco.Csfle.Packages;

namespace Medco.Csfle.Engine.Tests.Packaging;

public sealed class EngineConsumerTests
{
    [PackedFact]
    public async Task The_readmes_program_runs_on_the_packed_engine_on_both_frameworks()
    {
        using var consumer = await PackedConsumer.Build("UsesEngine", "Medco.Csfle.Engine");
        foreach (var framework in new[] { "net8.0", "net10.0" })
        {
            var lines = (await consumer.Run(framework)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.DoesNotContain("241014209", lines[0], StringComparison.Ordinal);
            Assert.Contains("\"subType\"", lines[0], StringComparison.Ordinal);
            Assert.Contains("241014209", lines[1], StringComparison.Ordinal);
        }
    }
}
