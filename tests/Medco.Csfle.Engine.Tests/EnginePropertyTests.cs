using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Bson;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests;

/// <summary>What holds for every document under every schema, and for any garbage.</summary>
public sealed class EnginePropertyTests(ITestOutputHelper output) : IDisposable
{
    private Config Settings => Seeded.Config(output, 500);

    private readonly KeyVaultService _vault = new(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);

    public void Dispose() => _vault.Dispose();

    [Fact]
    public void A_document_decrypts_to_the_bytes_it_had_and_shows_no_marked_value_in_between()
    {
        var keyId = _vault.CreateDataKey("local");
        var encryptedFields = 0;
        Check.One(Settings, Prop.ForAll(BsonGenerators.Documents, ArbMap.Default.ArbFor<int>(), (generated, seed) =>
        {
            var random = new Random(seed);
            var sentinels = new List<byte[]>();
            var document = WithSentinels(WithoutCiphertextSubtype(generated), random, sentinels, out var schemaJson, keyId, depth: 0);
            var schema = EncryptionSchema.Parse(schemaJson);
            encryptedFields += sentinels.Count;
            var engine = new CsfleEngine(_vault, [new("db.coll", schema)]);
            var insert = EngineFixture.Insert(document);

            var sent = engine.EncryptCommand("db", insert);

            BsonValidator.Validate(sent.Span);
            foreach (var sentinel in sentinels) Assert.Equal(-1, sent.Span.IndexOf(sentinel));
            Assert.Equal(insert, engine.DecryptReply(sent).ToArray());
        }));
        output.WriteLine($"{encryptedFields} encrypted fields");
        Assert.True(encryptedFields > 100);
    }

    [Fact]
    public void An_update_decrypts_to_the_bytes_it_had_and_shows_no_marked_value_in_between()
    {
        var keyId = _vault.CreateDataKey("local");
        var encryptedFields = 0;
        Check.One(Settings, Prop.ForAll(BsonGenerators.Documents, ArbMap.Default.ArbFor<int>(), (generated, seed) =>
        {
            var random = new Random(seed);
            var sentinels = new List<byte[]>();
            var document = WithSentinels(WithoutCiphertextSubtype(generated), random, sentinels, out var schemaJson, keyId, depth: 0);
            var schema = EncryptionSchema.Parse(schemaJson);
            encryptedFields += sentinels.Count;
            var engine = new CsfleEngine(_vault, [new("db.coll", schema)]);
            foreach (var operators in new[] { false, true })
            {
                byte[][] commands = [Update(document, schema, operators), FindAndModify(document, schema, operators)];
                foreach (var command in commands)
                {
                    var sent = engine.EncryptCommand("db", command);

                    BsonValidator.Validate(sent.Span);
                    foreach (var sentinel in sentinels) Assert.Equal(-1, sent.Span.IndexOf(sentinel));
                    Assert.Equal(command, engine.DecryptReply(sent).ToArray());
                }
            }
        }));
        output.WriteLine($"{encryptedFields} encrypted fields");
        Assert.True(encryptedFields > 100);
    }

    [Fact]
    public void A_pipeline_decrypts_to_the_bytes_it_had_and_shows_no_marked_constant_in_between()
    {
        var keyId = _vault.CreateDataKey("local");
        var constants = 0;
        Check.One(Settings, Prop.ForAll(BsonGenerators.Documents, ArbMap.Default.ArbFor<int>(), (generated, seed) =>
        {
            var sentinels = new List<byte[]>();
            var document = WithSentinels(WithoutCiphertextSubtype(generated), new Random(seed), sentinels, out var schemaJson, keyId, depth: 0);
            var schema = EncryptionSchema.Parse(schemaJson);
            var engine = new CsfleEngine(_vault, [new("db.coll", schema)]);
            var stages = new List<byte[]>();
            AddStages(stages, new BsonReader(document), schema.Root, "");
            constants += stages.Count;
            var command = Pipeline(stages);

            var sent = engine.EncryptCommand("db", command);

            BsonValidator.Validate(sent.Span);
            foreach (var sentinel in sentinels) Assert.Equal(-1, sent.Span.IndexOf(sentinel));
            Assert.Equal(command, engine.DecryptReply(sent).ToArray());
        }));
        output.WriteLine($"{constants} stages with a constant to encrypt");
        Assert.True(constants > 100);
    }

