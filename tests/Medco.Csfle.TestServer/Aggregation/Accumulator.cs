using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Aggregation;

/// <summary>What <c>$group</c> makes of the values of a group; null stands for a missing value.</summary>
internal static class Accumulator
{
    private const int UnknownAccumulator = 15952;

    private static readonly Dictionary<string, Func<IReadOnlyList<Value?>, Value>> Accumulators = new()
    {
        ["$sum"] = Operators.Sum,
        ["$avg"] = Operators.Average,
        ["$min"] = values => Operators.Present(values).Min(ValueOrder.Instance) ?? Value.Null,
        ["$max"] = values => Operators.Present(values).Max(ValueOrder.Instance) ?? Value.Null,
        ["$first"] = values => values[0] ?? Value.Null,
        ["$last"] = values => values[^1] ?? Value.Null,
        ["$push"] = values => Value.FromArray(values.OfType<Value>()),
        ["$addToSet"] = values => Value.FromArray(new SortedSet<Value>(values.OfType<Value>(), ValueOrder.Instance)),
        ["$mergeObjects"] = Operators.Merge,
        ["$count"] = values => Value.FromInt32(values.Count),
    };

    /// <summary>The names of all accumulators.</summary>
    public static IEnumerable<string> Names => Accumulators.Keys;

    /// <exception cref="ServerException">There is no such accumulator.</exception>
    public static Func<IReadOnlyList<Value?>, Value> Find(string name)
        => Accumulators.TryGetValue(name, out var accumulate) ? accumulate : throw new ServerException(UnknownAccumulator, $"unknown group operator '{name}'");
}
