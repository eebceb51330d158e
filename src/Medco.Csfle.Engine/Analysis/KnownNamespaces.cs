using System.Text;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Namespaces that nobody needs to be asked about. They are looked up by the bytes of a command, so that a command that names
/// no others costs no allocation.
/// </summary>
internal sealed class KnownNamespaces
{
    // The names of each database in the order of their bytes.
    private readonly Dictionary<string, byte[][]> _collections;

    /// <summary>The set of those namespaces, each <c>db.collection</c>.</summary>
    public KnownNamespaces(IEnumerable<string> namespaces)
        => _collections = namespaces.Select(MongoNamespace.Split)
            .GroupBy(name => name.Database, name => Encoding.UTF8.GetBytes(name.Collection), StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Order(Comparer<byte[]>.Create((one, other) => one.AsSpan().SequenceCompareTo(other))).ToArray(), StringComparer.Ordinal);

    /// <summary>Whether a collection of a database, its name in UTF-8, is in the set.</summary>
    public bool Contains(string database, ReadOnlySpan<byte> collection)
    {
        if (!_collections.TryGetValue(database, out var names)) return false;
        var low = 0;
        var high = names.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            switch (collection.SequenceCompareTo(names[middle]))
            {
                case 0:
                    return true;
                case < 0:
                    high = middle;
                    break;
                default:
                    low = middle + 1;
                    break;
            }
        }

        return false;
    }
}
