using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Tests.Cryptography;

public class CiphertextTests
{
    [Fact]
    public void Reads_the_layout()
    {
        var id = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        var bytes = new byte[Ciphertext.LengthFor(4)];
        bytes[0] = 2;
        Convert.FromHexString("00112233445566778899aabbccddeeff").CopyTo(bytes, 1);
        bytes[17] = (byte)BsonType.Int32;

        var ciphertext = Ciphertext.Parse(bytes);
        Assert.Equal(id, ciphertext.KeyId);
        Assert.Equal(CsfleAlgorithm.Random, ciphertext.Algorithm);
        Assert.Equal(BsonType.Int32, ciphertext.OriginalType);
        Assert.Equal(18 + ciphertext.Payload.Length, ciphertext.Bytes.Length);
        Assert.Equal(64, ciphertext.Payload.Length);
    }

    [Theory]
    [InlineData(0, 82, "placeholder")]
    [InlineData(3, 82, "Queryable Encryption")]
    [InlineData(18, 82, "Queryable Encryption")]
    [InlineData(19, 82, "unknown first byte 19")]
    [InlineData(1, 83, "83 bytes are not a whole number of blocks")]
    [InlineData(2, 97, "97 bytes are not a whole number of blocks")]
    [InlineData(1, 81, "81 bytes are not a whole number of blocks")]
    [InlineData(1, 66, "66 bytes are not a whole number of blocks")]
    [InlineData(1, 18, "too small")]
    [InlineData(1, 1, "too small")]
    public void Refuses_what_is_no_ciphertext(byte first, int length, string expected)
    {
        var bytes = new byte[length];
        bytes[0] = first;
        var error = Assert.Throws<DecryptionException>(() => Ciphertext.Parse(bytes));
        Assert.Equal(CsfleErrorCode.MalformedCiphertext, error.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_no_bytes_at_all()
        => Assert.Equal(CsfleErrorCode.MalformedCiphertext, Assert.Throws<DecryptionException>(() => Ciphertext.Parse([])).Code);
}
