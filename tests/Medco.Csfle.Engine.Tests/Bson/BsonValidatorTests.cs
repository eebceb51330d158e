using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.Tests.Bson;

public class BsonValidatorTests
{
    [Theory]
    [InlineData("0800000010FF00" + "00000000" + "00", 5)]
    [InlineData("0F000000026100" + "0300000061FF00" + "00", 12)]
    [InlineData("0F0000000D6100" + "0300000061FF00" + "00", 12)]
    [InlineData("0F0000000E6100" + "03000000C3A900" + "00", -1)]
    [InlineData("0C0000000B6100" + "61C30000" + "00", 8)]
    [InlineData("0C0000000B6100" + "610080" + "0000", 9)]
    [InlineData("1A0000000C6100" + "02000000FF00" + "000000000000000000000000" + "00", 11)]
    [InlineData("170000000F6100" + "0F000000" + "02000000FF00" + "0500000000" + "00", 15)]
    [InlineData("190000000F6100" + "11000000" + "0100000000" + "080000000AFF0000" + "00", 21)]
    [InlineData("15000000036100" + "0D000000026200" + "02000000FF00" + "00" + "00", 18)]
    public void Text_that_is_not_utf8_is_refused_at_its_first_wrong_byte(string hex, int offset)
    {
        var document = Convert.FromHexString(hex);
        BitConverter.TryWriteBytes(document, document.Length);
        if (document[4] == 3) BitConverter.TryWriteBytes(document.AsSpan(7), document.Length - 8);

        if (offset < 0)
        {
            BsonValidator.Validate(document);
            return;
        }

        Assert.Equal(offset, Assert.Throws<BsonFormatException>(() => BsonValidator.Validate(document)).Offset);
    }

    [Theory]
    [InlineData((byte)BsonType.Document, "090000000861000200", 7)]
    [InlineData((byte)BsonType.Int32, "0000000000", 4)]
    [InlineData((byte)BsonType.Int32, "000000", 0)]
    [InlineData(0, "", 0)]
    [InlineData((byte)BsonType.Boolean, "02", 0)]
    public void A_malformed_value_is_refused_at_its_offset_within_the_value(byte type, string hex, int offset)
        => Assert.Equal(offset, Assert.Throws<BsonFormatException>(() => BsonValidator.ValidateValue((BsonType)type, Convert.FromHexString(hex))).Offset);

    [Theory]
    [InlineData((byte)BsonType.String, "0300000061FF00")]
    [InlineData((byte)BsonType.RegularExpression, "61FF0000")]
    [InlineData((byte)BsonType.DbPointer, "02000000FF00000000000000000000000000")]
    [InlineData((byte)BsonType.JavaScriptWithScope, "0F00000002000000FF000500000000")]
    [InlineData((byte)BsonType.JavaScriptWithScope, "110000000100000000080000000AFF0000")]
    [InlineData((byte)BsonType.Document, "080000000AFF0000")]
    public void A_value_whose_strings_are_not_UTF_8_is_still_a_value(byte type, string hex)
        => BsonValidator.ValidateValue((BsonType)type, Convert.FromHexString(hex));
}
