namespace Medco.Csfle.Engine.KeyVault;

/// <summary>What a new data key shall be.</summary>
public sealed class DataKeyCreationOptions
{
    /// <summary>Names to find it by, beside its id. Each may occur once in a key vault.</summary>
    public IReadOnlyList<string> KeyAltNames { get; init; } = [];

    /// <summary>
    /// The 96 bytes of the key; empty, as it nearly always should be, for random ones. The caller zeroes them.
    /// </summary>
    public ReadOnlyMemory<byte> KeyMaterial { get; init; }

    /// <summary>
    /// Where the customer master key lives, as one BSON document with the fields that MongoDB's manual lists for the provider,
    /// without <c>provider</c>; empty for <c>local</c>, which has none.
    /// </summary>
    public ReadOnlyMemory<byte> MasterKey { get; init; }
}
