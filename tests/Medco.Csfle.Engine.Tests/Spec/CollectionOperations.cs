using System.Globalization;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.TestServer.Values;

namespace Medco.Csfle.Engine.Tests.Spec;

/// <summary>What an operation returned.</summary>
/// <param name="Value">The value; null for none.</param>
/// <param name="IsIterable">Whether it is what a cursor gave, document by document.</param>
internal readonly record struct SpecResult(Value? Value, bool IsIterable = false)
{
    public static readonly SpecResult None = new(null);
}

/// <summary>A collection as an entity of a test.</summary>
internal sealed record SpecCollection(SpecClient Client, string Database, string Name)
{
    public ValueTask<Document> RunAsync(params IEnumerable<Element> command) => Client.RunAsync(Database, new Document(command));

    public async ValueTask<SpecResult> IterateAsync(params IEnumerable<Element> command)
        => new(await Client.IterateAsync(Database, new Document(command)), IsIterable: true);
}

/// <summary>The operations on a collection, as the commands that a driver sends for them.</summary>
internal static class CollectionOperations
{
    private static readonly string[] FindOptions =
    [
        "sort", "projection", "skip", "limit", "batchSize", "collation", "hint", "comment", "let", "min", "max", "returnKey", "showRecordId",
        "allowDiskUse", "maxTimeMS",
    ];

    private static readonly string[] AggregateOptions = ["allowDiskUse", "collation", "hint", "comment", "let", "bypassDocumentValidation", "maxTimeMS"];

    private static readonly string[] WriteOptions = ["bypassDocumentValidation", "comment", "let"];

    private static readonly Dictionary<string, Func<SpecCollection, SpecArguments, ValueTask<SpecResult>>> Operations = new()
    {
        ["insertOne"] = InsertOne,
        ["insertMany"] = InsertMany,
        ["find"] = Find,
        ["findOne"] = FindOne,
        ["aggregate"] = Aggregate,
        ["countDocuments"] = CountDocuments,
        ["count"] = Count,
        ["estimatedDocumentCount"] = Count,
        ["distinct"] = Distinct,
        ["updateOne"] = (collection, arguments) => Update(collection, arguments, "update", isMulti: false),
        ["updateMany"] = (collection, arguments) => Update(collection, arguments, "update", isMulti: true),
        ["replaceOne"] = (collection, arguments) => Update(collection, arguments, "replacement", isMulti: false),
        ["deleteOne"] = (collection, arguments) => Delete(collection, arguments, limit: 1),
        ["deleteMany"] = (collection, arguments) => Delete(collection, arguments, limit: 0),
        ["findOneAndUpdate"] = (collection, arguments) => FindAndModify(collection, arguments, "update"),
        ["findOneAndReplace"] = (collection, arguments) => FindAndModify(collection, arguments, "replacement"),
        ["findOneAndDelete"] = (collection, arguments) => FindAndModify(collection, arguments, null),
        ["bulkWrite"] = BulkWrite,
        ["createIndex"] = CreateIndex,
        ["dropIndex"] = DropIndex,
        ["listIndexes"] = (collection, arguments) => collection.IterateAsync(
            [new("listIndexes", SpecDocuments.Value(collection.Name)), new("cursor", SpecDocuments.Value(new Document(arguments.Options("batchSize"))))]),
        ["rename"] = Rename,
        ["mapReduce"] = MapReduce,
    };

    public static bool Has(string name) => Operations.ContainsKey(name);

    public static async ValueTask<SpecResult> RunAsync(SpecCollection collection, SpecArguments arguments)
        => await Operations[arguments.Operation](collection, arguments);

    /// <summary>A driver's check of an update: operators, or a pipeline.</summary>
    public static Value CheckedUpdate(Value update)
        => update.IsArray || StartsWithOperator(update) ? update : throw new SpecClientException("an update has to consist of update operators");

    private static async ValueTask<SpecResult> InsertOne(SpecCollection collection, SpecArguments arguments)
    {
        var document = WithId(arguments.Required("document"));
        Element[] command =
        [
            new("insert", SpecDocuments.Value(collection.Name)), new("documents", SpecDocuments.Array(document)),
            new("ordered", SpecDocuments.Value(true)), .. arguments.Options(WriteOptions),
        ];
        arguments.RefuseOthers();
        await collection.RunAsync(command);
        return new(SpecDocuments.Value(SpecDocuments.Of(new Element("insertedId", document.Document.Find("_id")!))));
    }

