using Medco.Csfle.PublicApi;

namespace Medco.Csfle.NJsonSchema.Tests.PublicApi;

public sealed class PublicApiTests
{
    [Fact]
    public void The_public_api_of_NJsonSchema_is_the_approved_one() => ApprovedApi.Check(typeof(ClassSchemaOptions).Assembly);
}
