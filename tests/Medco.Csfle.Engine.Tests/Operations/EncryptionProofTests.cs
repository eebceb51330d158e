using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.KeyVault;
using Medco.Csfle.Engine.Kms;
using Medco.Csfle.Engine.Operations;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Operations;

/// <summary>Synthetic documents for every kind of schema, and that every way for them not to be encrypted is noticed.</summary>
public sealed class EncryptionProofTests : IDisposable
{
    private const string Random = "AEAD_AES_256_CBC_HMAC_SHA_512-Random";
    private const string Deterministic = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic";
    private const string Collection = "db.coll";

    private readonly KeyVaultService _vault = new(new InMemoryKeyVaultStore(), [new LocalKeyManagementService(LocalMasterKey.Generate())]);
    private readonly NamedDataKey _named;
    private readonly Guid _other;

    public EncryptionProofTests()
    {
        _named = new NamedDataKey("named", _vault.CreateDataKey("local", new DataKeyCreationOptions { KeyAltNames = ["named"] }));
        _other = _vault.CreateDataKey("local");
    }

    public static TheoryData<string, string[]> Schemas => new()
    {
        { EngineFixture.PatientSchema, ["ssn", "bloodType", "medicalRecords", "insurance.policyNumber"] },
        { Encrypting("""{"properties": {"a": {"encrypt": {"algorithm": "RANDOM"}}, "b": {"encrypt": {"bsonType": ["string", "int", "bool"], "algorithm": "RANDOM"}}}}"""), ["a", "b"] },
        { Encrypting("""{"patternProperties": {"^enc_": {"encrypt": {"algorithm": "RANDOM"}}, "_pii$": {"encrypt": {"bsonType": "string", "algorithm": "DETERMINISTIC"}}}}"""), ["enc_", "_pii"] },
        { Encrypting("""{"properties": {"open": {"bsonType": "string"}}, "additionalProperties": {"encrypt": {"algorithm": "RANDOM"}}}"""), ["csfleProof0", "_id"] },
        { Encrypting("""{"properties": {"map": {"bsonType": "object", "additionalProperties": {"bsonType": "object", "properties": {"secret": {"encrypt": {"algorithm": "RANDOM"}}}}}}}"""), ["map.csfleProof0.secret"] },
        { Encrypting("""{"properties": {"_id": {"encrypt": {"bsonType": "string", "algorithm": "DETERMINISTIC"}}}}"""), ["_id"] },
        { """{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": "/owner/key", "algorithm": "RANDOM"}}, "b": {"encrypt": {"keyId": "/owner/key", "algorithm": "RANDOM"}}}}""", ["a", "b"] },
        { """{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": "/a~1b", "algorithm": "RANDOM"}}}}""", ["a"] },
    };

    public void Dispose() => _vault.Dispose();

    [Theory]
    [MemberData(nameof(Schemas))]
    public void Every_path_of_a_schema_is_proven_with_every_type_it_allows(string json, string[] paths)
    {
        var schema = Parse(json);

        var documents = Prove(schema, Engine(schema));

        Assert.Empty(documents.Unproven);
        Assert.Equal(paths.Order(StringComparer.Ordinal), documents.Values.Select(value => value.Path).Distinct().Order(StringComparer.Ordinal));
        foreach (var values in documents.Values.GroupBy(value => value.Path))
        {
            Assert.Equal(SyntheticValue.TypesFor(values.First().Node).Order(), values.Select(value => value.Type).Distinct().Order());
        }
    }

    [Fact]
    public void A_field_without_a_type_is_proven_with_every_type_that_can_be_encrypted_at_random()
    {
        var schema = Parse(Encrypting("""{"properties": {"a": {"encrypt": {"algorithm": "RANDOM"}}}}"""));

        Assert.Equal(17, SyntheticDocuments.Create(Collection, schema, null).Count);
    }

    [Fact]
    public void Values_differ_from_proof_to_proof()
    {
        var schema = Parse(EngineFixture.PatientSchema);

        Assert.NotEqual(SyntheticDocuments.Create(Collection, schema, null).ToInsert(true), SyntheticDocuments.Create(Collection, schema, null).ToInsert(true));
    }

