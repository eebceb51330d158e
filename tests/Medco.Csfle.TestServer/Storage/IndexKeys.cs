using Medco.Csfle.TestServer.Query;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.TestServer.Storage;

/// <summary>
/// The keys a document has in an index. An array on the way gives one key for each of its elements ("Multikey Indexes" in the
/// manual); of the fields of a compound index only one array may be taken apart. A missing field is null, an empty array at
/// the end of a path sorts below it.
/// </summary>
internal static class IndexKeys
{
    /// <summary>The different keys of a document.</summary>
    /// <exception cref="ServerException">Two of the paths lead to different arrays.</exception>
    public static IReadOnlyList<Value[]> Of(Document document, IReadOnlyList<string[]> paths)
    {
        var stops = paths.Select(path => Walk(new Value(document), path, 0, depth: 0)).ToArray();
        return Expand(stops, paths);
    }

    /// <summary>Whether a document has any of the fields.</summary>
    public static bool HasAny(Document document, IReadOnlyList<FieldPath> paths)
        => paths.Any(path => path.Any(document, looksIntoArrays: false, value => value is not null));

    private static IReadOnlyList<Value[]> Expand(Stop[] stops, IReadOnlyList<string[]> paths)
    {
        var arrays = stops.Select((stop, field) => (stop, field)).Where(entry => entry.stop.IsArray).ToArray();
        if (arrays.Length == 0) return [[.. stops.Select(stop => stop.Value)]];

        var first = arrays[0];
        if (arrays.Any(other => !paths[other.field].AsSpan(0, other.stop.Depth).SequenceEqual(paths[first.field].AsSpan(0, first.stop.Depth))))
        {
            throw new ServerException(ErrorCode.CannotIndexParallelArrays, $"cannot index parallel arrays [{string.Join(".", paths[arrays[1].field])}] [{string.Join(".", paths[first.field])}]");
        }

        // Below the array, all of its fields follow the same element.
        var keys = new SortedSet<Value[]>(KeyOrder);
        var items = first.stop.Value.Items.DefaultIfEmpty(Value.Undefined);
        foreach (var item in items)
        {
            var below = stops.ToArray();
            foreach (var (stop, field) in arrays) below[field] = Walk(item, paths[field], stop.Depth, stop.Depth, isElement: true);
            keys.UnionWith(Expand(below, paths));
        }

        return [.. keys];
    }

    /// <summary>Goes on until an array has to be taken apart or the path ends.</summary>
    private static Stop Walk(Value value, string[] path, int position, int depth, bool isElement = false)
    {
        while (true)
        {
            if (position == path.Length) return new Stop(value, depth, IsArray: value.IsArray && !isElement);
            if (value.IsArray)
            {
                // A number may count out one element; any other name asks every element.
                var index = FieldPath.ArrayIndex(path[position]);
                if (index < 0 || index >= value.Document.Count)
                {
                    return isElement || value.Document.Count == 0 ? new Stop(Value.Null, depth, IsArray: false) : new Stop(value, depth, IsArray: true);
                }

                value = value.Document[index].Value;
            }
            else
            {
                var child = value.IsDocument ? value.Document.Find(path[position]) : null;
                if (child is null) return new Stop(Value.Null, depth, IsArray: false);
                value = child;
            }

            isElement = false;
            position++;
            depth = position;
        }
    }

    /// <summary>The order of keys, field by field.</summary>
    public static IComparer<Value[]> KeyOrder { get; } = Comparer<Value[]>.Create((left, right) =>
    {
        for (var i = 0; i < left.Length; i++)
        {
            var order = ValueOrder.Compare(left[i], right[i]);
            if (order != 0) return order;
        }

        return 0;
    });

    /// <summary>Where a path ended, or the array that has to be taken apart before it goes on.</summary>
    /// <param name="Value">The value there.</param>
    /// <param name="Depth">How many components of the path lead there.</param>
    /// <param name="IsArray">Whether it is an array to be taken apart.</param>
    private readonly record struct Stop(Value Value, int Depth, bool IsArray);
}
