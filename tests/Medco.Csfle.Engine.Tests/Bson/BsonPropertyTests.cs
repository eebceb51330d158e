using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Bson;

/// <summary>What holds for every document and for any garbage.</summary>
public class BsonPropertyTests(ITestOutputHelper output)
{
    private static readonly Config Settings = Config.QuickThrowOnFailure.WithMaxTest(500);

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

    [Fact]
    public void Changed_bytes_are_read_or_refused_with_an_offset_inside_them()
    {
        var refused = 0;
        var accepted = 0;
        ForEachMutation(document => document, mutated =>
        {
            try
            {
                BsonValidator.Validate(mutated);
                accepted++;
            }
            catch (BsonFormatException exception)
            {
                refused++;
                Assert.InRange(exception.Offset, 0, mutated.Length);
                Assert.Throws<BsonFormatException>(() => ExtendedJson.ToJson(mutated));
                return;
            }

            // What passes the validator must not fail anywhere else.
            Assert.Equal(mutated, BsonReencoding.Reencode(mutated));
            ExtendedJson.ToJson(mutated, indented: true);
            try
            {
                BsonValidator.Validate(ExtendedJson.ToBson(ExtendedJson.ToJson(mutated, ExtendedJsonMode.Canonical)));
            }
            catch (ExtendedJsonFormatException)
            {
                // A changed name may have become the key of a type wrapper.
            }
        });
        output.WriteLine($"{refused} refused, {accepted} accepted");
        Assert.NotEqual(0, refused);
        Assert.NotEqual(0, accepted);
    }

    [Fact]
    public void Changed_text_is_parsed_into_valid_bson_or_refused_with_a_position_inside_it()
    {
        var refused = 0;
        var accepted = 0;
        ForEachMutation(document => Encoding.UTF8.GetBytes(ExtendedJson.ToJson(document, ExtendedJsonMode.Canonical)), mutated =>
        {
            byte[] bson;
            try
            {
                bson = ExtendedJson.ToBson(mutated);
            }
            catch (ExtendedJsonFormatException exception)
            {
                refused++;
                Assert.InRange(exception.Position, 0, mutated.Length);
                return;
            }

            accepted++;
            BsonValidator.Validate(bson);
        });
        output.WriteLine($"{refused} refused, {accepted} accepted");
        Assert.NotEqual(0, refused);
        Assert.NotEqual(0, accepted);
    }

    private void ForEachMutation(Func<byte[], byte[]> encode, Action<byte[]> assert)
    {
        const int Documents = 100;
        const int MutationsEach = 100;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        foreach (var document in BsonGenerators.Document().Sample(Documents, new Rnd((ulong)seed), 8))
        {
            var original = encode(document);
            for (var i = 0; i < MutationsEach; i++)
            {
                var mutated = Mutation.Of(original, random);
                try
                {
                    assert(mutated);
                }
                catch (Exception exception)
                {
                    Assert.Fail($"seed {seed}, {Convert.ToHexString(mutated)}: {exception}");
                }
            }
        }
    }

    private static void CollectTypes(ReadOnlySpan<byte> document, HashSet<BsonType> types)
    {
        var reader = new BsonReader(document);
        while (reader.Read()) types.Add(reader.Type);
    }
}
