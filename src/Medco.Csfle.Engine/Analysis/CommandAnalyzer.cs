using System.Text;
using Medco.Csfle.Engine.Analysis.Commands;
using Medco.Csfle.Engine.Analysis.Pipeline;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Query analysis: decides of every command whether it goes out as it is, with values encrypted, or not at all. A pure
/// function of the command's bytes and the schemas.
/// </summary>
/// <param name="allowed">Where values may be written though there is no schema.</param>
internal sealed class CommandAnalyzer(UnencryptedNamespaces allowed)
{
    private readonly UnencryptedNamespaces _allowed = allowed;

    /// <summary>Analyses one command.</summary>
    /// <param name="databaseName">The database the command runs in.</param>
    /// <param name="command">One BSON document, its document sequences folded in as arrays.</param>
    /// <param name="schemas">The schemas of the collections that have one.</param>
    /// <exception cref="QueryAnalysisException">The command may not be sent.</exception>
    /// <exception cref="BsonFormatException">The bytes are not BSON.</exception>
    public EncryptionPlan Analyze(string databaseName, ReadOnlyMemory<byte> command, SchemaMap schemas)
    {
        var bytes = command.Span;
        var first = new BsonReader(bytes);
        if (!first.Read())
        {
            throw new QueryAnalysisException(CsfleErrorCode.MalformedCommand, "The command is an empty document", "Send a command.");
        }

        var plan = EncryptionPlan.For(command);
        var name = first.GetName();
        if (!CommandTable.Rules.TryGetValue(name, out var rule))
        {
            throw Unsupported(name);
        }

        if (rule == CommandRule.Analysed)
        {
            CheckDatabase(new BsonReader(bytes), databaseName);
            Dispatch(bytes, new BsonReader(bytes), first, name, databaseName, plan, schemas, explained: false);
        }

        return plan;
    }

    /// <param name="bytes">All that is sent.</param>
    /// <param name="command">A reader at the start of the command: of all that is sent, or of what is explained.</param>
    /// <param name="first">One at its first element.</param>
    /// <param name="name">The name of that element.</param>
    /// <param name="databaseName">The database.</param>
    /// <param name="plan">Receives what is found.</param>
    /// <param name="schemas">The schemas.</param>
    /// <param name="explained">Whether the command is only explained, so that it stores nothing.</param>
    private void Dispatch(
        ReadOnlySpan<byte> bytes, BsonReader command, BsonReader first, string name, string databaseName, EncryptionPlan plan, SchemaMap schemas, bool explained)
    {
        switch (name)
        {
            case "explain":
                AnalyzeExplained(bytes, first, databaseName, plan, schemas);
                return;
            case "bulkWrite":
                CheckBulkNamespaces(command, schemas);
                return;
            case "renameCollection":
                RefuseRename(command, schemas);
                return;
        }

        var collection = CollectionOf(first, databaseName, name);
        if (name is "create" or "collMod")
        {
            CollectionOptionsAnalyzer.Analyze(bytes, command, collection, databaseName, plan, schemas);
            return;
        }

        if (schemas.Find(collection) is not { EncryptsAnything: true } schema)
        {
            if (!explained) CheckWritePolicy(bytes, databaseName, collection, name, schemas);
            if (name == "aggregate") AnalyzeJoins(bytes, command, databaseName, collection, plan, schemas, explained);
            return;
        }

        CallerCiphertextScan.Check(new BsonReader(bytes), collection);
        var scope = new AnalysisScope(bytes, collection, schema.Root, plan);
        if (explained) ExplainArguments.Check(scope, new BsonReader(bytes));
        switch (name)
        {
            case "insert":
                InsertAnalyzer.Analyze(scope, command);
                break;
            case "update":
                UpdateAnalyzer.Analyze(scope, command);
                break;
            case "delete":
                DeleteAnalyzer.Analyze(scope, command);
                break;
            case "findAndModify":
                FindAndModifyAnalyzer.Analyze(scope, command);
                break;
            case "find":
                FindAnalyzer.Analyze(scope, command);
                break;
            case "count":
                CountAnalyzer.Analyze(scope, command);
                break;
            case "distinct":
                DistinctAnalyzer.Analyze(scope, command);
                break;
            case "aggregate":
                AggregateAnalyzer.Analyze(scope, command, new PipelineContext(databaseName, schemas, _allowed));
                break;
            case "createIndexes":
                CreateIndexesAnalyzer.Analyze(scope, command);
                break;
            default:
                throw Unsupported(name);
        }
    }

    // The explained command is analysed like any other, inside of the one that is sent.
    private void AnalyzeExplained(ReadOnlySpan<byte> bytes, in BsonReader first, string databaseName, EncryptionPlan plan, SchemaMap schemas)
    {
        if (first.Type != BsonType.Document) throw Malformed("explain value is not a document", "explain");
        var inner = first.ReadDocument();
        if (!inner.Read()) throw Malformed("explain value is an empty document", "explain");
        var name = inner.GetName();
        if (name == "explain" || CommandTable.Rules.GetValueOrDefault(name, CommandRule.Bypassed) != CommandRule.Analysed) throw Unsupported(name);

        CheckDatabase(first.ReadDocument(), databaseName);
        var mark = plan.BeginDocument(0);
        Dispatch(bytes, first.ReadDocument(), inner, name, databaseName, plan, schemas, explained: true);
        if (plan.HasPlaceholders && !new BsonReader(bytes).ReadTo("verbosity"u8))
        {
            // What a server assumes, said as MongoDB's own analyzer says it.
            plan.Insert(bytes.Length - 1, "\u0002verbosity\0\u0012\0\0\0allPlansExecution\0"u8);
        }

        plan.EndDocument(mark, new BsonReader(bytes));
    }

