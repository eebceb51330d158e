using Medco.Csfle.PublicApi;

namespace Medco.Csfle.Testing.Tests.PublicApi;

public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_of_Testing_is_the_approved_one() => ApprovedApi.Check(typeof(InMemoryKeyVault).Assembly);
}
