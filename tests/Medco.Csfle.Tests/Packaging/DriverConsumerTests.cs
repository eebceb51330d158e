using Medco.Csfle.Packages;
using Medco.Csfle.TestServer;
using MongoDB.Driver;

namespace Medco.Csfle.Tests.Packaging;

public sealed class DriverConsumerTests
{
    [PackedFact]
    public async Task The_readmes_first_program_runs_on_the_packed_packages_on_both_frameworks()
    {
        using var consumer = await PackedConsumer.Build(
            "UsesDriver", "Medco.Csfle", $"-p:MongoDriverVersion={typeof(MongoClient).Assembly.GetName().Version!.ToString(3)}");
        foreach (var framework in new[] { "net8.0", "net10.0" })
        {
            using var server = InProcessMongoServer.Start();
            var output = await consumer.Run(framework, server.ConnectionString);
            Assert.StartsWith("Jon Doe", output, StringComparison.Ordinal);
            Assert.DoesNotContain("241014209", output, StringComparison.Ordinal);
            Assert.DoesNotContain("AB+", output, StringComparison.Ordinal);
        }
    }
}
