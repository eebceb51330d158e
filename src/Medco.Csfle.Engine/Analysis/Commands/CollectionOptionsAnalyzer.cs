using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis.Commands;

/// <summary>
/// <c>create</c> and <c>collMod</c>: nothing in them is encrypted, but what they hold is stored on the server, so that no
/// condition in them may be about an encrypted field. The encryption schema that the command itself brings counts, beside the
/// one that the collection is known to have.
/// </summary>
internal static class CollectionOptionsAnalyzer
{
    private static readonly CommandFields CreateFields = CommandFields.OfCommand(
        "create", "capped", "size", "max", "autoIndexId", "timeseries", "expireAfterSeconds", "clusteredIndex", "changeStreamPreAndPostImages",
        "storageEngine", "indexOptionDefaults", "validator", "validationLevel", "validationAction", "collation");

    private static readonly CommandFields CollModFields = CommandFields.OfCommand(
        "collMod", "index", "cappedSize", "cappedMax", "timeseries", "expireAfterSeconds", "changeStreamPreAndPostImages", "dryRun",
        "validator", "validationLevel", "validationAction");

    /// <summary>Checks the command; it goes out as it is.</summary>
    /// <exception cref="QueryAnalysisException">It would store a condition on an encrypted field, or a view of one.</exception>
    /// <exception cref="EncryptionSchemaException">The encryption schema that it brings is not valid.</exception>
    public static void Analyze(
        ReadOnlySpan<byte> bytes, BsonReader command, string collection, string databaseName, EncryptionPlan plan, SchemaMap schemas)
    {
        RefuseView(bytes, command, collection, databaseName, schemas);
        var own = OwnSchema(command, collection);
        var known = schemas.Find(collection);
        if (own is not { EncryptsAnything: true } && known is not { EncryptsAnything: true }) return;

        CallerCiphertextScan.Check(new BsonReader(bytes), collection);
        if (own is { EncryptsAnything: true }) CheckOptions(new AnalysisScope(bytes, collection, own.Root, plan), command);
        if (known is { EncryptsAnything: true }) CheckOptions(new AnalysisScope(bytes, collection, known.Root, plan), command);
    }

    private static void CheckOptions(in AnalysisScope scope, BsonReader command)
    {
        var first = command;
        first.Read();
        (first.Name.SequenceEqual("create"u8) ? CreateFields : CollModFields).Check(scope, command);
        while (command.Read())
        {
            if (command.Name.SequenceEqual("validator"u8)) CheckValidator(scope, command);
            else if (command.Name.SequenceEqual("index"u8)) CheckIndex(scope, command);
        }
    }

    private static void CheckValidator(in AnalysisScope scope, in BsonReader element)
    {
        StoredFilter.Check(scope, element, mayHaveSchema: true);
        var validator = element.ReadDocument();
        if (validator.ReadTo("$jsonSchema"u8)) StoredSchema.Check(scope, SharedArguments.DocumentOf(scope, validator));
    }

    // The index that collMod changes, named by its keys.
    private static void CheckIndex(in AnalysisScope scope, in BsonReader element)
    {
        var index = SharedArguments.DocumentOf(scope, element);
        while (index.ReadTo("keyPattern"u8)) SharedArguments.RequireNoValues(scope, index);
    }

    private static EncryptionSchema? OwnSchema(BsonReader command, string collection)
    {
        EncryptionSchema? schema = null;
        while (command.ReadTo("validator"u8))
        {
            if (command.Type == BsonType.Document) schema = ValidatorSchema.Read(collection, command.ReadDocument()) ?? schema;
        }

        return schema;
    }

    // The constants of a view's pipeline would be stored in clear, and what is read through a view is not decided by the
    // schema of the collection behind it.
    private static void RefuseView(ReadOnlySpan<byte> bytes, BsonReader command, string collection, string databaseName, SchemaMap schemas)
    {
        var isView = false;
        while (command.Read()) isView |= command.Name.SequenceEqual("viewOn"u8) || command.Name.SequenceEqual("pipeline"u8);
        if (!isView) return;
        foreach (var name in CommandNamespaces.Of(databaseName, bytes).Existing.Append(collection))
        {
            if (schemas.Find(name) is not { EncryptsAnything: true }) continue;
            throw new QueryAnalysisException(CsfleErrorCode.WouldLeakPlaintext,
                "A view over an encrypted collection, or in its place, would store the constants of its pipeline in clear",
                "Define the view with a client without encryption, and without constants of encrypted fields; read the collection itself through this one.",
                name, @operator: "viewOn");
        }
    }
}
