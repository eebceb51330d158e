using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Bson;

public class BsonReaderTests
{
    // Every document below is drawn from its first byte: length 4, type 1, name "a" 2, so the value starts at offset 7.
    [Theory]
    [InlineData("", 0, "no length at all")]
    [InlineData("050000", 0, "half a length")]
    [InlineData("0400000000", 0, "shorter than the shortest")]
    [InlineData("FFFFFFFF00", 0, "a negative length")]
    [InlineData("0600000000", 0, "longer than the buffer")]
    [InlineData("050000000000", 5, "a byte behind the end")]
    [InlineData("0500000001", 4, "no terminator")]
    [InlineData("08000000106100" + "00", 7, "a value cut off")]
    [InlineData("070000001061" + "00", 5, "a name without terminator")]
    [InlineData("08000000146100" + "00", 4, "no such type")]
    [InlineData("08000000006100" + "00", 4, "the type 0")]
    [InlineData("09000000086100" + "02" + "00", 7, "a boolean of 2")]
    [InlineData("08000000086100" + "00", 7, "a boolean cut off")]
    [InlineData("0F000000016100" + "00000000000000" + "00", 7, "a double cut off")]
    [InlineData("0F000000126100" + "00000000000000" + "00", 7, "a 64-bit integer cut off")]
    [InlineData("0F000000096100" + "00000000000000" + "00", 7, "a date cut off")]
    [InlineData("0F000000116100" + "00000000000000" + "00", 7, "a timestamp cut off")]
    [InlineData("13000000076100" + "0000000000000000000000" + "00", 7, "an ObjectId cut off")]
    [InlineData("17000000136100" + "000000000000000000000000000000" + "00", 7, "a decimal cut off")]
    [InlineData("0B000000026100" + "000000" + "00", 7, "a string's length cut off")]
    [InlineData("0D000000026100" + "0000000000" + "00", 7, "a string of length 0")]
    [InlineData("0D000000026100" + "FFFFFFFF00" + "00", 7, "a string of negative length")]
    [InlineData("0D000000026100" + "0200000000" + "00", 7, "a string longer than its document")]
    [InlineData("0D000000026100" + "0100000061" + "00", 11, "a string without terminator")]
    [InlineData("0D0000000D6100" + "0100000061" + "00", 11, "JavaScript without terminator")]
    [InlineData("0D0000000E6100" + "0100000061" + "00", 11, "a symbol without terminator")]
    [InlineData("0D000000056100" + "0100000000" + "00", 7, "binary data longer than its document")]
    [InlineData("0D000000056100" + "FFFFFFFF00" + "00", 7, "binary data of negative length")]
    [InlineData("0C000000056100" + "00000000" + "00", 7, "binary data without subtype")]
    [InlineData("0F000000056100" + "02000000020000" + "00", 12, "old binary data too short for its inner length")]
    [InlineData("11000000056100" + "040000000201000000" + "00", 12, "old binary data with a wrong inner length")]
    [InlineData("0D000000036100" + "0500000001" + "00", 11, "a nested document without terminator")]
    [InlineData("0D000000036100" + "0600000000" + "00", 7, "a nested document longer than the outer one")]
    [InlineData("0D000000046100" + "0400000000" + "00", 7, "an array shorter than the shortest")]
    [InlineData("090000000B6100" + "61" + "00", 7, "a pattern without terminator")]
    [InlineData("0B0000000B6100" + "610061" + "00", 9, "options without terminator")]
    [InlineData("180000000C6100" + "0100000000" + "0000000000000000000000" + "00", 12, "a DBPointer's ObjectId cut off")]
    [InlineData("190000000C6100" + "0000000000" + "000000000000000000000000" + "00", 7, "a DBPointer's namespace of length 0")]
    [InlineData("160000000F6100" + "0D000000" + "0100000000" + "0500000000" + "00", 7, "JavaScript with scope shorter than the shortest")]
    [InlineData("160000000F6100" + "0F000000" + "0100000000" + "0500000000" + "00", 7, "JavaScript with scope longer than its document")]
    [InlineData("170000000F6100" + "0F000000" + "0100000000" + "0500000000" + "00" + "00", 7, "JavaScript with scope longer than its parts")]
    [InlineData("160000000F6100" + "0E000000" + "0000000000" + "0500000000" + "00", 11, "scoped code of length 0")]
    [InlineData("160000000F6100" + "0E000000" + "0100000000" + "0600000000" + "00", 16, "a scope longer than its value")]
    [InlineData("160000000F6100" + "0E000000" + "0100000000" + "0500000001" + "00", 20, "a scope without terminator")]
    public void A_malformed_document_is_refused_at_the_exact_offset(string hex, int offset, string what)
    {
        var error = Assert.Throws<BsonFormatException>(() => ReadAll(Convert.FromHexString(hex)));

        Assert.True(offset == error.Offset, $"{what}: expected offset {offset}, got {error.Offset}: {error.Message}");
        Assert.Equal(CsfleErrorCode.MalformedBson, error.Code);
    }