    private static async ValueTask<SpecResult> InsertMany(SpecCollection collection, SpecArguments arguments)
    {
        Value[] documents = [.. arguments.Required("documents").Items.Select(WithId)];
        Element[] command =
        [
            new("insert", SpecDocuments.Value(collection.Name)), new("documents", SpecDocuments.Array(documents)),
            new("ordered", SpecDocuments.Value(arguments.Optional("ordered")?.IsTrue ?? true)), .. arguments.Options(WriteOptions),
        ];
        arguments.RefuseOthers();
        await collection.RunAsync(command);
        return new(SpecDocuments.Value(SpecDocuments.Of(new Element("insertedIds", SpecDocuments.Value(Numbered(documents.Select(document => document.Document.Find("_id")!)))))));
    }

    private static ValueTask<SpecResult> Find(SpecCollection collection, SpecArguments arguments)
    {
        Element[] command = [new("find", SpecDocuments.Value(collection.Name)), new("filter", arguments.Required("filter")), .. arguments.Options(FindOptions)];
        arguments.RefuseOthers();
        return collection.IterateAsync(command);
    }

    private static async ValueTask<SpecResult> FindOne(SpecCollection collection, SpecArguments arguments)
    {
        Element[] command =
        [
            new("find", SpecDocuments.Value(collection.Name)), new("filter", arguments.Required("filter")),
            .. arguments.Options([.. FindOptions.Except(["limit", "batchSize"])]),
            new("limit", SpecDocuments.Value(1)), new("singleBatch", SpecDocuments.Value(true)),
        ];
        arguments.RefuseOthers();
        return new((await collection.IterateAsync(command)).Value!.Items.FirstOrDefault() ?? Value.Null);
    }

    private static ValueTask<SpecResult> Aggregate(SpecCollection collection, SpecArguments arguments)
    {
        Element[] command =
        [
            new("aggregate", SpecDocuments.Value(collection.Name)), new("pipeline", arguments.Required("pipeline")),
            new("cursor", SpecDocuments.Value(new Document(arguments.Options("batchSize")))), .. arguments.Options(AggregateOptions),
        ];
        arguments.RefuseOthers();
        return collection.IterateAsync(command);
    }

    private static async ValueTask<SpecResult> CountDocuments(SpecCollection collection, SpecArguments arguments)
    {
        var stages = new List<Value> { Stage("$match", arguments.Required("filter")) };
        stages.AddRange(arguments.Options("skip").Select(skip => Stage("$skip", skip.Value)));
        stages.AddRange(arguments.Options("limit").Select(limit => Stage("$limit", limit.Value)));
        stages.Add(Stage("$group", SpecDocuments.Value(SpecDocuments.Of(
            new Element("_id", SpecDocuments.Value(1)),
            new Element("n", SpecDocuments.Value(SpecDocuments.Of(new Element("$sum", SpecDocuments.Value(1)))))))));
        Element[] command =
        [
            new("aggregate", SpecDocuments.Value(collection.Name)), new("pipeline", SpecDocuments.Array(stages)),
            new("cursor", SpecDocuments.Value(Document.Empty)), .. arguments.Options("collation", "hint", "comment", "maxTimeMS"),
        ];
        arguments.RefuseOthers();
        var groups = (await collection.IterateAsync(command)).Value!;
        return new(groups.Items.FirstOrDefault()?.Document.Find("n") ?? SpecDocuments.Value(0));
    }

    private static async ValueTask<SpecResult> Count(SpecCollection collection, SpecArguments arguments)
    {
        Element[] command =
        [
            new("count", SpecDocuments.Value(collection.Name)),
            .. arguments.Options("filter").Select(filter => new Element("query", filter.Value)),
            .. arguments.Options("limit", "skip", "hint", "collation", "comment", "maxTimeMS"),
        ];
        arguments.RefuseOthers();
        return new((await collection.RunAsync(command)).Find("n"));
    }

    private static async ValueTask<SpecResult> Distinct(SpecCollection collection, SpecArguments arguments)
    {
        Element[] command =
        [
            new("distinct", SpecDocuments.Value(collection.Name)), new("key", arguments.Required("fieldName")),
            new("query", arguments.Required("filter")), .. arguments.Options("collation", "comment", "hint", "maxTimeMS"),
        ];
        arguments.RefuseOthers();
        return new((await collection.RunAsync(command)).Find("values"));
    }

    private static async ValueTask<SpecResult> Update(SpecCollection collection, SpecArguments arguments, string modification, bool isMulti)
    {
        var statement = UpdateStatement(arguments, modification, isMulti);
        Element[] command =
        [
            new("update", SpecDocuments.Value(collection.Name)), new("updates", SpecDocuments.Array(SpecDocuments.Value(statement))),
            new("ordered", SpecDocuments.Value(true)), .. arguments.Options(WriteOptions),
        ];
        arguments.RefuseOthers();
        return new(SpecDocuments.Value(UpdateCounts(await collection.RunAsync(command))));
    }

