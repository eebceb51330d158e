using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Tests.Analysis;

public sealed class InitializationVectorsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100)]
    public void Each_value_of_a_command_gets_one_of_its_own_however_many_there_are(int count)
    {
        var vectors = new InitializationVectors(count, SystemRandomSource.Instance, stackalloc byte[InitializationVectors.BatchLength]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++) Assert.True(seen.Add(Convert.ToHexString(vectors.Next())), $"number {i} of {count} was there before");
    }
}
