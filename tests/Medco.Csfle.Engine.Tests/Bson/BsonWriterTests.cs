using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Bson;

public class BsonWriterTests
{
    [Fact]
    public void Lengths_of_nested_documents_are_filled_in()
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.StartDocument("d");
        writer.StartArray("a");
        writer.WriteInt32("0"u8, 1);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();

        Assert.Equal(
            Convert.FromHexString("1C000000" + "036400" + "14000000" + "046100" + "0C000000" + "10300001000000" + "00" + "00" + "00"),
            writer.ToArray());
    }

    [Fact]
    public void A_uuid_is_written_in_the_order_of_its_text()
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteUuid("u"u8, Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"));
        writer.EndDocument();

        Assert.Equal("""{"u":{"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}}}""", ExtendedJson.ToJson(writer.WrittenSpan));
    }

    [Fact]
    public void A_name_a_pattern_or_options_with_nul_and_a_lone_surrogate_are_refused_before_anything_is_written()
    {
        using var writer = new BsonWriter();
        writer.StartDocument();

        Assert.Throws<ArgumentException>(() => writer.WriteInt32("a\0b"u8, 1));
        Assert.Throws<ArgumentException>(() => writer.StartDocument("a\0b"));
        Assert.Throws<ArgumentException>(() => writer.WriteRegularExpression("r"u8, "a\0"u8, ""u8));
        Assert.Throws<ArgumentException>(() => writer.WriteRegularExpression("r"u8, ""u8, "i\0"u8));
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteString("s"u8, "\uD800"));
        Assert.ThrowsAny<ArgumentException>(() => writer.StartArray("\uDC00"));

        writer.EndDocument();
        Assert.Equal(Convert.FromHexString("0500000000"), writer.ToArray());
    }

    [Fact]
    public void Misuse_is_refused()
    {
        using var writer = new BsonWriter();
        Assert.Throws<InvalidOperationException>(() => writer.WriteInt32("a"u8, 1));
        Assert.Throws<InvalidOperationException>(() => writer.EndDocument());
        Assert.Throws<InvalidOperationException>(() => writer.ToArray());
        writer.StartDocument();
        Assert.Throws<InvalidOperationException>(() => writer.StartDocument());
        Assert.Throws<InvalidOperationException>(() => writer.ToArray());
    }

    [Fact]
    public void What_is_nested_as_deeply_as_may_be_read_may_be_written_and_no_deeper()
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        for (var level = 0; level < BsonLimits.MaxDepth; level++) writer.StartDocument("a"u8);

        Assert.Equal(CsfleErrorCode.BsonLimit, Assert.Throws<BsonFormatException>(() => writer.StartDocument("a"u8)).Code);
    }

    [Fact]
    public void A_document_that_no_server_takes_ends_in_an_error_and_not_in_exhausted_memory()
    {
        using var writer = new BsonWriter();
        var chunk = new byte[BsonLimits.MaxLength];
        writer.StartDocument();
        writer.WriteBinary("a"u8, 0, chunk);

        Assert.Equal(CsfleErrorCode.BsonLimit, Assert.Throws<BsonFormatException>(() => writer.WriteBinary("b"u8, 0, chunk)).Code);
    }

    [Fact]
    public void Disposing_zeroes_what_was_written()
    {
        var writer = new BsonWriter(64);
        writer.StartDocument();
        writer.WriteString("s"u8, "secret");
        writer.EndDocument();
        var length = writer.WrittenSpan.Length;
        var written = writer.WrittenSpan;

        writer.Dispose();

        Assert.Equal(new byte[length], written.ToArray());
    }

    [Fact]
    public void Outgrowing_a_buffer_zeroes_it()
    {
        using var writer = new BsonWriter(16);
        writer.StartDocument();
        writer.WriteInt32("a"u8, 0x01020304);
        var before = writer.WrittenSpan;

        writer.WriteBinary("b"u8, 0, new byte[100]);

        Assert.Equal(new byte[before.Length], before.ToArray());
        Assert.Equal(0x04, writer.WrittenSpan[7]);
    }
}