    [Theory]
    [InlineData("""{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": "/key", "algorithm": "RANDOM"}}}}""", false, "a", "no key with a name")]
    [InlineData("""{"bsonType": "object", "properties": {"b": {"bsonType": "object", "patternProperties": {"^$": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "algorithm": "RANDOM"}}}}}}""", true, "b./^$/", "no name was found")]
    [InlineData("""{"bsonType": "object", "patternProperties": {"^csfleProof": {"bsonType": "string"}}, "additionalProperties": {"bsonType": "object", "properties": {"x": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "algorithm": "RANDOM"}}}}}""", true, "*", "covered by something else")]
    public void What_cannot_be_proven_is_told_with_the_reason(string json, bool hasName, string path, string reason)
    {
        var unproven = Assert.Single(SyntheticDocuments.Create(Collection, Parse(json), hasName ? _named : null).Unproven);

        Assert.Equal((Collection, path), (unproven.Collection, unproven.Path));
        Assert.Contains(reason, unproven.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void What_can_be_proven_is_proven_beside_what_cannot()
    {
        var schema = Parse("""{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": "/key", "algorithm": "RANDOM"}}, "b": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "bsonType": "int", "algorithm": "RANDOM"}}}}""");
        var documents = SyntheticDocuments.Create(Collection, schema, null);

        EncryptionProof.CheckSent(documents, Engine(schema).EncryptCommand("db", documents.ToInsert(true)).Span);

        Assert.Equal(["b"], documents.Values.Select(value => value.Path));
        Assert.Equal(["a"], documents.Unproven.Select(unproven => unproven.Path));
    }

    [Theory]
    [InlineData("^enc_")]
    [InlineData("_pii$")]
    [InlineData("^(ssn|taxId)$")]
    [InlineData("^[a-z]{3}[0-9]+$")]
    [InlineData(@"^\d{2}-\w+$")]
    [InlineData("^[^a-z]+x?$")]
    [InlineData("secret|private")]
    [InlineData(@"^a\x41\-b*$")]
    [InlineData("^(?:ab){2,3}?c$")]
    public void A_name_is_found_for_every_usual_pattern(string pattern)
    {
        var parsed = NamePattern.Parse(pattern, out _)!;

        Assert.Contains(NameExample.For(pattern), name => parsed.TryMatch(name, out var isMatch) && isMatch);
    }

    [Fact]
    public void An_insert_that_was_not_encrypted_at_all_is_noticed()
    {
        var documents = SyntheticDocuments.Create(Collection, Parse(EngineFixture.PatientSchema), null);

        var exception = Assert.Throws<EncryptionProofException>(() => EncryptionProof.CheckSent(documents, documents.ToInsert(true)));

        Assert.Equal((CsfleErrorCode.ProofFailed, Collection, "ssn"), (exception.Code, exception.Collection, exception.Path));
        Assert.Contains("came out as int", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"bsonType": "object", "properties": {"b": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "bsonType": "string", "algorithm": "DETERMINISTIC"}}}}""", "came out as string")]
    [InlineData("""{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": [{"$uuid": "OTHER"}], "bsonType": "string", "algorithm": "DETERMINISTIC"}}}}""", "instead of")]
    [InlineData("""{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "bsonType": "string", "algorithm": "RANDOM"}}}}""", "the algorithm Random instead of Deterministic")]
    public void What_another_schema_would_do_is_noticed(string otherSchema, string message)
    {
        var documents = SyntheticDocuments.Create(Collection, Parse("""{"bsonType": "object", "properties": {"a": {"encrypt": {"keyId": [{"$uuid": "KEY"}], "bsonType": "string", "algorithm": "DETERMINISTIC"}}}}"""), null);
        var sent = Engine(Parse(otherSchema)).EncryptCommand("db", documents.ToInsert(true));

        var exception = Assert.Throws<EncryptionProofException>(() => EncryptionProof.CheckSent(documents, sent.Span));

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("csfle-proof", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_is_in_clear_somewhere_else_as_well_is_noticed()
    {
        var schema = Parse(EngineFixture.PatientSchema);
        var documents = SyntheticDocuments.Create(Collection, schema, null);
        var sent = Engine(schema).EncryptCommand("db", documents.ToInsert(true));
        foreach (var value in documents.Values.Where(value => value.Trace.Length > 0))
        {
            using var writer = new BsonWriter();
            writer.StartDocument();
            writer.WriteElements(sent.Span);
            writer.WriteBinary("comment"u8, BinarySubtype.Generic, value.Trace);
            writer.EndDocument();

            var exception = Assert.Throws<EncryptionProofException>(() => EncryptionProof.CheckSent(documents, writer.WrittenSpan));

            Assert.Equal(value.Path, exception.Path);
            Assert.Contains("in clear", exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"documents": []}""")]
    [InlineData("""{"documents": [{}, {}]}""")]
    public void Documents_that_got_lost_are_noticed(string sent)
    {
        var documents = SyntheticDocuments.Create(Collection, Parse(EngineFixture.PatientSchema), null);

        Assert.Throws<EncryptionProofException>(() => EncryptionProof.CheckSent(documents, ExtendedJson.ToBson(sent)));
    }

    [Fact]
    public void Bytes_that_are_not_bson_are_noticed()
    {
        var documents = SyntheticDocuments.Create(Collection, Parse(EngineFixture.PatientSchema), null);

        Assert.IsType<BsonFormatException>(Assert.Throws<EncryptionProofException>(() => EncryptionProof.CheckSent(documents, [1, 2, 3])).InnerException);
    }

    [Fact]
    public void A_decryption_that_gives_something_else_back_is_noticed()
    {
        var documents = SyntheticDocuments.Create(Collection, Parse(EngineFixture.PatientSchema), null);

        Assert.Throws<EncryptionProofException>(() => EncryptionProof.CheckDecrypted(documents, documents.ToInsert(true), ExtendedJson.ToBson("{}")));
    }

    private static string Encrypting(string schema) => """{"bsonType": "object", "encryptMetadata": {"keyId": [{"$uuid": "KEY"}]}, """ + schema[1..];

    private EncryptionSchema Parse(string json) => EncryptionSchema.Parse(json
        .Replace("KEY", _named.Id.ToString(), StringComparison.Ordinal)
        .Replace("OTHER", _other.ToString(), StringComparison.Ordinal)
        .Replace("\"RANDOM", $"\"{Random}", StringComparison.Ordinal)
        .Replace("\"DETERMINISTIC", $"\"{Deterministic}", StringComparison.Ordinal));

    private CsfleEngine Engine(EncryptionSchema schema) => new(_vault, [new(Collection, schema)]);

    private SyntheticDocuments Prove(EncryptionSchema schema, CsfleEngine engine)
    {
        var documents = SyntheticDocuments.Create(Collection, schema, _named);
        var insert = documents.ToInsert(withDatabase: true);
        var sent = engine.EncryptCommand("db", insert);
        EncryptionProof.CheckSent(documents, sent.Span);
        EncryptionProof.CheckDecrypted(documents, insert, engine.DecryptReply(sent).Span);
        return documents;
    }
}
