using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using Medco.Csfle.Engine.Tests.Analysis;
using Medco.Csfle.Engine.Tests.Bson;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Fuzzing;

/// <summary>The formats: BSON, Extended JSON and encryption schemas.</summary>
public sealed class FormatFuzzTests(ITestOutputHelper output)
{
    private static readonly byte[][] Documents = [.. BsonGenerators.Document().Sample(200, new Rnd(20_265), 8)];

    [Fact]
    public void Bson_is_read_or_refused_with_an_offset_inside_it()
    {
        var corpus = new Corpus(Documents);
        new FuzzTarget("BSON", output) { InSuite = 10_000, BytesPerByte = 1000 }.Run(corpus.Damaged, bytes =>
        {
            try
            {
                BsonValidator.Validate(bytes);
            }
            catch (BsonFormatException exception)
            {
                Assert.InRange(exception.Offset, 0, bytes.Length);
                Assert.Throws<BsonFormatException>(() => ExtendedJson.ToJson(bytes));
                throw;
            }

            // What passes the validator must not fail anywhere else.
            Assert.Equal(bytes, BsonReencoding.Reencode(bytes));
            ExtendedJson.ToJson(bytes, indented: true);
            var text = ExtendedJson.ToJson(bytes, ExtendedJsonMode.Canonical);
            try
            {
                BsonValidator.Validate(ExtendedJson.ToBson(text));
            }
            catch (ExtendedJsonFormatException)
            {
                // A changed name may have become the key of a type wrapper.
            }

            return true;
        });
    }

    [Fact]
    public void Extended_json_is_parsed_into_valid_bson_or_refused_with_a_position_inside_it()
    {
        var corpus = new Corpus([.. Documents.Select(document => Encoding.UTF8.GetBytes(ExtendedJson.ToJson(document, ExtendedJsonMode.Canonical)))]);
        new FuzzTarget("Extended JSON", output) { InSuite = 10_000 }.Run(corpus.Damaged, text =>
        {
            byte[] bson;
            try
            {
                bson = ExtendedJson.ToBson(text);
            }
            catch (ExtendedJsonFormatException exception)
            {
                Assert.InRange(exception.Position, 0, text.Length);
                throw;
            }

            BsonValidator.Validate(bson);
            return true;
        });
    }

    [Fact]
    public void A_schema_gives_a_tree_that_its_own_bytes_give_again_or_a_typed_error()
    {
        byte[][] schemas = [.. AnalysisCase.LoadAll().Select(@case => @case.Schema).Distinct().Select(schema => ExtendedJson.ToBson(schema))];
        var mutation = new CommandMutation(schemas);
        var corpus = new Corpus(schemas);
        new FuzzTarget("Schemas", output) { BytesPerByte = FuzzTarget.PerByteOfPatterns }.Run(
            random => random.Next(4) == 0 ? corpus.Damaged(random) : mutation.Of(schemas[random.Next(schemas.Length)], random),
            bytes =>
            {
                var origin = (EncryptionSchemaOrigin)(bytes.Length % 2);
                var schema = EncryptionSchema.Parse(bytes, origin);
                Assert.True(schema.Root.EncryptsLike(EncryptionSchema.Parse(schema.ToBson(), origin).Root));
                return schema.EncryptsAnything;
            });
    }
}