    [Fact]
    public void Offsets_count_from_the_outermost_document()
    {
        // { a: { b: { c: <boolean 2> } } }
        var document = Convert.FromHexString("1900000003610011000000036200090000000863000200" + "0000");

        var error = Assert.Throws<BsonFormatException>(() => ReadAll(document));

        Assert.Equal(21, error.Offset);
    }

    [Fact]
    public void A_failed_read_leaves_the_reader_where_it_was()
    {
        // { a: true, b: <boolean 2> }
        var document = Convert.FromHexString("0D0000000861000108620002" + "00");
        var reader = new BsonReader(document);
        Assert.True(reader.Read());

        for (var attempt = 0; attempt < 2; attempt++)
        {
            var offset = -1;
            try
            {
                reader.Read();
            }
            catch (BsonFormatException exception)
            {
                offset = exception.Offset;
            }

            Assert.Equal(11, offset);
            Assert.Equal("a", reader.GetName());
            Assert.Equal(BsonType.Boolean, reader.Type);
            Assert.True(reader.GetBoolean());
            Assert.Equal(4, reader.ElementStart);
            Assert.Equal(7, reader.ValueStart);
            Assert.Equal(8, reader.ValueEnd);
        }
    }

    [Fact]
    public void A_document_at_the_depth_limit_is_read_and_one_level_more_is_refused_where_it_starts()
    {
        ReadAll(Nested(BsonLimits.MaxDepth));

        var error = Assert.Throws<BsonFormatException>(() => ReadAll(Nested(BsonLimits.MaxDepth + 1)));

        Assert.Equal(CsfleErrorCode.BsonLimit, error.Code);
        // Length, type and a name of one letter: seven bytes a level.
        Assert.Equal(7 * (BsonLimits.MaxDepth + 1), error.Offset);
    }

    [Fact]
    public void A_document_longer_than_the_limit_is_refused_even_where_its_bytes_are_there()
    {
        var document = new byte[BsonLimits.MaxLength + 1];
        BitConverter.TryWriteBytes(document, document.Length);

        var error = Assert.Throws<BsonFormatException>(() => ReadAll(document));

        Assert.Equal(CsfleErrorCode.BsonLimit, error.Code);
        Assert.Equal(0, error.Offset);
    }

    [Fact]
    public void A_document_of_the_longest_length_is_read()
    {
        // { a: BinData(0, …) }: 12 bytes before the data, the terminator after it.
        var document = new byte[BsonLimits.MaxLength];
        BitConverter.TryWriteBytes(document, document.Length);
        "\u0005a\0"u8.CopyTo(document.AsSpan(4));
        BitConverter.TryWriteBytes(document.AsSpan(7), document.Length - 13);

        ReadAll(document);
    }

    [Fact]
    public void A_getter_of_another_type_is_refused_at_the_element()
    {
        var document = ExtendedJson.ToBson("""{"a": 1}""");
        foreach (var getter in new Action<BsonReader>[]
        {
            reader => reader.GetDouble(),
            reader => reader.GetInt64(),
            reader => reader.GetBoolean(),
            reader => reader.GetString(),
            reader => reader.GetBinary(out _),
            reader => reader.GetRegularExpression(out _),
            reader => reader.GetScopedCode(),
            reader => reader.GetDbPointer(out _),
            reader => reader.ReadDocument(),
        })
        {
            var error = Assert.Throws<BsonFormatException>(() =>
            {
                var reader = new BsonReader(document);
                reader.Read();
                getter(reader);
            });
            Assert.Equal(4, error.Offset);
        }
    }

    [Fact]
    public void Reading_to_a_name_finds_the_first_of_two_and_says_when_there_is_none()
    {
        var reader = new BsonReader(ExtendedJson.ToBson("""{"a": 1, "b": 2, "b": 3}"""));
        Assert.True(reader.ReadTo("b"u8));
        Assert.Equal(2, reader.GetInt32());
        Assert.False(reader.ReadTo("a"u8));
    }

    private static byte[] Nested(int depth)
    {
        var document = new byte[7 * depth + BsonLimits.MinLength + depth];
        for (var level = 0; level < depth; level++)
        {
            BitConverter.TryWriteBytes(document.AsSpan(7 * level), document.Length - 8 * level);
            "\u0003a\0"u8.CopyTo(document.AsSpan(7 * level + 4));
        }

        BitConverter.TryWriteBytes(document.AsSpan(7 * depth), BsonLimits.MinLength);
        return document;
    }

    private static void ReadAll(byte[] document) => ReadAll(new BsonReader(document));

    private static void ReadAll(BsonReader reader)
    {
        while (reader.Read())
        {
            if (reader.Type is BsonType.Document or BsonType.Array or BsonType.JavaScriptWithScope) ReadAll(reader.ReadDocument());
        }
    }
}