    private static async ValueTask<SpecResult> Delete(SpecCollection collection, SpecArguments arguments, int limit)
    {
        var statement = DeleteStatement(arguments, limit);
        Element[] command =
        [
            new("delete", SpecDocuments.Value(collection.Name)), new("deletes", SpecDocuments.Array(SpecDocuments.Value(statement))),
            new("ordered", SpecDocuments.Value(true)), .. arguments.Options("comment", "let"),
        ];
        arguments.RefuseOthers();
        return new(SpecDocuments.Value(SpecDocuments.Of(new Element("deletedCount", (await collection.RunAsync(command)).Find("n")!))));
    }

    private static async ValueTask<SpecResult> FindAndModify(SpecCollection collection, SpecArguments arguments, string? modification)
    {
        var command = new List<Element>
        {
            new("findAndModify", SpecDocuments.Value(collection.Name)),
            new("query", arguments.Required("filter")),
        };
        if (modification is null)
        {
            command.Add(new("remove", SpecDocuments.Value(true)));
        }
        else
        {
            command.Add(new("update", Checked(arguments, modification)));
            command.AddRange(arguments.Options("returnDocument").Select(which => new Element("new", SpecDocuments.Value(which.Value.Text == "After"))));
        }

        command.AddRange(arguments.Options("projection").Select(projection => new Element("fields", projection.Value)));
        command.AddRange(arguments.Options([.. WriteOptions, "sort", "upsert", "collation", "arrayFilters", "hint", "maxTimeMS"]));
        arguments.RefuseOthers();
        return new((await collection.RunAsync(command)).Find("value") ?? Value.Null);
    }

    // Neighbours of the same kind go together, as far as their order allows.
    private static async ValueTask<SpecResult> BulkWrite(SpecCollection collection, SpecArguments arguments)
    {
        var ordered = SpecDocuments.Value(arguments.Optional("ordered")?.IsTrue ?? true);
        Element[] options = [.. arguments.Options(WriteOptions)];
        var batches = new List<(string Command, string Field, List<Value> Statements)>();
        var insertedIds = new List<Element>();
        var index = 0;
        foreach (var request in arguments.Required("requests").Items)
        {
            var (command, field, statement) = Statement(request.Document[0]);
            if (command == "insert") insertedIds.Add(new(index.ToString(CultureInfo.InvariantCulture), statement.Document.Find("_id")!));
            if (batches.Count == 0 || batches[^1].Command != command) batches.Add((command, field, []));
            batches[^1].Statements.Add(statement);
            index++;
        }

        arguments.RefuseOthers();
        long inserted = 0, matched = 0, modified = 0, deleted = 0, upserted = 0;
        var upsertedIds = new List<Element>();
        var first = 0;
        foreach (var (command, field, statements) in batches)
        {
            var reply = await collection.RunAsync(
                [new(command, SpecDocuments.Value(collection.Name)), new(field, SpecDocuments.Array(statements)), new("ordered", ordered), .. options]);
            var n = reply.Find("n")!.Whole();
            switch (command)
            {
                case "insert":
                    inserted += n;
                    break;
                case "delete":
                    deleted += n;
                    break;
                default:
                    foreach (var upsert in reply.Items("upserted"))
                    {
                        var position = (first + upsert.Find("index")!.Whole()).ToString(CultureInfo.InvariantCulture);
                        upsertedIds.Add(new(position, upsert.Find("_id")!));
                        upserted++;
                        n--;
                    }

                    matched += n;
                    modified += reply.Find("nModified")!.Whole();
                    break;
            }

            first += statements.Count;
        }

        return new(SpecDocuments.Value(SpecDocuments.Of(
            new("deletedCount", Value.FromInt64(deleted)), new("insertedCount", Value.FromInt64(inserted)), new("matchedCount", Value.FromInt64(matched)),
            new("modifiedCount", Value.FromInt64(modified)), new("upsertedCount", Value.FromInt64(upserted)),
            new("insertedIds", SpecDocuments.Value(new Document(insertedIds))), new("upsertedIds", SpecDocuments.Value(new Document(upsertedIds))))));
    }

    private static (string Command, string Field, Value Statement) Statement(Element request)
    {
        var arguments = new SpecArguments($"bulkWrite.{request.Name}", request.Value.Document);
        (string, string, Value) statement = request.Name switch
        {
            "insertOne" => ("insert", "documents", WithId(arguments.Required("document"))),
            "updateOne" => ("update", "updates", SpecDocuments.Value(UpdateStatement(arguments, "update", isMulti: false))),
            "updateMany" => ("update", "updates", SpecDocuments.Value(UpdateStatement(arguments, "update", isMulti: true))),
            "replaceOne" => ("update", "updates", SpecDocuments.Value(UpdateStatement(arguments, "replacement", isMulti: false))),
            "deleteOne" => ("delete", "deletes", SpecDocuments.Value(DeleteStatement(arguments, limit: 1))),
            "deleteMany" => ("delete", "deletes", SpecDocuments.Value(DeleteStatement(arguments, limit: 0))),
            _ => throw new SpecFailure($"this runner has no bulk write of '{request.Name}'"),
        };
        arguments.RefuseOthers();
        return statement;
    }

