namespace Medco.Csfle.TestServer.Protocol;

/// <summary>The limits that <c>hello</c> announces.</summary>
internal static class WireLimits
{
    /// <summary>The longest document that is stored, in bytes.</summary>
    public const int MaxDocumentBytes = 16_777_216;

    /// <summary>The longest message, in bytes, header included.</summary>
    public const int MaxMessageBytes = 48_000_000;

    /// <summary>The most writes in one command.</summary>
    public const int MaxWriteBatch = 100_000;
}