    [Fact]
    public void Changed_commands_give_a_result_or_a_typed_error()
    {
        using var fixture = new EngineFixture();
        byte[][] originals =
        [
            ExtendedJson.ToBson($$"""{"insert": "coll", "documents": [{{EngineFixture.Patient}}], "ordered": true}"""),
            ExtendedJson.ToBson("""{"find": "coll", "filter": {"ssn": 1, "$or": [{"insurance.policyNumber": {"$in": [1, 2]}}, {"name": {"$gt": "a"}}]}, "sort": {"name": 1}}"""),
            ExtendedJson.ToBson("""{"update": "coll", "updates": [{"q": {"ssn": 1, "name": "a"}, "u": {"$set": {"insurance": {"policyNumber": 2}, "bloodType": "0"}, "$unset": {"ssn": ""}, "$rename": {"a": "b"}}, "upsert": true}, {"q": {}, "u": {"ssn": 3}, "collation": {"locale": "simple"}, "arrayFilters": [{"i": 1}]}]}"""),
            ExtendedJson.ToBson("""{"findAndModify": "coll", "query": {"ssn": 1}, "update": {"$set": {"ssn": 2}, "$push": {"tags": "a"}}, "fields": {"ssn": 1}, "sort": {"name": 1}, "new": true}"""),
            ExtendedJson.ToBson("""{"delete": "coll", "deletes": [{"q": {"insurance.policyNumber": {"$ne": 1}}, "limit": 1, "collation": {"locale": "simple"}}], "ordered": true}"""),
            ExtendedJson.ToBson("""{"count": "coll", "query": {"$nor": [{"ssn": 1}]}, "skip": 1}"""),
            ExtendedJson.ToBson("""{"distinct": "coll", "key": "insurance.policyNumber", "query": {"ssn": {"$in": [1]}}}"""),
            ExtendedJson.ToBson("""{"aggregate": "coll", "pipeline": [{"$match": {"ssn": 1}}, {"$skip": 1}, {"$limit": 1}, {"$group": {"_id": 1, "n": {"$sum": 1}}}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"aggregate": "coll", "pipeline": [{"$addFields": {"a.b": "$ssn", "c": {"$cond": [{"$eq": ["$ssn", 1]}, "$insurance", {"$literal": "$x"}]}}}, {"$project": {"a": 1, "s": "$$ROOT", "_id": 0}}, {"$match": {"a.b": {"$in": [1, 2]}}}, {"$unwind": {"path": "$tags", "includeArrayIndex": "i"}}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"aggregate": "coll", "pipeline": [{"$match": {"$expr": {"$in": ["$ssn", [1, 2]]}}}, {"$group": {"_id": {"a": "$ssn"}, "n": {"$sum": {"$cond": [{"$ne": ["$insurance.policyNumber", 1]}, 1, 0]}}, "all": {"$push": "$$ROOT"}}}, {"$sort": {"n": 1}}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"aggregate": "coll", "pipeline": [{"$redact": {"$switch": {"branches": [{"case": {"$eq": [1, "$ssn"]}, "then": "$$KEEP"}], "default": "$$PRUNE"}}}, {"$replaceRoot": {"newRoot": "$insurance"}}, {"$bucket": {"groupBy": "$age", "boundaries": [1, 2], "output": {"x": {"$addToSet": "$policyNumber"}}}}, {"$count": "n"}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"aggregate": "coll", "pipeline": [{"$lookup": {"from": "coll", "as": "x", "localField": "a", "foreignField": "b", "pipeline": [{"$match": {"ssn": 1}}]}}, {"$graphLookup": {"from": "coll", "startWith": "$a", "connectFromField": "a", "connectToField": "b", "as": "y", "restrictSearchWithMatch": {"ssn": 1}}}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"aggregate": "other", "pipeline": [{"$lookup": {"from": "coll", "as": "x", "pipeline": [{"$match": {"$expr": {"$let": {"vars": {"v": 1}, "in": {"$eq": ["$ssn", 1]}}}}}]}}, {"$sortByCount": "$x"}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"aggregate": "other", "pipeline": [{"$merge": {"into": {"db": "db", "coll": "x"}}}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"aggregate": "other", "pipeline": [{"$lookup": {"from": "coll"}}], "cursor": {}}"""),
            ExtendedJson.ToBson("""{"bulkWrite": 1, "ops": [], "nsInfo": [{"ns": "db.coll"}]}"""),
        ];
        new FuzzTarget("Commands through an engine", output) { InSuite = 20_000, BytesPerByte = 1000 }.Run(
            new Corpus(originals).Damaged, command => !fixture.Engine.EncryptCommand("db", command).Span.SequenceEqual(command));
    }

