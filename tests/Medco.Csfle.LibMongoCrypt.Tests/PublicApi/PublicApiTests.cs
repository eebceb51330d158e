using Medco.Csfle.PublicApi;

namespace Medco.Csfle.LibMongoCrypt.Tests.PublicApi;

public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_of_LibMongoCrypt_is_the_approved_one() => ApprovedApi.Check(typeof(LibMongoCryptOptions).Assembly);
}
