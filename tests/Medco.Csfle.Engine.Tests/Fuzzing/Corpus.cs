using Medco.Csfle.Engine.Tests.Bson;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>Good inputs, and what they become: damaged here and there, and now and then made long by a part that stands there over and over.</summary>
internal sealed class Corpus(params IReadOnlyList<byte[]> originals)
{
    private const int LongestRepetition = 32 * 1024;

    /// <summary>An input made from one of them.</summary>
    public byte[] Damaged(Random random)
    {
        var input = Mutation.Of(originals[random.Next(originals.Count)], random);
        return random.Next(100) == 0 ? Repeated(input, random) : input;
    }

    private static byte[] Repeated(byte[] input, Random random)
    {
        if (input.Length == 0) return input;
        var start = random.Next(input.Length);
        var part = input.AsSpan(start, 1 + random.Next(Math.Min(64, input.Length - start))).ToArray();
        var times = random.Next(1 + LongestRepetition / part.Length);
        return [.. input[..start], .. Enumerable.Repeat(part, times).SelectMany(bytes => bytes), .. input[start..]];
    }
}
