using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// The namespaces that a command names, found before it is analysed: whose schemas analysis may ask for. What is not shaped as
/// it should be is passed over here, and refused by analysis.
/// </summary>
internal sealed class CommandNamespaces
{
    private static readonly CommandNamespaces None = new();
    private static readonly CommandNamespaces NoneButChanges = new() { ChangesSchemas = true };

    private readonly List<string> _existing = [];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    private CommandNamespaces()
    {
    }

    /// <summary>Collections that may exist, each once.</summary>
    public IReadOnlyList<string> Existing => _existing;

    /// <summary>The collection that the command creates, which has no schema yet but the command's own; else null.</summary>
    public string? Created { get; private set; }

    /// <summary>Whether collections may have another schema, or none, after the command.</summary>
    public bool ChangesSchemas { get; private init; }

    /// <summary>Finds the namespaces of a command that is sent to a database.</summary>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    public static CommandNamespaces Of(string databaseName, ReadOnlySpan<byte> command)
    {
        var first = new BsonReader(command);
        if (!first.Read()) return None;
        var name = first.GetName();
        var changes = name is "create" or "collMod" or "drop" or "dropDatabase" or "renameCollection";
        if (!CommandTable.Rules.TryGetValue(name, out var rule) || rule != CommandRule.Analysed) return changes ? NoneButChanges : None;

        var namespaces = new CommandNamespaces { ChangesSchemas = changes };
        if (name == "explain")
        {
            if (first.Type != BsonType.Document) return None;
            var inner = first.ReadDocument();
            if (inner.Read()) namespaces.AddFrom(first.ReadDocument(), inner, inner.GetName(), databaseName);
        }
        else
        {
            namespaces.AddFrom(new BsonReader(command), first, name, databaseName);
        }

        return namespaces;
    }

    /// <param name="command">A reader at the start of the command.</param>
    /// <param name="first">One at its first element.</param>
    /// <param name="name">The name of that element.</param>
    /// <param name="database">The database.</param>
    private void AddFrom(BsonReader command, in BsonReader first, string name, string database)
    {
        switch (name)
        {
            case "bulkWrite":
                AddFromBulkWrite(command);
                return;
            case "renameCollection":
                while (command.Read())
                {
                    if (command.Name.SequenceEqual("renameCollection"u8) || command.Name.SequenceEqual("to"u8)) AddFullName(command);
                }

                return;
            case "create":
                if (TryReadName(first, out var created)) Created = $"{database}.{created}";
                break;
            default:
                Add(first, database);
                break;
        }

        if (name is "aggregate" or "create" or "collMod") AddReferences(command, database);
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
        while (databases.Read())
        {
            if (!databases.Name.SequenceEqual("db"u8) || !TryReadName(databases, out var other)) continue;
            var collections = element.ReadDocument();
            while (collections.ReadTo("coll"u8)) Add(collections, other);
        }
    }

    private void Add(in BsonReader element, string database)
    {
        if (TryReadName(element, out var name)) Add($"{database}.{name}");
    }

    private void AddFullName(in BsonReader element)
    {
        if (TryReadName(element, out var name) && MongoNamespace.Split(name) is { Database.Length: > 0, Collection.Length: > 0 }) Add(name);
    }

    private void Add(string name)
    {
        if (_seen.Add(name)) _existing.Add(name);
    }

    private static bool TryReadName(in BsonReader element, out string name)
    {
        name = element.Type == BsonType.String ? element.GetString() : "";
        return name.Length > 0;
    }
}
