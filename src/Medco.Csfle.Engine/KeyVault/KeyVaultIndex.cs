using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>Whether something keeps names of data keys unique.</summary>
public enum KeyVaultIndex
{
    /// <summary>It cannot be told: this user may not list the indexes.</summary>
    Unknown,

    /// <summary>The unique index is there.</summary>
    Present,

    /// <summary>It is not: two keys could get one name, and what is encrypted under that name depends on chance.</summary>
    Missing,
}

/// <summary>Asks a server for the index of a key vault, and reads its answer.</summary>
internal static class KeyVaultIndexQuestion
{
    private const int Unauthorized = 13;
    private const int NamespaceNotFound = 26;

    /// <summary><c>{ listIndexes }</c>.</summary>
    public static byte[] Command(string collection)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("listIndexes"u8, collection);
        writer.EndDocument();
        return writer.ToArray();
    }

    /// <summary>What the answer says; false where it cannot be read.</summary>
    public static bool TryRead(ReadOnlySpan<byte> reply, out KeyVaultIndex index, out ServerError error)
    {
        index = KeyVaultIndex.Missing;
        if (!ServerReply.IsOk(reply, out error))
        {
            if (error.Code == Unauthorized) index = KeyVaultIndex.Unknown;
            return error.Code is Unauthorized or NamespaceNotFound;
        }

        if (!ServerReply.TryReadBatch(reply, out var batch)) return false;
        while (batch.Read())
        {
            if (batch.Type == BsonType.Document && IsUniqueOnNames(batch.ReadDocument())) index = KeyVaultIndex.Present;
        }

        return true;
    }

    private static bool IsUniqueOnNames(BsonReader index)
    {
        var (isUnique, isOnNames) = (false, false);
        while (index.Read())
        {
            if (index.Name.SequenceEqual("unique"u8)) isUnique = index.Type == BsonType.Boolean && index.GetBoolean();
            if (index.Name.SequenceEqual("key"u8) && index.Type == BsonType.Document && index.ReadDocument() is var key)
            {
                isOnNames = key.Read() && key.Name.SequenceEqual("keyAltNames"u8) && !key.Read();
            }
        }

        return isUnique && isOnNames;
    }
}