    /// <summary>
    /// Makes the names of a document unique and free of dots, plants 16 unique bytes in values of types that can hold them,
    /// and marks those in a schema, at the top and in embedded documents. The subtype of ciphertexts becomes that of bytes.
    /// </summary>
    private static byte[] WithSentinels(byte[] document, Random random, List<byte[]> sentinels, out string schema, Guid keyId, int depth)
    {
        var properties = new List<string>();
        using var writer = new BsonWriter();
        writer.StartDocument();
        var reader = new BsonReader(document);
        var index = 0;
        while (reader.Read())
        {
            var name = $"f{index++}";
            var bytes = Encoding.UTF8.GetBytes(name);
            var choice = random.Next(4);
            if (reader.Type == BsonType.Document && choice < 2)
            {
                var nested = WithSentinels(reader.Value.ToArray(), random, sentinels, out var nestedSchema, keyId, depth + 1);
                properties.Add($"\"{name}\": {nestedSchema}");
                writer.WriteDocument(bytes, nested);
            }
            else if (choice == 3 || EncryptedNode.IsProhibited(CsfleAlgorithm.Random, reader.Type) || IsZeroTimestamp(reader))
            {
                writer.WriteRaw(reader.Type, bytes, reader.Value);
            }
            else
            {
                var deterministic = choice == 0 && !EncryptedNode.IsProhibited(CsfleAlgorithm.Deterministic, reader.Type);
                properties.Add(Encrypt(name, reader.Type, deterministic, keyId));
                WriteWithSentinel(writer, bytes, reader, random, sentinels);
            }
        }

        writer.EndDocument();
        schema = $$$"""{"bsonType": "object", "properties": {{{{string.Join(", ", properties)}}}}}""";
        return writer.ToArray();
    }

    private static string Encrypt(string name, BsonType type, bool deterministic, Guid keyId)
        => $$$"""
            "{{{name}}}": {"encrypt": {"keyId": [{"$uuid": "{{{keyId}}}"}], "bsonType": "{{{type.Alias()}}}",
            "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-{{{(deterministic ? "Deterministic" : "Random")}}}"}}
            """;

    private static void WriteWithSentinel(BsonWriter writer, byte[] name, in BsonReader reader, Random random, List<byte[]> sentinels)
    {
        var sentinel = Enumerable.Range(0, 16).Select(_ => (byte)random.Next('a', 'z' + 1)).ToArray();
        switch (reader.Type)
        {
            case BsonType.String or BsonType.Symbol or BsonType.JavaScript:
                writer.WriteText(reader.Type, name, [.. sentinel, .. reader.GetUtf8()]);
                break;
            case BsonType.Binary:
                writer.WriteBinary(name, BinarySubtype.Generic, [.. reader.GetBinary(out _), .. sentinel]);
                break;
            case BsonType.Document or BsonType.Array:
                if (reader.Type == BsonType.Document) writer.StartDocument(name);
                else writer.StartArray(name);
                writer.WriteElements(reader.Value);
                writer.WriteString("zz"u8, sentinel);
                writer.EndDocument();
                break;
            default:
                writer.WriteRaw(reader.Type, name, reader.Value);
                return;
        }

        sentinels.Add(sentinel);
    }

    private static byte[] WithoutCiphertextSubtype(byte[] document)
    {
        var changed = (byte[])document.Clone();
        Walk(new BsonReader(document));
        return changed;

        void Walk(BsonReader reader)
        {
            while (reader.Read())
            {
                if (reader.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope)
                {
                    Walk(reader.ReadDocument());
                }
                else if (reader.Type == BsonType.Binary && document[reader.ValueStart + sizeof(int)] == BinarySubtype.Encrypted)
                {
                    changed[reader.ValueStart + sizeof(int)] = BinarySubtype.Generic;
                }
            }
        }
    }

    private static bool IsZeroTimestamp(in BsonReader reader) => reader.Type == BsonType.Timestamp && reader.GetInt64() == 0;

    // A stage for every deterministic field that can be compared, each in another way.
    private static void AddStages(List<byte[]> stages, BsonReader document, PlainNode schema, string parent)
    {
        while (document.Read())
        {
            var path = parent + document.GetName();
            var node = schema.Find(document.Name);
            if (node is PlainNode plain && document.Type == BsonType.Document) AddStages(stages, document.ReadDocument(), plain, path + ".");
            if (node is EncryptedNode { Algorithm: CsfleAlgorithm.Deterministic } && document.Type != BsonType.RegularExpression) stages.Add(Comparison(stages.Count % 5, path, document));
        }
    }

