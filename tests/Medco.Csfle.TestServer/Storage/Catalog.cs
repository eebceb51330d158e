namespace Medco.Csfle.TestServer.Storage;

/// <summary>The databases and their collections. Names are case-sensitive; two databases may not differ in case alone.</summary>
internal sealed class Catalog
{
    private readonly Dictionary<string, SortedDictionary<string, Collection>> _databases = [];

    /// <summary>The names of the databases that have a collection.</summary>
    public IEnumerable<string> Databases => _databases.Keys.Order(StringComparer.Ordinal);

    public Collection? Find(string database, string name)
        => _databases.TryGetValue(database, out var collections) && collections.TryGetValue(name, out var collection) ? collection : null;

    public IReadOnlyList<Collection> List(string database)
        => _databases.TryGetValue(database, out var collections) ? [.. collections.Values] : [];

    /// <summary>Creates a collection that is not there.</summary>
    public Collection Create(string database, string name, CollectionOptions options)
    {
        NamespaceRules.CheckWritableCollection(database, name);
        var collection = new Collection(database, name, options);
        CollectionsOf(database).Add(name, collection);
        return collection;
    }

    /// <summary>Gives a collection another name, in another database perhaps.</summary>
    public void Rename(string database, Collection collection, string toDatabase, string toName)
    {
        NamespaceRules.CheckWritableCollection(toDatabase, toName);
        var target = CollectionsOf(toDatabase);
        Drop(database, collection.Name);
        collection.Rename(toDatabase, toName);
        target.Add(toName, collection);
        _databases[toDatabase] = target;
    }

    /// <summary>Removes a collection; a database without one is gone.</summary>
    /// <returns>False where there is none.</returns>
    public bool Drop(string database, string name)
    {
        if (!_databases.TryGetValue(database, out var collections) || !collections.Remove(name)) return false;
        if (collections.Count == 0) _databases.Remove(database);
        return true;
    }

    private SortedDictionary<string, Collection> CollectionsOf(string database)
    {
        if (!_databases.TryGetValue(database, out var collections))
        {
            var similar = _databases.Keys.FirstOrDefault(existing => string.Equals(existing, database, StringComparison.OrdinalIgnoreCase));
            if (similar is not null)
            {
                throw new ServerException(ErrorCode.DatabaseDifferCase, $"db already exists with different case already have: [{similar}] trying to create [{database}]");
            }

            _databases[database] = collections = new SortedDictionary<string, Collection>(StringComparer.Ordinal);
        }

        return collections;
    }
}
