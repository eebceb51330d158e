namespace Medco.Csfle.TestServer.Storage;

/// <summary>The databases and their collections. Names are case-sensitive; two databases may not differ in case alone.</summary>
/// <param name="journal">Who is asked before a change and told after it.</param>
internal sealed class Catalog(Journal journal)
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
        var collection = new Collection(database, name, options, journal);
        CollectionsOf(database).Add(name, collection);
        journal.Record(new Change(ChangeKind.Create, database, name) { Options = options });
        return collection;
    }

    /// <summary>Gives a collection another name, in another database perhaps.</summary>
    public void Rename(string database, Collection collection, string toDatabase, string toName)
    {
        NamespaceRules.CheckWritableCollection(toDatabase, toName);
        var target = CollectionsOf(toDatabase);
        var name = collection.Name;
        Remove(database, name);
        collection.Rename(toDatabase, toName);
        target.Add(toName, collection);
        _databases[toDatabase] = target;
        journal.Record(new Change(ChangeKind.Rename, database, name) { To = (toDatabase, toName) });
    }

    /// <summary>Removes a collection; a database without one is gone.</summary>
    /// <returns>False where there is none.</returns>
    public bool Drop(string database, string name)
    {
        if (!Remove(database, name)) return false;
        journal.Record(new Change(ChangeKind.Drop, database, name));
        return true;
    }

    /// <summary>Tells that the last collection of a database was dropped with it.</summary>
    public void RecordDropOf(string database) => journal.Record(new Change(ChangeKind.DropDatabase, database, ""));

    /// <summary>The same catalog, to be changed by itself.</summary>
    public Catalog Copy(Journal copyJournal)
    {
        var copy = new Catalog(copyJournal);
        foreach (var (database, collections) in _databases)
        {
            var copied = copy._databases[database] = new SortedDictionary<string, Collection>(StringComparer.Ordinal);
            foreach (var (name, collection) in collections) copied.Add(name, collection.Copy(copyJournal));
        }

        return copy;
    }

    /// <summary>Makes changes of documents, and new collections, of a copy in this catalog: all of them or, on an error, none. Nobody is asked or told.</summary>
    /// <exception cref="ServerException">A key is taken, or a collection is there already or gone.</exception>
    public void Apply(IEnumerable<Change> changes)
    {
        var changed = new Dictionary<(string Database, string Name), Collection>();
        foreach (var change in changes)
        {
            var name = (change.Database, change.Collection);
            if (change.Kind == ChangeKind.Create)
            {
                if (Find(change.Database, change.Collection) is not null) throw new ServerException(ErrorCode.NamespaceExists, $"Collection {change.Database}.{change.Collection} already exists.");
                changed[name] = new Collection(change.Database, change.Collection, change.Options!, Journal.None);
                continue;
            }

            if (!changed.TryGetValue(name, out var collection))
            {
                collection = Find(change.Database, change.Collection)?.Copy(Journal.None)
                    ?? throw new ServerException(ErrorCode.NamespaceNotFound, $"ns not found {change.Database}.{change.Collection}");
                changed[name] = collection;
            }

            switch (change.Kind)
            {
                case ChangeKind.Insert:
                    collection.Insert(change.After!);
                    break;
                case ChangeKind.Delete:
                    collection.Remove(change.Before!);
                    break;
                default:
                    collection.Replace(change.Before!, change.After!, change.Kind);
                    break;
            }
        }

        foreach (var database in changed.Keys) CollectionsOf(database.Database);
        foreach (var (name, collection) in changed)
        {
            collection.Journal = journal;
            CollectionsOf(name.Database)[name.Name] = collection;
        }
    }

    private bool Remove(string database, string name)
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
