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

        var plan = new EncryptionPlan(command);
        var name = first.GetName();
        if (!CommandTable.Rules.TryGetValue(name, out var rule))
        {
            throw new QueryAnalysisException(CsfleErrorCode.CommandNotSupported, $"command not supported for auto encryption: {name}",
                "Run it through a client without automatic encryption.", @operator: name);
        }

        if (rule == CommandRule.Analysed)
        {
            CheckDatabase(bytes, databaseName);
            Dispatch(bytes, first, name, databaseName, plan, schemas);
        }

        return plan;
    }

    private void Dispatch(ReadOnlySpan<byte> bytes, BsonReader first, string name, string databaseName, EncryptionPlan plan, SchemaMap schemas)
    {
        switch (name)
        {
            case "explain":
                if (first.Type != BsonType.Document) throw Malformed("explain value is not a document", name);
                var inner = first.ReadDocument();
                if (!inner.Read()) throw Malformed("explain value is an empty document", name);
                RefuseIfEncrypted(bytes, CollectionOf(inner, databaseName, inner.GetName()), name, schemas);
                return;
            case "bulkWrite":
                CheckBulkNamespaces(new BsonReader(bytes), schemas);
                return;
            case "renameCollection":
                RefuseRename(new BsonReader(bytes), schemas);
                return;
        }

        var collection = CollectionOf(first, databaseName, name);
        if (schemas.Find(collection) is not { EncryptsAnything: true } schema)
        {
            CheckWritePolicy(bytes, databaseName, collection, name, schemas);
            if (name == "aggregate") AnalyzeJoins(bytes, databaseName, collection, plan, schemas);
            else if (name is "create" or "collMod") RefuseReferences(bytes, databaseName, collection, name, schemas);
            return;
        }

        CallerCiphertextScan.Check(new BsonReader(bytes), collection);
        var scope = new AnalysisScope(bytes, collection, schema.Root, plan);
        switch (name)
        {
            case "insert":
                InsertAnalyzer.Analyze(scope, new BsonReader(bytes));
                break;
            case "update":
                UpdateAnalyzer.Analyze(scope, new BsonReader(bytes));
                break;
            case "delete":
                DeleteAnalyzer.Analyze(scope, new BsonReader(bytes));
                break;
            case "findAndModify":
                FindAndModifyAnalyzer.Analyze(scope, new BsonReader(bytes));
                break;
            case "find":
                FindAnalyzer.Analyze(scope, new BsonReader(bytes));
                break;
            case "count":
                CountAnalyzer.Analyze(scope, new BsonReader(bytes));
                break;
            case "distinct":
                DistinctAnalyzer.Analyze(scope, new BsonReader(bytes));
                break;
            case "aggregate":
                AggregateAnalyzer.Analyze(scope, new BsonReader(bytes), new PipelineContext(databaseName, schemas, _allowed));
                break;
            default:
                throw NotYet(collection, name);
        }
    }

    // A pipeline on an unencrypted collection can name an encrypted one, to compare its fields or to write into it.
    private void AnalyzeJoins(ReadOnlySpan<byte> bytes, string databaseName, string collection, EncryptionPlan plan, SchemaMap schemas)
    {
        if (!schemas.EncryptsAnything) return;
        if (!CommandNamespaces.Of(databaseName, bytes).Existing.Any(name => schemas.Find(name) is { EncryptsAnything: true })) return;
        CallerCiphertextScan.Check(new BsonReader(bytes), collection);
        AggregateAnalyzer.Analyze(
            new AnalysisScope(bytes, collection, TrackedSchema.Plain, plan), new BsonReader(bytes), new PipelineContext(databaseName, schemas, _allowed));
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
        if (first.Type != BsonType.String) throw Malformed($"non-collection command not supported for auto encryption: {commandName}", commandName);
        var collection = first.GetString();
        return collection.Length > 0 ? $"{databaseName}.{collection}" : throw Malformed($"empty collection name on command: {commandName}", commandName);
    }

    // The schema is found by the database's name, so that two names for it in one command cannot be let through.
    private static void CheckDatabase(ReadOnlySpan<byte> bytes, string databaseName)
    {
        var reader = new BsonReader(bytes);
        while (reader.ReadTo("$db"u8))
        {
            if (reader.Type != BsonType.String || reader.GetString() != databaseName)
            {
                throw Malformed($"'$db' does not name the database '{databaseName}' that the command is sent to", "$db");
            }
        }
    }

    private static void RefuseIfEncrypted(ReadOnlySpan<byte> bytes, string collection, string command, SchemaMap schemas)
    {
        if (schemas.Find(collection) is { EncryptsAnything: true }) throw NotYet(collection, command);

        // The explained command may be an aggregation that reads other collections.
        RefuseReferences(bytes, collection[..collection.IndexOf('.', StringComparison.Ordinal)], collection, command, schemas);
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

    // The pipeline of a view is stored: its constants would stay in the database in clear.
    private static void RefuseReferences(ReadOnlySpan<byte> bytes, string databaseName, string collection, string command, SchemaMap schemas)
    {
        if (!schemas.EncryptsAnything) return;
        if (PipelineReferences.FindIn(new BsonReader(bytes)) is not { } stage) return;
        throw new QueryAnalysisException(CsfleErrorCode.CommandNotSupported,
            $"'{stage}' refers to another collection of '{databaseName}' or elsewhere, which cannot be analysed yet",
            "Run it through a client without encryption, or split it.", collection, @operator: command);
    }

    private static QueryAnalysisException NotYet(string collection, string command) => new(
        CsfleErrorCode.CommandNotSupported, $"'{command}' is not supported on an encrypted collection yet",
        "Run the command through a client without encryption with values that are encrypted explicitly.",
        collection, @operator: command);

    private static QueryAnalysisException Malformed(string problem, string command)
        => new(CsfleErrorCode.MalformedCommand, problem, "Send the command as MongoDB's manual describes it.", @operator: command);
}
