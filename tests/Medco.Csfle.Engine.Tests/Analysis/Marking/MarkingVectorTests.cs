using System.Text.RegularExpressions;
using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Analysis.Marking;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Analysis.Marking;

/// <summary>The requests to mongocryptd in libmongocrypt's test data, and mongocryptd's replies where there are.</summary>
public sealed partial class MarkingVectorTests
{
    private static readonly string[] ForQueryAnalysis = ["jsonSchema", "isRemoteSchema", "csfleEncryptionSchemas"];

    // A reply to create that was written by hand and has lost the validator, which libmongocrypt's own expected command still has.
    private const string HandWritten = "fle1-create/with-cmd-schema";

    [VectorFact]
    public void Every_request_has_the_result_that_stands_beside_it_or_itself()
    {
        var requests = Directory.EnumerateFiles(OfficialVectors.PathOf("libmongocrypt"), "cmd-to-mongocryptd.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        Assert.True(requests.Length >= 10);
        foreach (var file in requests)
        {
            var folder = Path.GetDirectoryName(file)!;
            var request = Read(file);
            var own = MarkingRequests.Without(request, ForQueryAnalysis);
            var replyFile = new[] { "mongocryptd-reply.json", "reply-from-mongocryptd.json" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
            var expected = replyFile is null || folder.Replace('\\', '/').EndsWith(HandWritten, StringComparison.Ordinal)
                ? own
                : MarkingRequests.Document(Read(replyFile), "result");

            var reply = MarkingReply.For("db", request);

            Assert.Equal(Json(expected), Json(MarkingRequests.Document(reply, "result")));
            if (replyFile is not null) AssertFlags(Read(replyFile), reply);
        }
    }

    [VectorFact]
    public void The_sample_command_gets_the_official_marking()
    {
        var reply = MarkingReply.For("db", Read("mongocryptd-cmd.json"));

        var official = MarkingRequests.Markings(Read("mongocryptd-reply-existing-ciphertext.json"));
        Assert.Equal(official, MarkingRequests.Markings(reply));
        Assert.Equal("find", FirstName(MarkingRequests.Document(reply, "result")));
    }

    [VectorFact]
    public void A_random_field_gets_the_official_marking()
    {
        var schema = ExtendedJson.ToBson("""
            {"bsonType": "object", "properties": {"ssn": {"encrypt": {
              "keyId": [{"$binary": {"base64": "YWFhYWFhYWFhYWFhYWFhYQ==", "subType": "04"}}], "bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}}}
            """);
        var request = MarkingRequests.WithSchema(ExtendedJson.ToBson("""{"insert": "test", "documents": [{"ssn": "457-55-5462"}]}"""), schema, isRemote: true);

        Assert.Equal(MarkingRequests.Markings(Read("mongocryptd-reply-random.json")), MarkingRequests.Markings(MarkingReply.For("db", request)));
    }

    [VectorFact]
    public void Keys_by_name_get_the_official_markings()
    {
        Assert.Equal(MarkingRequests.Markings(Read("mongocryptd-reply-key-alt-name.json")), MarkingRequests.Markings(Marked("Sharlene")));
        Assert.Equal(MarkingRequests.Markings(Read("mongocryptd-reply-key-alt-name2.json")), MarkingRequests.Markings(Marked("Another alt name")));

        static byte[] Marked(string keyAltName)
        {
            var command = ExtendedJson.ToBson("""{"v": "457-55-5462"}""");
            var reader = new BsonReader(command);
            reader.Read();
            var plan = new EncryptionPlan(command);
            var mark = plan.BeginDocument(0);
            plan.Encrypt(reader, CsfleAlgorithm.Deterministic, KeyReference.ByName(keyAltName));
            plan.EndDocument(mark, new BsonReader(command));
            return plan.ApplyMarkings();
        }
    }

    [VectorFact]
    public void Two_keys_in_one_command_get_the_official_reply()
    {
        var schema = MarkingRequests.Document(Read("multikey/schema_map.json"), "db.coll");
        var request = MarkingRequests.WithSchema(Read("multikey/command.json"), schema, isRemote: false);

        // The strings of the official reply are the literals of the filter, so that the whole reply is the same.
        Assert.Equal(Json(Read("multikey/mongocryptd_reply.json")), Json(MarkingReply.For("db", request)));
    }

    [VectorFact]
    public void A_bulk_write_without_encrypted_fields_gets_the_official_reply()
    {
        var reply = Read("bulkWrite/unencrypted/mongocryptd-reply.json");

        Assert.Equal(Json(reply), Json(MarkingReply.For("db", MarkingRequests.Document(reply, "result"))));
    }

    [VectorFact]
    public void Queryable_encryption_is_refused()
    {
        foreach (var name in new[] { "bulkWrite/simple/mongocryptd-reply.json", "dollardb/preserved/mongocryptd-reply.json", "dollardb/omitted/mongocryptd-reply.json" })
        {
            var command = MarkingRequests.Document(Read(name), "result");
            var refusal = Assert.Throws<QueryAnalysisException>(() => MarkingReply.For("db", command));
            Assert.Equal("Queryable Encryption is not supported (collection 'db.test', operator 'encryptionInformation').", refusal.Message[..refusal.Message.IndexOf(" Encrypt ", StringComparison.Ordinal)]);
        }
    }

    [VectorFact]
    public void Fields_that_are_said_to_be_unencrypted_are_left_alone()
    {
        var official = MarkingRequests.Document(Read("dollardb/preserved_empty/mongocryptd-reply.json"), "result");

        var reply = MarkingReply.For("db", official);

        Assert.Equal(Json(MarkingRequests.Without(official, "encryptionInformation")), Json(MarkingRequests.Document(reply, "result")));
        AssertFlag(false, reply, "schemaRequiresEncryption");
    }

    [VectorFact]
    public void A_join_is_refused_while_the_schema_of_a_collection_is_missing()
    {
        var schema = MarkingRequests.Document(Read("lookup/csfle/cmd-to-mongocryptd.json"), "csfleEncryptionSchemas", "db.c1", "jsonSchema");
        foreach (var name in new[] { "csfle", "csfle-facet", "csfle-nested", "csfle-unionWith", "csfle-view", "csfle-mismatch", "csfle-sibling" })
        {
            foreach (var known in new[] { schema, ExtendedJson.ToBson("{}") })
            {
                var request = MarkingRequests.WithSchema(Read($"lookup/{name}/cmd.json"), known, isRemote: true);
                var refusal = Assert.Throws<QueryAnalysisException>(() => MarkingReply.For("db", request));
                Assert.Contains("encryption schema is not known", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    [VectorFact]
    public void The_flags_are_those_of_replies_without_encryption_and_without_markings()
    {
        var unencrypted = MarkingReply.For("db", MarkingRequests.WithSchema(ExtendedJson.ToBson("""{"find": "test"}"""), ExtendedJson.ToBson("{}"), isRemote: true));
        AssertFlags(Read("mongocryptd-reply-no-encryption-needed.json"), unencrypted);

        var schema = MarkingRequests.Document(Read("mongocryptd-cmd.json"), "jsonSchema");
        var unmarked = MarkingReply.For("db", MarkingRequests.WithSchema(ExtendedJson.ToBson("""{"find": "test"}"""), schema, isRemote: true));
        AssertFlags(Read("mongocryptd-reply-no-markings.json"), unmarked);
    }

    [VectorFact]
    public void The_official_broken_marking_is_not_what_this_engine_writes()
    {
        var broken = Assert.Single(MarkingRequests.Markings(Read("mongocryptd-reply-invalid.json")));
        Assert.False(new BsonReader(broken.AsSpan(1)).ReadTo("v"u8));

        var marking = Assert.Single(MarkingRequests.Markings(MarkingReply.For("db", Read("mongocryptd-cmd.json"))));
        Assert.True(new BsonReader(marking.AsSpan(1)).ReadTo("v"u8));
    }

    // Some official replies have the flag under the name that libmongocrypt itself reads, some have it not at all.
    private static void AssertFlags(byte[] official, byte[] reply)
    {
        foreach (var (theirs, ours) in new[]
        {
            ("hasEncryptionPlaceholders", "hasEncryptionPlaceholders"), ("hasEncryptedPlaceholders", "hasEncryptionPlaceholders"),
            ("schemaRequiresEncryption", "schemaRequiresEncryption"),
        })
        {
            var reader = new BsonReader(official);
            if (reader.ReadTo(System.Text.Encoding.UTF8.GetBytes(theirs))) AssertFlag(reader.GetBoolean(), reply, ours);
        }
    }

    private static void AssertFlag(bool expected, byte[] reply, string name)
    {
        var reader = new BsonReader(reply);
        Assert.True(reader.ReadTo(System.Text.Encoding.UTF8.GetBytes(name)), name);
        Assert.Equal(expected, reader.GetBoolean());
    }

    private static string FirstName(byte[] document)
    {
        var reader = new BsonReader(document);
        reader.Read();
        return reader.GetName();
    }

    private static string Json(byte[] document) => ExtendedJson.ToJson(document, ExtendedJsonMode.Canonical);

    // Some files are in the first version of Extended JSON.
    private static byte[] Read(string name)
        => ExtendedJson.ToBson(OldBinary().Replace(OfficialVectors.ReadText(Path.Combine("libmongocrypt", name)), "\"$$binary\": {\"base64\": \"$1\", \"subType\": \"$2\"}"));

    [GeneratedRegex("\"\\$binary\"\\s*:\\s*\"([^\"]*)\"\\s*,\\s*\"\\$type\"\\s*:\\s*\"([^\"]*)\"")]
    private static partial Regex OldBinary();
}
