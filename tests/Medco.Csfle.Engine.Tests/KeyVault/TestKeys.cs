using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.KeyVault;

namespace Medco.Csfle.Engine.Tests.KeyVault;

/// <summary>Documents of data keys that nobody needs to unwrap, or that <see cref="Kms.FakeKeyManagementService"/> unwraps.</summary>
internal static class TestKeys
{
    public static readonly byte[] Aws = ExtendedJson.ToBson("""{"provider": "aws", "region": "eu-west-1", "key": "arn"}""");

    public static DataKeyDocument New(params string[] names) => New(Guid.NewGuid(), names);

    public static DataKeyDocument New(Guid id, params string[] names)
        => DataKeyDocument.Create(id, names, RandomNumberGenerator.GetBytes(96), DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123), Aws);
}
