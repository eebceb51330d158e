using Medco.Csfle.PublicApi;

namespace Medco.Csfle.Engine.Tests.PublicApi;

public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_of_Annotations_is_the_approved_one() => ApprovedApi.Check(typeof(DeterministicAttribute).Assembly);

    [Fact]
    public void The_public_api_of_Engine_is_the_approved_one() => ApprovedApi.Check(typeof(CsfleEngine).Assembly);
}
