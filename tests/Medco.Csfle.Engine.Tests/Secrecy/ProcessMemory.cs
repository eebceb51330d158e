using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Medco.Csfle.Engine.Tests.Secrecy;

/// <summary>Looks through everything that this process may write to, stacks and freed memory included. Linux alone.</summary>
internal static unsafe class ProcessMemory
{
    private const int ChunkLength = 4 * 1024 * 1024;

    /// <summary>How often the parts of a key stand in memory besides where the test keeps it.</summary>
    /// <param name="secret">The key.</param>
    /// <param name="parts">What to look for, each a part of the key's bytes or of its text.</param>
    /// <returns>One count for each part.</returns>
    public static int[] Count(NativeSecret secret, params Range[] parts)
    {
        var counts = new int[parts.Length];
        var chunk = (byte*)NativeMemory.Alloc(ChunkLength);
        var own = ((nuint)chunk, (nuint)chunk + ChunkLength);
        try
        {
            using var memory = File.OpenHandle("/proc/self/mem");
            foreach (var (start, end) in WritableRegions())
            {
                var longest = NativeSecret.Length;
                for (var at = start; at < end; at += (nuint)(ChunkLength - longest))
                {
                    var length = (int)Math.Min(end - at, (nuint)ChunkLength);
                    int read;
                    try
                    {
                        read = RandomAccess.Read(memory, new Span<byte>(chunk, length), (long)at);
                    }
                    catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
                    {
                        // Unmapped meanwhile, or a page that nobody may read.
                        break;
                    }

                    var isLast = at + (nuint)length >= end;
                    for (var i = 0; i < parts.Length; i++) counts[i] += CountIn(new ReadOnlySpan<byte>(chunk, read), at, isLast, secret, parts[i], own);
                    if (isLast) break;
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(chunk, ChunkLength));
            NativeMemory.Free(chunk);
        }

        return counts;
    }

    private static int CountIn(ReadOnlySpan<byte> bytes, nuint address, bool isLast, NativeSecret secret, Range part, (nuint Start, nuint End) own)
    {
        var wanted = new ReadOnlySpan<byte>((byte*)secret.Range.Start, (int)(secret.Range.End - secret.Range.Start))[part];
        var count = 0;
        for (var from = 0; bytes[from..].IndexOf(wanted) is var index and >= 0; from += index + 1)
        {
            var at = address + (nuint)(from + index);

            // Chunks overlap: what begins in the overlap is counted in the next.
            if (!isLast && from + index >= bytes.Length - NativeSecret.Length) break;
            if (at >= own.Start && at < own.End) continue;
            if (at >= secret.Range.Start && at < secret.Range.End) continue;
            count++;
        }

        return count;
    }

    private static List<(nuint Start, nuint End)> WritableRegions()
    {
        var regions = new List<(nuint, nuint)>();
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var fields = line.Split(' ', 3);
            if (!fields[1].StartsWith("rw", StringComparison.Ordinal)) continue;
            var ends = fields[0].Split('-');
            regions.Add((nuint.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), nuint.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        }

        return regions;
    }
}

/// <summary>A test that reads the memory of its own process, and is skipped where the system does not show it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProcessMemoryFactAttribute : FactAttribute
{
    public ProcessMemoryFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "Only Linux shows a process its own memory as a file.";
    }
}
