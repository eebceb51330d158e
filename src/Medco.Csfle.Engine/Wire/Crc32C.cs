using System.Numerics;

namespace Medco.Csfle.Engine.Wire;

/// <summary>The checksum of OP_MSG: CRC-32C (Castagnoli) over the whole message but its last four bytes.</summary>
internal static class Crc32C
{
    /// <summary>Computes the checksum.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