    // A pipeline on an unencrypted collection can name an encrypted one, to compare its fields or to write into it.
    private void AnalyzeJoins(
        ReadOnlySpan<byte> bytes, BsonReader command, string databaseName, string collection, EncryptionPlan plan, SchemaMap schemas, bool explained)
    {
        if (!schemas.EncryptsAnything) return;
        if (!CommandNamespaces.Of(databaseName, bytes).Existing.Any(name => schemas.Find(name) is { EncryptsAnything: true })) return;
        CallerCiphertextScan.Check(new BsonReader(bytes), collection);
        var scope = new AnalysisScope(bytes, collection, TrackedSchema.Plain, plan);
        if (explained) ExplainArguments.Check(scope, new BsonReader(bytes));
        AggregateAnalyzer.Analyze(scope, command, new PipelineContext(databaseName, schemas, _allowed));
    }

    private void CheckWritePolicy(ReadOnlySpan<byte> bytes, string databaseName, string collection, string name, SchemaMap schemas)
    {
        switch (name)
        {
            case "insert" or "update":
            case "findAndModify" when new BsonReader(bytes).ReadTo("update"u8):
                WritePolicy.Check(collection, name, schemas, _allowed);
                break;
            case "aggregate":
                foreach (var target in PipelineTargets.FindIn(new BsonReader(bytes), databaseName)) WritePolicy.Check(target, name, schemas, _allowed);
                break;
        }
    }

    private static string CollectionOf(in BsonReader first, string databaseName, string commandName)
    {
        if (first.Type != BsonType.String) throw NoCollection(first.Type, commandName);
        var collection = first.GetString();
        return collection.Length > 0 ? $"{databaseName}.{collection}" : throw Malformed($"empty collection name on command: {commandName}", commandName);
    }

    // The schema is found by the database's name, so that two names for it in one command cannot be let through.
    private static void CheckDatabase(BsonReader command, string databaseName)
    {
        while (command.ReadTo("$db"u8))
        {
            if (command.Type != BsonType.String || command.GetString() != databaseName)
            {
                throw Malformed($"'$db' does not name the database '{databaseName}' that the command is sent to", "$db");
            }
        }
    }

    private void CheckBulkNamespaces(BsonReader command, SchemaMap schemas)
    {
        while (command.ReadTo("nsInfo"u8))
        {
            if (command.Type != BsonType.Array) throw Malformed("'nsInfo' must be an array of documents", "bulkWrite");
            var namespaces = command.ReadDocument();
            while (namespaces.Read())
            {
                if (namespaces.Type != BsonType.Document) throw Malformed("'nsInfo' must be an array of documents", "bulkWrite");
                var info = namespaces.ReadDocument();
                while (info.ReadTo("ns"u8))
                {
                    if (info.Type != BsonType.String) throw Malformed("'ns' must be a string", "bulkWrite");
                    var collection = info.GetString();
                    if (schemas.Find(collection) is { EncryptsAnything: true })
                    {
                        throw new QueryAnalysisException(CsfleErrorCode.CommandNotSupported, "The bulkWrite command only supports Queryable Encryption",
                            "Write with the insert, update and delete of one collection.", collection, @operator: "bulkWrite");
                    }

                    WritePolicy.Check(collection, "bulkWrite", schemas, _allowed);
                }
            }
        }
    }

    private static void RefuseRename(BsonReader command, SchemaMap schemas)
    {
        while (command.Read())
        {
            if (!command.Name.SequenceEqual("renameCollection"u8) && !command.Name.SequenceEqual("to"u8)) continue;
            if (command.Type != BsonType.String) throw Malformed($"'{command.GetName()}' must be a string", "renameCollection");
            if (schemas.Find(command.GetString()) is { EncryptsAnything: true })
            {
                throw new QueryAnalysisException(CsfleErrorCode.WouldLeakPlaintext,
                    "Renaming would separate a collection from its encryption schema, or put another under it",
                    "Rename through a client without encryption and change the schema map with it.", command.GetString(), @operator: "renameCollection");
            }
        }
    }

    private static QueryAnalysisException Unsupported(string command) => new(
        CsfleErrorCode.CommandNotSupported, $"command not supported for auto encryption: {command}",
        "Run it through a client without automatic encryption.", @operator: command);

    // An aggregation of a database or a cluster is a proper command, a change stream of all its collections above all.
    private static QueryAnalysisException NoCollection(BsonType type, string command)
    {
        var problem = $"non-collection command not supported for auto encryption: {command}";
        return command == "aggregate" && (type is BsonType.Int32 or BsonType.Int64 or BsonType.Double)
            ? new QueryAnalysisException(CsfleErrorCode.CommandNotSupported, problem,
                "Run it on one collection, or through a client without automatic encryption.", @operator: command)
            : Malformed(problem, command);
    }

    private static QueryAnalysisException Malformed(string problem, string command)
        => new(CsfleErrorCode.MalformedCommand, problem, "Send the command as MongoDB's manual describes it.", @operator: command);
}
