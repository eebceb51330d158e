using System.Text;
using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// The namespaces that a command names, found before it is analysed: whose schemas analysis may ask for. What is not shaped as
/// it should be is passed over here, and refused by analysis.
/// </summary>
internal sealed class CommandNamespaces
{
    private static readonly CommandNamespaces None = new([], null, changesSchemas: false);
    private static readonly CommandNamespaces NoneButChanges = new([], null, changesSchemas: true);

    private CommandNamespaces(IReadOnlyList<string> existing, string? created, bool changesSchemas)
    {
        Existing = existing;
        Created = created;
        ChangesSchemas = changesSchemas;
    }

    /// <summary>Collections that may exist, each once; without those that are known.</summary>
    public IReadOnlyList<string> Existing { get; }

    /// <summary>The collection that the command creates, which has no schema yet but the command's own; else null.</summary>
    public string? Created { get; }

    /// <summary>Whether collections may have another schema, or none, after the command.</summary>
    public bool ChangesSchemas { get; }

    /// <summary>Finds the namespaces of a command that is sent to a database.</summary>
    /// <param name="databaseName">The database.</param>
    /// <param name="command">One BSON document.</param>
    /// <param name="known">Collections that are not of interest. Where there are no others, nothing is allocated.</param>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    public static CommandNamespaces Of(string databaseName, ReadOnlySpan<byte> command, KnownNamespaces? known = null)
    {
        var first = new BsonReader(command);
        if (!first.Read()) return None;
        var changes = MayChangeSchemas(first.Name);
        if (!CommandTable.IsAnalysed(first.Name)) return changes ? NoneButChanges : None;

        var search = new Search(known);
        if (!first.Name.SequenceEqual("explain"u8))
        {
            search.AddFrom(new BsonReader(command), first, databaseName);
        }
        else if (first.Type == BsonType.Document)
        {
            var inner = first.ReadDocument();
            if (inner.Read()) search.AddFrom(first.ReadDocument(), inner, databaseName);
        }

        if (search.Existing is null && search.Created is null) return changes ? NoneButChanges : None;
        return new CommandNamespaces(search.Existing ?? [], search.Created, changes);
    }

    private static bool MayChangeSchemas(ReadOnlySpan<byte> name)
        => name.SequenceEqual("create"u8) || name.SequenceEqual("collMod"u8) || name.SequenceEqual("drop"u8)
            || name.SequenceEqual("dropDatabase"u8) || name.SequenceEqual("renameCollection"u8);

    /// <summary>What is found in one command; its lists are made when there is something to put into them.</summary>
    private ref struct Search(KnownNamespaces? known)
    {
        // The server takes one. What stands twice is looked up, not refused here, but not as often as it stands.
        private const int MaxDatabases = 8;

        private readonly KnownNamespaces? _known = known;
        private HashSet<string>? _seen;

        public List<string>? Existing { get; private set; }

        public string? Created { get; private set; }

        /// <param name="command">A reader at the start of the command.</param>
        /// <param name="first">One at its first element.</param>
        /// <param name="database">The database.</param>
        public void AddFrom(BsonReader command, in BsonReader first, string database)
        {
            var name = first.Name;
            if (name.SequenceEqual("bulkWrite"u8))
            {
                AddFromBulkWrite(command);
                return;
            }

            if (name.SequenceEqual("renameCollection"u8))
            {
                while (command.Read())
                {
                    if (command.Name.SequenceEqual("renameCollection"u8) || command.Name.SequenceEqual("to"u8)) AddFullName(command);
                }

                return;
            }

            var isCreate = name.SequenceEqual("create"u8);
            if (!isCreate)
            {
                Add(first, database);
            }
            else if (TryReadName(first, out var created))
            {
                Created = $"{database}.{Encoding.UTF8.GetString(created)}";
            }

            if (isCreate || name.SequenceEqual("aggregate"u8) || name.SequenceEqual("collMod"u8)) AddReferences(command, database);
        }

        private void AddFromBulkWrite(BsonReader command)
        {
            while (command.ReadTo("nsInfo"u8))
            {
                if (command.Type != BsonType.Array) continue;
                var namespaces = command.ReadDocument();
                while (namespaces.Read())
                {
                    if (namespaces.Type != BsonType.Document) continue;
                    var info = namespaces.ReadDocument();
                    while (info.ReadTo("ns"u8)) AddFullName(info);
                }
            }
        }

        // Wherever such a name stands: one too many costs a look-up, one too few is an error of analysis.
        private void AddReferences(BsonReader document, string database)
        {
            while (document.Read())
            {
                var name = document.Name;
                if (name.SequenceEqual("$lookup"u8) || name.SequenceEqual("$graphLookup"u8)) AddMember(document, "from"u8, database);
                else if (name.SequenceEqual("$unionWith"u8)) AddNameOrMember(document, "coll"u8, database);
                else if (name.SequenceEqual("$merge"u8)) AddNameOrMember(document, "into"u8, database);
                else if (name.SequenceEqual("$out"u8)) AddNameOrPair(document, database);
                else if (name.SequenceEqual("viewOn"u8)) Add(document, database);

                if (document.Type is BsonType.Document or BsonType.Array) AddReferences(document.ReadDocument(), database);
            }
        }

        private void AddNameOrMember(in BsonReader stage, ReadOnlySpan<byte> member, string database)
        {
            Add(stage, database);
            AddMember(stage, member, database);
        }

        private void AddMember(in BsonReader stage, ReadOnlySpan<byte> member, string database)
        {
            if (stage.Type != BsonType.Document) return;
            var document = stage.ReadDocument();
            while (document.ReadTo(member)) AddNameOrPair(document, database);

            // { $unionWith: { db, coll } } names another database in the stage itself.
            AddPair(stage, database);
        }

        private void AddNameOrPair(in BsonReader element, string database)
        {
            Add(element, database);
            AddPair(element, database);
        }

        private void AddPair(in BsonReader element, string database)
        {
            if (element.Type != BsonType.Document) return;
            var databases = element.ReadDocument();
            for (var count = 0; count < MaxDatabases && databases.ReadTo("db"u8); count++)
            {
                if (!TryReadName(databases, out var other)) continue;
                var collections = element.ReadDocument();
                while (collections.ReadTo("coll"u8)) Add(collections, Encoding.UTF8.GetString(other));
            }
        }

        private void Add(in BsonReader element, string database)
        {
            if (TryReadName(element, out var name) && _known?.Contains(database, name) != true) Add($"{database}.{Encoding.UTF8.GetString(name)}");
        }

        private void AddFullName(in BsonReader element)
        {
            if (!TryReadName(element, out var bytes)) return;
            var name = Encoding.UTF8.GetString(bytes);
            if (MongoNamespace.Split(name) is not { Database.Length: > 0, Collection.Length: > 0 } parts) return;
            if (_known?.Contains(parts.Database, Encoding.UTF8.GetBytes(parts.Collection)) != true) Add(name);
        }

        private void Add(string name)
        {
            Existing ??= [];
            _seen ??= new HashSet<string>(StringComparer.Ordinal);
            if (_seen.Add(name)) Existing.Add(name);
        }

        private static bool TryReadName(in BsonReader element, out ReadOnlySpan<byte> name)
        {
            name = element.Type == BsonType.String ? element.GetUtf8() : [];
            return name.Length > 0;
        }
    }
}
