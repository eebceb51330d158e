using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Cryptography;

namespace Medco.Csfle.Engine.Analysis;

/// <summary>
/// Where in a reply a ciphertext stands that could not be decrypted. Looked for after the failure, in a walk of its own, so that
/// nothing is spent on it where there is none.
/// </summary>
/// <param name="Collection">The namespace that the reply's cursor names.</param>
/// <param name="Steps">The names from the top of the reply; empty where it was not found.</param>
internal readonly record struct ReplyPlace(string? Collection, string[] Steps)
{
    private const string ExplicitValue = "v";

    /// <summary>Whether a value is the one that is looked for.</summary>
    /// <param name="valueStart">Where it begins in the reply.</param>
    /// <param name="bytes">Its binary data.</param>
    public delegate bool Condition(int valueStart, ReadOnlySpan<byte> bytes);

    /// <summary>The first ciphertext that a condition holds for.</summary>
    public static ReplyPlace OfFirst(ReadOnlySpan<byte> reply, Condition condition)
    {
        var steps = new List<string>();
        var top = new BsonReader(reply);
        while (top.Read())
        {
            if (!ReplyDecryption.IsErrorDetail(top.Name) && Find(top, condition, steps)) break;
        }

        return new ReplyPlace(NamespaceIn(reply), [.. steps]);
    }

    /// <summary>The ciphertext that begins there.</summary>
    public static ReplyPlace At(ReadOnlySpan<byte> reply, int valueStart) => OfFirst(reply, (start, _) => start == valueStart);

    /// <summary>A value that not even the key's id can be read of.</summary>
    public static bool HasNoKeyId(int valueStart, ReadOnlySpan<byte> bytes)
    {
        try
        {
            Ciphertext.ReadKeyId(bytes);
            return false;
        }
        catch (DecryptionException)
        {
            return true;
        }
    }

    /// <summary>A value that is no ciphertext.</summary>
    public static bool IsMalformed(int valueStart, ReadOnlySpan<byte> bytes) => !Ciphertext.IsWellFormed(bytes);

    /// <summary>The error with this place in it.</summary>
    public DecryptionException Tell(DecryptionException exception) => Steps switch
    {
        [] or [ExplicitValue] => exception,
        ["cursor", "firstBatch" or "nextBatch", var number, .. { Length: > 0 } path] => exception.At(Collection, string.Join('.', path), $"path '{string.Join('.', path)}' of document {number} of the reply"),
        ["value", .. { Length: > 0 } path] => exception.At(Collection, string.Join('.', path), $"path '{string.Join('.', path)}'"),
        _ => exception.At(Collection, string.Join('.', Steps), $"'{string.Join('.', Steps)}' of the reply"),
    };

    private static bool Find(in BsonReader element, Condition condition, List<string> steps)
    {
        steps.Add(element.GetName());
        switch (element.Type)
        {
            case BsonType.Document or BsonType.Array:
                var document = element.ReadDocument();
                while (document.Read())
                {
                    if (Find(document, condition, steps)) return true;
                }

                break;
            case BsonType.Binary:
                var bytes = element.GetBinary(out var subtype);
                if (subtype == BinarySubtype.Encrypted && condition(element.ValueStart, bytes)) return true;
                break;
        }

        steps.RemoveAt(steps.Count - 1);
        return false;
    }

    private static string? NamespaceIn(ReadOnlySpan<byte> reply)
    {
        var reader = new BsonReader(reply);
        if (!reader.ReadTo("cursor"u8) || reader.Type != BsonType.Document) return null;
        var cursor = reader.ReadDocument();
        return cursor.ReadTo("ns"u8) && cursor.Type == BsonType.String ? cursor.GetString() : null;
    }
}
