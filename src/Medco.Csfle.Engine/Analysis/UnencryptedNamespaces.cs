namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// The namespaces without an encryption schema that an encrypted client may write to all the same. Names are case-sensitive, as
/// MongoDB's are. Where a namespace has a schema, the schema counts and not this list.
/// </summary>
internal sealed class UnencryptedNamespaces
{
    private const string AllOfDatabase = ".*";

    private readonly HashSet<string> _collections = new(StringComparer.Ordinal);
    private readonly HashSet<string> _databases = new(StringComparer.Ordinal);

    /// <summary>A list of patterns: <c>db.collection</c> for one collection, <c>db.*</c> for all of a database.</summary>
    /// <exception cref="NamespaceException">One of them is neither.</exception>
    public UnencryptedNamespaces(IEnumerable<string> patterns)
    {
        foreach (var pattern in patterns)
        {
            if (pattern is not null && pattern.EndsWith(AllOfDatabase, StringComparison.Ordinal) && NamespaceName.IsDatabase(pattern.AsSpan(..^2)))
            {
                _databases.Add(pattern[..^2]);
            }
            else if (pattern is not null && NamespaceName.IsValid(pattern))
            {
                _collections.Add(pattern);
            }
            else
            {
                throw new NamespaceException($"'{pattern}' does not name collections that may be written unencrypted",
                    "Write 'db.collection' for one collection or 'db.*' for all of a database; other wildcards do not exist.");
            }
        }
    }

    /// <summary>The namespaces that stand on the list by their full names.</summary>
    public IEnumerable<string> Collections => _collections;

    /// <summary>Whether a namespace, <c>db.collection</c>, is on the list.</summary>
    public bool Allows(string ns)
    {
        if (_collections.Contains(ns)) return true;
        if (_databases.Count == 0) return false;
        var dot = ns.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && _databases.Contains(ns[..dot]);
    }
}
