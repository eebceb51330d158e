using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Tests.Fuzzing;
using Xunit.Abstractions;

namespace Medco.Csfle.Engine.Tests.Cryptography;

public class AeadKeyTests(ITestOutputHelper output)
{
    [VectorFact]
    internal void Agrees_with_the_draft_of_the_algorithm()
    {
        var document = ExtendedJson.ToBson($"{{\"cases\": {OfficialVectors.ReadText("libmongocrypt/roundtrip/mcgrew.json")}}}");
        var outer = new BsonReader(document);
        Assert.True(outer.ReadTo("cases"u8));
        var cases = outer.ReadDocument();
        var count = 0;
        while (cases.Read())
        {
            var fields = ReadHex(cases.ReadDocument());
            using var key = new AeadKey(fields["key"]);
            var payload = Encrypt(key, fields["aad"], fields["iv"], fields["plaintext"]);
            Assert.Equal(fields["ciphertext"], payload);

            var plaintext = new byte[AeadKey.DecryptionLength(payload.Length)];
            Assert.True(TryDecrypt(key, fields["aad"], payload, plaintext, out var length));
            Assert.Equal(fields["plaintext"], plaintext[..length]);
            count++;
        }

        Assert.Equal(1, count);
    }

    [Fact]
    public void Decrypts_what_it_encrypted_whatever_the_length_and_the_associated_data()
    {
        using var key = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
        Check.One(Seeded.Config(output, 100), Prop.ForAll((byte[] plaintext, byte[] associatedData) =>
        {
            var payload = Encrypt(key, associatedData, RandomNumberGenerator.GetBytes(AeadKey.IvLength), plaintext);
            Assert.True(AeadKey.IsPayloadLength(payload.Length));
            var decrypted = new byte[AeadKey.DecryptionLength(payload.Length)];
            Assert.True(TryDecrypt(key, associatedData, payload, decrypted, out var length));
            Assert.Equal(plaintext, decrypted[..length]);
            Assert.All(decrypted[length..], b => Assert.Equal(0, b));
        }));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(16)]
    public void A_message_of_another_length_than_its_parts_is_not_written(int difference)
    {
        using var key = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
        Assert.Throws<ArgumentException>(() => key.Encrypt(new byte[3 + AeadKey.PayloadLength(20) + difference], 3, new byte[AeadKey.IvLength], new byte[20]));
        Assert.Throws<ArgumentException>(() => key.EncryptDeterministically(new byte[3 + AeadKey.PayloadLength(20) + difference], 3, new byte[20]));
    }

