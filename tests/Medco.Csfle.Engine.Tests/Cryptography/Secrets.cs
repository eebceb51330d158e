using System.Runtime.CompilerServices;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Kms;

namespace Medco.Csfle.Engine.Tests.Cryptography;

/// <summary>Looks at the bytes that nothing but a test may look at.</summary>
internal static class Secrets
{
    public static byte[] BytesOf(AeadKey key) => KeyOf(key);

    public static byte[] BytesOf(DataKey key) => KeyOf(AeadKeyOf(key));

    public static byte[] BytesOf(LocalMasterKey key) => KeyOf(AeadKeyOf(key));

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_key")]
    private static extern ref byte[] KeyOf(AeadKey key);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_key")]
    private static extern ref AeadKey AeadKeyOf(DataKey key);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_key")]
    private static extern ref AeadKey AeadKeyOf(LocalMasterKey key);
}