    private static byte[] Comparison(int form, string path, in BsonReader value)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        switch (form)
        {
            case 0:
                writer.StartDocument("$match");
                writer.StartDocument(path);
                writer.WriteRaw(value.Type, "$eq"u8, value.Value);
                writer.EndDocument();
                writer.EndDocument();
                break;
            case 1:
                writer.StartDocument("$addFields");
                writer.StartDocument("x");
                WriteExpression(writer, "$ne", path, value, constantFirst: false);
                writer.EndDocument();
                writer.EndDocument();
                break;
            case 2:
                writer.StartDocument("$match");
                writer.StartDocument("$expr");
                WriteExpression(writer, "$eq", path, value, constantFirst: true);
                writer.EndDocument();
                writer.EndDocument();
                break;
            case 3:
                writer.StartDocument("$match");
                writer.StartDocument("$expr");
                writer.StartArray("$in"u8);
                writer.WriteString("0"u8, Encoding.UTF8.GetBytes("$" + path));
                writer.StartArray("1"u8);
                writer.WriteRaw(value.Type, "0"u8, value.Value);
                writer.EndDocument();
                writer.EndDocument();
                writer.EndDocument();
                writer.EndDocument();
                break;
            default:
                writer.StartDocument("$lookup");
                writer.WriteString("from"u8, "coll"u8);
                writer.WriteString("as"u8, "joined"u8);
                writer.StartArray("pipeline"u8);
                writer.WriteDocument("0"u8, Comparison(0, path, value));
                writer.EndDocument();
                writer.EndDocument();
                break;
        }

        writer.EndDocument();
        return writer.ToArray();
    }

    private static void WriteExpression(BsonWriter writer, string name, string path, in BsonReader value, bool constantFirst)
    {
        writer.StartArray(Encoding.UTF8.GetBytes(name));
        if (!constantFirst) writer.WriteString("0"u8, Encoding.UTF8.GetBytes("$" + path));
        writer.WriteRaw(value.Type, constantFirst ? "0"u8 : "1"u8, value.Value);
        if (constantFirst) writer.WriteString("1"u8, Encoding.UTF8.GetBytes("$" + path));
        writer.EndDocument();
    }

    private static byte[] Pipeline(List<byte[]> stages)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("aggregate"u8, "coll"u8);
        writer.StartArray("pipeline"u8);
        for (var i = 0; i < stages.Count; i++) writer.WriteDocument(Encoding.UTF8.GetBytes($"{i}"), stages[i]);
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] Update(byte[] document, EncryptionSchema schema, bool operators)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("update"u8, "coll"u8);
        writer.StartArray("updates"u8);
        writer.StartDocument("0"u8);
        WriteFilter(writer, "q", document, schema);
        WriteModification(writer, "u", document, operators);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] FindAndModify(byte[] document, EncryptionSchema schema, bool operators)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("findAndModify"u8, "coll"u8);
        WriteModification(writer, "update", document, operators);
        WriteFilter(writer, "query", document, schema);
        writer.EndDocument();
        return writer.ToArray();
    }

    // One predicate, {f: {$eq: value}}: the form that goes out as it came in.
    private static void WriteFilter(BsonWriter writer, string name, byte[] document, EncryptionSchema schema)
    {
        writer.StartDocument(name);
        var reader = new BsonReader(document);
        while (reader.Read())
        {
            if (schema.Root.Find(reader.Name) is not EncryptedNode { Algorithm: CsfleAlgorithm.Deterministic }) continue;
            if (reader.Type == BsonType.RegularExpression) continue;
            writer.StartDocument(reader.Name);
            writer.WriteRaw(reader.Type, "$eq"u8, reader.Value);
            writer.EndDocument();
            break;
        }

        writer.EndDocument();
    }

    private static void WriteModification(BsonWriter writer, string name, byte[] document, bool operators)
    {
        writer.StartDocument(name);
        if (operators) writer.StartDocument("$set");
        var reader = new BsonReader(document);
        while (reader.Read()) writer.WriteRaw(reader.Type, reader.Name, reader.Value);
        if (operators) writer.EndDocument();
        writer.EndDocument();
    }
}
