using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Bson;

/// <summary>What holds for every document.</summary>
public class BsonPropertyTests(ITestOutputHelper output)
{
    private Config Settings => Seeded.Config(output, 500);

    [Fact]
    public void Every_document_is_valid_and_survives_canonical_text()
    {
        var types = new HashSet<BsonType>();
        Check.One(Settings, Prop.ForAll(BsonGenerators.Documents, document =>
        {
            BsonValidator.Validate(document);
            CollectTypes(document, types);
            var json = ExtendedJson.ToJson(document, ExtendedJsonMode.Canonical);
            Assert.Equal(document, ExtendedJson.ToBson(json));
            Assert.Equal(document, ExtendedJson.ToBson(Encoding.UTF8.GetBytes(json)));
            Assert.Equal(document, ExtendedJson.ToBson(ExtendedJson.ToJson(document, ExtendedJsonMode.Canonical, indented: true)));
        }));
        Assert.Equal(BsonGenerators.Types.Order(), types.Order());
    }

    [Fact]
    public void Relaxed_text_of_every_document_is_stable()
        => Check.One(Settings, Prop.ForAll(BsonGenerators.Documents, document =>
        {
            var relaxed = ExtendedJson.ToJson(document);
            Assert.Equal(relaxed, ExtendedJson.ToJson(ExtendedJson.ToBson(relaxed)));
        }));

    [Fact]
    public void Every_document_written_back_value_by_value_has_the_same_bytes()
        => Check.One(Settings, Prop.ForAll(BsonGenerators.Documents, document => Assert.Equal(document, BsonReencoding.Reencode(document))));

    [Fact]
    public void Every_value_is_valid_alone_and_not_with_a_byte_too_many_or_too_few()
        => Check.One(Settings, Prop.ForAll(Arb.From(BsonGenerators.Value()), value =>
        {
            BsonValidator.ValidateValue(value.Type, value.Bytes);
            Assert.Throws<BsonFormatException>(() => BsonValidator.ValidateValue(value.Type, [.. value.Bytes, 0]));
            if (value.Bytes.Length > 0) Assert.Throws<BsonFormatException>(() => BsonValidator.ValidateValue(value.Type, value.Bytes[..^1]));
        }));

    private static void CollectTypes(ReadOnlySpan<byte> document, HashSet<BsonType> types)
    {
        var reader = new BsonReader(document);
        while (reader.Read()) types.Add(reader.Type);
    }
}
