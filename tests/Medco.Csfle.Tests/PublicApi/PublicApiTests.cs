using Medco.Csfle.PublicApi;

namespace Medco.Csfle.Tests.PublicApi;

public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_of_the_SDK_is_the_approved_one() => ApprovedApi.Check(typeof(CsfleClientFactory).Assembly);
}
