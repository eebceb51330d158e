using System.Security.Cryptography;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Tests.Cryptography;

public class DataKeyTests
{
    private static readonly Guid Id = Guid.Parse("aabbccdd-0011-2233-4455-66778899aabb");

    [Theory]
    [InlineData(CsfleAlgorithm.Deterministic)]
    [InlineData(CsfleAlgorithm.Random)]
    public void A_flipped_bit_anywhere_in_a_ciphertext_is_one_error_and_leaves_nothing_behind(CsfleAlgorithm algorithm)
    {
        using var key = new DataKey(Id, RandomNumberGenerator.GetBytes(96));
        var blob = Encrypt(key, algorithm, BsonType.String, [5, 0, 0, 0, 65, 66, 67, 68, 0]);
        var destination = new byte[blob.Length];
        var messages = new HashSet<string>();
        for (var bit = 0; bit < blob.Length * 8; bit++)
        {
            blob[bit / 8] ^= (byte)(1 << (bit % 8));
            Array.Fill(destination, (byte)0xAA);
            var error = Assert.Throws<DecryptionException>(() => key.Decrypt(Ciphertext.Parse(blob), destination));
            if (error.Code != CsfleErrorCode.MalformedCiphertext)
            {
                Assert.Equal(CsfleErrorCode.DecryptionFailed, error.Code);
                Assert.Equal(Id, error.KeyId);
                Assert.All(destination[..AeadKey.DecryptionLength(blob.Length - Ciphertext.HeaderLength)], b => Assert.Equal(0, b));
                messages.Add(error.Message);
            }
            else
            {
                Assert.Equal(0, bit / 8);
            }

            blob[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Single(messages);
        Assert.Contains("HMAC validation failure", messages.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((byte)BsonType.Int32, "0100000000")]
    [InlineData((byte)BsonType.Int32, "010000")]
    [InlineData((byte)BsonType.String, "")]
    [InlineData((byte)BsonType.String, "FFFFFF7F4100")]
    [InlineData((byte)BsonType.Document, "0500000001")]
    [InlineData((byte)BsonType.Document, "0C0000000361000C00000000")]
    [InlineData((byte)BsonType.JavaScriptWithScope, "16000000020000006100" + "0C0000001061000100000001")]
    [InlineData((byte)BsonType.JavaScriptWithScope, "17000000020000006100" + "0D00000003610009000000" + "00" + "00")]
    [InlineData(0x00, "")]
    [InlineData(0x42, "00")]
    public void Authentic_bytes_that_are_not_one_value_are_the_same_error(byte type, string hex)
    {
        using var key = new DataKey(Id, RandomNumberGenerator.GetBytes(96));
        var blob = Encrypt(key, CsfleAlgorithm.Deterministic, (BsonType)type, Convert.FromHexString(hex));
        var destination = new byte[blob.Length];
        Array.Fill(destination, (byte)0xAA);
        var error = Assert.Throws<DecryptionException>(() => key.Decrypt(Ciphertext.Parse(blob), destination));
        Assert.Equal(CsfleErrorCode.DecryptionFailed, error.Code);
        Assert.Contains("HMAC validation failure", error.Message, StringComparison.Ordinal);
        Assert.All(destination[..AeadKey.DecryptionLength(blob.Length - Ciphertext.HeaderLength)], b => Assert.Equal(0, b));
    }

    [Theory]
    [InlineData((byte)BsonType.String, "02000000FF00")]
    [InlineData((byte)BsonType.Document, "0E00000002610002000000FF0000")]
    public void A_string_that_is_not_UTF8_comes_back_as_it_was_encrypted(byte type, string hex)
    {
        using var key = new DataKey(Id, RandomNumberGenerator.GetBytes(96));
        var blob = Encrypt(key, CsfleAlgorithm.Random, (BsonType)type, Convert.FromHexString(hex));
        var destination = new byte[blob.Length];
        var length = key.Decrypt(Ciphertext.Parse(blob), destination);
        Assert.Equal(hex, Convert.ToHexString(destination[..length]));
    }

    [Fact]
    public void The_ciphertext_under_one_key_does_not_decrypt_under_another_nor_under_another_id()
    {
        var material = RandomNumberGenerator.GetBytes(96);
        using var key = new DataKey(Id, material);
        using var otherMaterial = new DataKey(Id, RandomNumberGenerator.GetBytes(96));
        using var sameMaterial = new DataKey(Guid.NewGuid(), material);
        var blob = Encrypt(key, CsfleAlgorithm.Deterministic, BsonType.Int32, [1, 0, 0, 0]);
        Assert.Throws<DecryptionException>(() => otherMaterial.Decrypt(Ciphertext.Parse(blob), new byte[blob.Length]));
        Assert.NotEqual(blob, Encrypt(sameMaterial, CsfleAlgorithm.Deterministic, BsonType.Int32, [1, 0, 0, 0]));
    }

    [Fact]
    public void Refuses_an_algorithm_that_is_none()
    {
        using var key = new DataKey(Id, RandomNumberGenerator.GetBytes(96));
        Assert.Throws<ArgumentOutOfRangeException>(() => Encrypt(key, 0, BsonType.Int32, [1, 0, 0, 0]));
    }

    [Fact]
    public void Prints_its_id_and_nothing_else()
    {
        using var key = new DataKey(Id, RandomNumberGenerator.GetBytes(96));
        Assert.Equal($"data key {Id}", key.ToString());
    }

    private static byte[] Encrypt(DataKey key, CsfleAlgorithm algorithm, BsonType type, byte[] value)
    {
        var blob = new byte[Ciphertext.LengthFor(value.Length)];
        key.Encrypt(algorithm, type, value, RandomNumberGenerator.GetBytes(16), blob);
        return blob;
    }
}
