using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>What a document costs to analyse does not grow with what only an error would need.</summary>
public sealed class AllocationTests
{
    private const int FieldCount = 20;

    [Fact]
    public void An_embedded_field_costs_no_more_than_one_at_the_top()
    {
        var encrypted = string.Join(", ", Enumerable.Range(0, FieldCount).Select(index => $$$"""
            "f{{{index}}}": {"encrypt": {"keyId": [{"$uuid": "11111111-1111-4111-8111-111111111111"}], "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}
            """));
        var analyzer = new CommandAnalyzer(new UnencryptedNamespaces([]));
        var schemas = new SchemaMap([new("db.coll", EncryptionSchema.Parse(
            $$$$"""{"bsonType": "object", "properties": {"a_rather_long_name_of_a_document": {"bsonType": "object", "properties": {{{{{encrypted}}}}}}, {{{{encrypted}}}}}}"""))]);
        var values = string.Join(", ", Enumerable.Range(0, FieldCount).Select(index => $"\"f{index}\": 1"));

        var top = Allocated(ExtendedJson.ToBson($$$"""{"insert": "coll", "documents": [{{{{values}}}}]}"""));
        var embedded = Allocated(ExtendedJson.ToBson($$$$"""{"insert": "coll", "documents": [{"a_rather_long_name_of_a_document": {{{{{values}}}}}}]}"""));

        // Each path spelled out would cost about 60 bytes.
        Assert.InRange(embedded - top, -10 * FieldCount, 10 * FieldCount);

        long Allocated(byte[] command)
        {
            const int Rounds = 100;
            analyzer.Analyze("db", command, schemas);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var round = 0; round < Rounds; round++) analyzer.Analyze("db", command, schemas);
            return (GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;
        }
    }

    [Fact]
    public void A_key_that_the_document_names_is_read_once_for_all_its_fields()
    {
        var analyzer = new CommandAnalyzer(new UnencryptedNamespaces([]));
        var fields = string.Join(", ", Enumerable.Range(0, FieldCount).Select(index => $$$"""
            "f{{{index}}}": {"encrypt": {"keyId": "/owner", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random"}}
            """));
        var schemas = new SchemaMap([new("db.coll", EncryptionSchema.Parse($$$"""{"bsonType": "object", "properties": {{{{fields}}}}}"""))]);
        var owner = new string('o', 1000);
        var values = string.Join(", ", Enumerable.Range(0, FieldCount).Select(index => $"\"f{index}\": 1"));
        var command = ExtendedJson.ToBson($$$"""{"insert": "coll", "documents": [{"owner": "{{{owner}}}", {{{values}}}}]}""");
        analyzer.Analyze("db", command, schemas);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var plan = analyzer.Analyze("db", command, schemas);

        Assert.Equal(owner, Assert.Single(plan.Keys).AltName);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, FieldCount * owner.Length);
    }
}