    private static async ValueTask<SpecResult> CreateIndex(SpecCollection collection, SpecArguments arguments)
    {
        var keys = arguments.Required("keys");
        var name = arguments.Optional("name") ?? SpecDocuments.Value(string.Join('_', keys.Document.Elements.Select(key => $"{key.Name}_{(key.Value.IsText ? key.Value.Text : key.Value.Number)}")));
        Element[] options = [.. arguments.Options("comment", "commitQuorum", "maxTimeMS")];
        var index = SpecDocuments.Of([new("key", keys), new("name", name), .. arguments.Rest()]);
        await collection.RunAsync(
            [new("createIndexes", SpecDocuments.Value(collection.Name)), new("indexes", SpecDocuments.Array(SpecDocuments.Value(index))), .. options]);
        return new(name);
    }

    private static async ValueTask<SpecResult> DropIndex(SpecCollection collection, SpecArguments arguments)
    {
        Element[] command =
            [new("dropIndexes", SpecDocuments.Value(collection.Name)), new("index", arguments.Required("name")), .. arguments.Options("comment", "maxTimeMS")];
        arguments.RefuseOthers();
        await collection.RunAsync(command);
        return SpecResult.None;
    }

    private static async ValueTask<SpecResult> Rename(SpecCollection collection, SpecArguments arguments)
    {
        Element[] command =
        [
            new("renameCollection", SpecDocuments.Value($"{collection.Database}.{collection.Name}")),
            new("to", SpecDocuments.Value($"{collection.Database}.{arguments.Text("to")}")), .. arguments.Options("dropTarget", "comment"),
        ];
        arguments.RefuseOthers();
        await collection.Client.RunAsync("admin", new Document(command));
        return SpecResult.None;
    }

    private static async ValueTask<SpecResult> MapReduce(SpecCollection collection, SpecArguments arguments)
        => new((await collection.RunAsync([new("mapReduce", SpecDocuments.Value(collection.Name)), .. arguments.Rest()])).Find("results"), IsIterable: true);

    private static Document UpdateStatement(SpecArguments arguments, string modification, bool isMulti) => SpecDocuments.Of(
    [
        new("q", arguments.Required("filter")), new("u", Checked(arguments, modification)), new("multi", SpecDocuments.Value(isMulti)),
        new("upsert", SpecDocuments.Value(arguments.Flag("upsert"))), .. arguments.Options("arrayFilters", "collation", "hint", "sort"),
    ]);

    private static Document DeleteStatement(SpecArguments arguments, int limit)
        => SpecDocuments.Of([new("q", arguments.Required("filter")), new("limit", SpecDocuments.Value(limit)), .. arguments.Options("collation", "hint")]);

    private static Document UpdateCounts(Document reply)
    {
        var upserted = reply.Items("upserted").ToArray();
        var matched = reply.Find("n")!.Whole() - upserted.Length;
        var counts = SpecDocuments.Of(
            new("matchedCount", Value.FromInt64(matched)), new("modifiedCount", reply.Find("nModified")!), new("upsertedCount", SpecDocuments.Value(upserted.Length)));
        return upserted.Length == 0 ? counts : counts.With(new Element("upsertedId", upserted[0].Find("_id")!));
    }

    private static Value Checked(SpecArguments arguments, string modification)
    {
        var value = arguments.Required(modification);
        if (modification == "update") return CheckedUpdate(value);
        return StartsWithOperator(value) ? throw new SpecClientException("a replacement has no update operators") : value;
    }

    private static bool StartsWithOperator(Value document)
        => document is { IsDocument: true, Document.Count: > 0 } && document.Document[0].Name.StartsWith('$');

    private static Value Stage(string name, Value value) => SpecDocuments.Value(SpecDocuments.Of(new Element(name, value)));

    private static Document Numbered(IEnumerable<Value> values)
        => new(values.Select((value, index) => new Element(index.ToString(CultureInfo.InvariantCulture), value)));

    private static Value WithId(Value document)
    {
        if (document.Document.Find("_id") is not null) return document;
        var id = new byte[12];
        Random.Shared.NextBytes(id);
        return SpecDocuments.Value(SpecDocuments.Of([new("_id", new Value(BsonType.ObjectId, id)), .. document.Document.Elements]));
    }
}
