using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;
using Medco.Csfle.Engine.Schema;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Explicit encryption of a single value, wrapped as <c>{v: value}</c> like libmongocrypt does. The texts are libmongocrypt's.
/// </summary>
internal static class ExplicitEncryption
{
    /// <summary>Plans the encryption of the one element.</summary>
    /// <exception cref="EncryptionValueException">Its type cannot be encrypted, or not with this algorithm.</exception>
    /// <exception cref="BsonFormatException">It is not a document with the one element <c>v</c>.</exception>
    public static EncryptionPlan Plan(ReadOnlyMemory<byte> document, CsfleAlgorithm algorithm, KeyReference key)
    {
        if (algorithm is not (CsfleAlgorithm.Deterministic or CsfleAlgorithm.Random)) throw new ArgumentOutOfRangeException(nameof(algorithm));

        // A value that would not decrypt again must not be encrypted: decryption checks the plaintext to its last leaf.
        BsonValidator.Validate(document.Span);
        var reader = OneElement(document.Span);
        Check(reader, algorithm);
        var plan = EncryptionPlan.For(document);
        var mark = plan.BeginDocument(reader.Start);
        plan.Encrypt(reader, algorithm, key);
        plan.EndDocument(mark, reader);
        return plan;
    }

    /// <summary>Checks that the one element is binary data of subtype 6.</summary>
    /// <exception cref="DecryptionException">It is not.</exception>
    /// <exception cref="BsonFormatException">It is not a document with the one element <c>v</c>.</exception>
    public static void CheckCiphertext(ReadOnlySpan<byte> document)
    {
        var reader = OneElement(document);
        if (reader.Type == BsonType.Binary)
        {
            reader.GetBinary(out var subtype);
            if (subtype == BinarySubtype.Encrypted) return;
        }

        throw new DecryptionException(CsfleErrorCode.MalformedCiphertext, "The value is not binary data of subtype 6",
            "Pass what an encryption returned, or what an encrypted field holds when read without decryption.");
    }

    private static BsonReader OneElement(ReadOnlySpan<byte> document)
    {
        var reader = new BsonReader(document);
        if (!reader.Read() || !reader.Name.SequenceEqual("v"u8) || reader.ValueEnd != reader.End - 1)
        {
            throw new BsonFormatException("expected a document with one element named 'v'", sizeof(int));
        }

        return reader;
    }

    private static void Check(in BsonReader element, CsfleAlgorithm algorithm)
    {
        if (element.Type == BsonType.Binary)
        {
            element.GetBinary(out var subtype);
            if (subtype == BinarySubtype.Encrypted)
            {
                throw new EncryptionValueException("BSON binary subtype 6 is invalid for encryption: the value is encrypted already", "Pass the plaintext.");
            }
        }

        if (EncryptedNode.IsProhibited(CsfleAlgorithm.Random, element.Type))
        {
            throw new EncryptionValueException($"BSON type invalid for encryption: {element.Type.Alias()}", "Leave the field out instead.");
        }

        if (EncryptedNode.IsProhibited(algorithm, element.Type))
        {
            throw new EncryptionValueException($"BSON type invalid for deterministic encryption: {element.Type.Alias()}",
                "Use the random algorithm, or convert the value to a type that can be compared, such as a string or an integer.");
        }
    }
}
