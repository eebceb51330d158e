using Medco.Csfle.Engine.Analysis;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Tests.Analysis;

/// <summary>
/// Shows a plan as a command: it is encrypted for real, and every ciphertext is then decrypted again and written as
/// <c>{"$encrypted": {"a", "k", "v"}}</c>, so that a wrong length, offset or key anywhere shows.
/// </summary>
internal static class MarkedCommand
{
    public static byte[] Render(EncryptionPlan plan)
    {
        var keys = plan.Keys.Select((_, index) => new DataKey(KeyIdFor(index), Material(index))).ToArray();
        var encrypted = plan.Apply(keys, SystemRandomSource.Instance);
        Assert.Equal(plan.EncryptedLength, encrypted.Length);
        BsonValidator.Validate(encrypted);

        using var writer = new BsonWriter(encrypted.Length);
        writer.StartDocument();
        Copy(new BsonReader(encrypted), writer, plan, keys);
        writer.EndDocument();
        return writer.ToArray();
    }

    private static Guid KeyIdFor(int index) => new(index, 0, 0, new byte[8]);

    private static byte[] Material(int index)
    {
        var material = new byte[AeadKey.KeyLength];
        Array.Fill(material, (byte)(index + 1));
        return material;
    }

    // Null for what the caller had encrypted itself.
    private static DataKey? KeyOf(in BsonReader element, DataKey[] keys)
    {
        var bytes = element.GetBinary(out var subtype);
        if (subtype != BinarySubtype.Encrypted) return null;
        var id = Ciphertext.Parse(bytes).KeyId;
        return keys.FirstOrDefault(key => key.Id == id);
    }

    private static void Copy(BsonReader reader, BsonWriter writer, EncryptionPlan plan, DataKey[] keys)
    {
        while (reader.Read())
        {
            if (reader.Type == BsonType.Document)
            {
                writer.StartDocument(reader.Name);
                Copy(reader.ReadDocument(), writer, plan, keys);
                writer.EndDocument();
            }
            else if (reader.Type == BsonType.Array)
            {
                writer.StartArray(reader.Name);
                Copy(reader.ReadDocument(), writer, plan, keys);
                writer.EndDocument();
            }
            else if (reader.Type == BsonType.Binary && KeyOf(reader, keys) is { } dataKey)
            {
                var ciphertext = Ciphertext.Parse(reader.GetBinary(out _));
                var plaintext = new byte[AeadKey.DecryptionLength(ciphertext.Payload.Length)];
                var length = dataKey.Decrypt(ciphertext, plaintext);
                var key = plan.Keys[Array.IndexOf(keys, dataKey)];
                writer.StartDocument(reader.Name);
                writer.StartDocument("$encrypted");
                writer.WriteInt32("a"u8, (int)ciphertext.Algorithm);
                writer.WriteString("k"u8, key.AltName ?? key.Id.ToString());
                writer.WriteRaw(ciphertext.OriginalType, "v"u8, plaintext.AsSpan(0, length));
                writer.EndDocument();
                writer.EndDocument();
            }
            else
            {
                writer.WriteRaw(reader.Type, reader.Name, reader.Value);
            }
        }
    }
}
