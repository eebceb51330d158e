namespace Medco.Csfle.Engine.KeyVault;

/// <summary>A data key wrapped anew: what changes in its document. The key itself stays what it was.</summary>
/// <param name="Id">The key's UUID.</param>
/// <param name="KeyMaterial">The new wrapping.</param>
/// <param name="MasterKey">The raw BSON of the new <c>masterKey</c>, <c>provider</c> included.</param>
public sealed record RewrappedKey(Guid Id, ReadOnlyMemory<byte> KeyMaterial, ReadOnlyMemory<byte> MasterKey);

/// <summary>How many keys an update reached.</summary>
/// <param name="MatchedCount">The keys that were there.</param>
/// <param name="ModifiedCount">Those of them that are changed now.</param>
public sealed record RewrapResult(int MatchedCount, int ModifiedCount)
{
    /// <summary>Nothing was written.</summary>
    public static readonly RewrapResult None = new(0, 0);
}

/// <summary>What data keys are wrapped with from now on.</summary>
public sealed class RewrapOptions
{
    /// <summary>
    /// The KMS provider: <c>local</c>, <c>aws</c>, …, with a name where it has one. Null wraps every key with the master key it
    /// has already, which puts it under that master key's newest version.
    /// </summary>
    public string? Provider { get; init; }

    /// <summary>
    /// Where the customer master key lives, as <see cref="DataKeyCreationOptions.MasterKey"/>; empty for <c>local</c>, and where
    /// there is no <see cref="Provider"/>.
    /// </summary>
    public ReadOnlyMemory<byte> MasterKey { get; init; }
}