    [Fact]
    public void A_flipped_bit_anywhere_fails_and_leaves_nothing_behind()
    {
        using var key = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
        byte[] associatedData = [1, 2, 3];
        var payload = Encrypt(key, associatedData, RandomNumberGenerator.GetBytes(AeadKey.IvLength), RandomNumberGenerator.GetBytes(20));
        var decrypted = new byte[AeadKey.DecryptionLength(payload.Length)];
        for (var bit = 0; bit < payload.Length * 8; bit++)
        {
            payload[bit / 8] ^= (byte)(1 << (bit % 8));
            Array.Fill(decrypted, (byte)0xAA);
            Assert.False(TryDecrypt(key, associatedData, payload, decrypted, out var length));
            Assert.Equal(0, length);
            Assert.All(decrypted, b => Assert.Equal(0, b));
            payload[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (var i = 0; i < associatedData.Length; i++)
        {
            associatedData[i] ^= 1;
            Assert.False(TryDecrypt(key, associatedData, payload, decrypted, out _));
            associatedData[i] ^= 1;
        }

        Assert.True(TryDecrypt(key, associatedData, payload, decrypted, out _));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(17, 1)]
    [InlineData(255, 1)]
    [InlineData(0, 3)]
    [InlineData(17, 2)]
    [InlineData(32, 3)]
    public void Refuses_authentic_bytes_whose_padding_cannot_be(byte padding, int blocks)
    {
        var material = RandomNumberGenerator.GetBytes(AeadKey.KeyLength);
        var iv = RandomNumberGenerator.GetBytes(AeadKey.IvLength);
        using var aes = Aes.Create();
        aes.Key = material[32..64];
        var padded = new byte[16 * blocks];
        padded[^1] = padding;
        byte[] body = [.. iv, .. aes.EncryptCbc(padded, iv, PaddingMode.None)];
        byte[] payload = [.. body, .. HMACSHA512.HashData(material.AsSpan(0, 32), [.. body, .. new byte[8]])[..32]];

        using var key = new AeadKey(material);
        var decrypted = new byte[AeadKey.DecryptionLength(payload.Length)];
        Array.Fill(decrypted, (byte)0xAA);
        Assert.False(TryDecrypt(key, [], payload, decrypted, out _));
        Assert.All(decrypted, b => Assert.Equal(0, b));
    }

    [Fact]
    public void Deterministic_encryption_follows_key_associated_data_and_plaintext()
    {
        var material = RandomNumberGenerator.GetBytes(AeadKey.KeyLength);
        using var one = new AeadKey(material);
        using var two = new AeadKey(material);
        using var other = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
        Assert.Equal(Deterministic(one, [1], [7]), Deterministic(two, [1], [7]));
        Assert.NotEqual(Deterministic(one, [1], [7]), Deterministic(one, [2], [7]));
        Assert.NotEqual(Deterministic(one, [1], [7]), Deterministic(one, [1], [8]));
        Assert.NotEqual(Deterministic(one, [1], [7]), Deterministic(other, [1], [7]));
    }

    [Fact]
    public void The_key_is_zeroed_when_the_last_user_lets_it_go_and_then_refuses_to_work()
    {
        var key = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
        var bytes = Secrets.BytesOf(key);
        Assert.True(key.TryAddReference());
        key.Dispose();
        Assert.Contains(bytes, b => b != 0);
        Deterministic(key, [], [1]);
        key.Release();
        Assert.All(bytes, b => Assert.Equal(0, b));
        Assert.False(key.TryAddReference());
        Assert.Throws<ObjectDisposedException>(() => Deterministic(key, [], [1]));
    }

    [Fact]
    public void Disposing_twice_does_not_take_another_users_key_away()
    {
        var key = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
        Assert.True(key.TryAddReference());
        key.Dispose();
        key.Dispose();
        Assert.Contains(Secrets.BytesOf(key), b => b != 0);
        key.Release();
        Assert.All(Secrets.BytesOf(key), b => Assert.Equal(0, b));
    }

    [Fact]
    public void A_key_that_goes_while_it_is_misused_never_encrypts_with_zeroes()
    {
        var plaintext = new byte[32];
        var underZeroes = Deterministic(new AeadKey(new byte[AeadKey.KeyLength]), [], plaintext);
        for (var round = 0; round < 200; round++)
        {
            var key = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
            var expected = Deterministic(key, [], plaintext);
            Parallel.For(0, 4, i =>
            {
                if (i == 0)
                {
                    key.Dispose();
                    return;
                }

                try
                {
                    var payload = Deterministic(key, [], plaintext);
                    Assert.Equal(expected, payload);
                    Assert.NotEqual(underZeroes, payload);
                }
                catch (ObjectDisposedException)
                {
                    // The other half of the race.
                }
            });
        }
    }

    [Fact]
    public void Many_threads_get_the_same_result()
    {
        using var key = new AeadKey(RandomNumberGenerator.GetBytes(AeadKey.KeyLength));
        var inputs = Enumerable.Range(0, 64).Select(i => RandomNumberGenerator.GetBytes(i)).ToArray();
        var expected = inputs.Select(input => Deterministic(key, [9], input)).ToArray();
        Parallel.For(0, 2000, i => Assert.Equal(expected[i % inputs.Length], Deterministic(key, [9], inputs[i % inputs.Length])));
    }

    private static byte[] Deterministic(AeadKey key, byte[] associatedData, byte[] plaintext)
    {
        byte[] message = [.. associatedData, .. new byte[AeadKey.PayloadLength(plaintext.Length)]];
        key.EncryptDeterministically(message, associatedData.Length, plaintext);
        return message[associatedData.Length..];
    }

    private static byte[] Encrypt(AeadKey key, byte[] associatedData, byte[] iv, byte[] plaintext)
    {
        byte[] message = [.. associatedData, .. new byte[AeadKey.PayloadLength(plaintext.Length)]];
        key.Encrypt(message, associatedData.Length, iv, plaintext);
        Assert.Equal(associatedData, message[..associatedData.Length]);
        return message[associatedData.Length..];
    }

    private static bool TryDecrypt(AeadKey key, byte[] associatedData, byte[] payload, byte[] plaintext, out int length)
        => key.TryDecrypt([.. associatedData, .. payload], associatedData.Length, plaintext, out length);

    private static Dictionary<string, byte[]> ReadHex(BsonReader reader)
    {
        var fields = new Dictionary<string, byte[]>();
        while (reader.Read())
        {
            if (reader.GetName() is "key" or "aad" or "iv" or "plaintext" or "ciphertext") fields.Add(reader.GetName(), Convert.FromHexString(reader.GetString()));
        }

        return fields;
    }
}
