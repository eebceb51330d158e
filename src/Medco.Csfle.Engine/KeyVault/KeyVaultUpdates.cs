using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>The commands that change keys in MongoDB: those that the official drivers send.</summary>
internal static class KeyVaultUpdates
{
    // Far below the 48,000,000 bytes of a message and the 16 MiB of a document, far above what most key vaults hold.
    private const int LongestUpdate = 4 * 1024 * 1024;
    private const int MostUpdates = 10_000;

    /// <summary><c>{ findAndModify, query: { _id }, update: { $addToSet: { keyAltNames: name } }, writeConcern: { w: "majority" } }</c>.</summary>
    public static byte[] AddName(string collection, Guid id, string keyAltName)
    {
        using var writer = new BsonWriter();
        StartFindAndModify(writer, collection, id);
        writer.StartDocument("update"u8);
        writer.StartDocument("$addToSet"u8);
        writer.WriteString("keyAltNames"u8, keyAltName);
        writer.EndDocument();
        writer.EndDocument();
        return WithWriteConcern(writer);
    }

    /// <summary>
    /// <code>
    /// { findAndModify, query: { _id }, update: [ { $set: { keyAltNames: { $cond: [ { $eq: [ "$keyAltNames", [ name ] ] }, "$$REMOVE",
    ///   { $filter: { input: "$keyAltNames", cond: { $ne: [ "$$this", name ] } } } ] } } } ], writeConcern: { w: "majority" } }
    /// </code>
    /// A name that starts with a dollar sign is a <c>$literal</c>, or it would be read as a path.
    /// </summary>
    public static byte[] RemoveName(string collection, Guid id, string keyAltName)
    {
        using var writer = new BsonWriter(512);
        StartFindAndModify(writer, collection, id);
        writer.StartArray("update"u8);
        writer.StartDocument("0"u8);
        writer.StartDocument("$set"u8);
        writer.StartDocument("keyAltNames"u8);
        writer.StartArray("$cond"u8);

        writer.StartDocument("0"u8);
        writer.StartArray("$eq"u8);
        writer.WriteString("0"u8, "$keyAltNames");
        writer.StartArray("1"u8);
        WriteOperand(writer, "0"u8, keyAltName);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();

        writer.WriteString("1"u8, "$$REMOVE");

        writer.StartDocument("2"u8);
        writer.StartDocument("$filter"u8);
        writer.WriteString("input"u8, "$keyAltNames");
        writer.StartDocument("cond"u8);
        writer.StartArray("$ne"u8);
        writer.WriteString("0"u8, "$$this");
        WriteOperand(writer, "1"u8, keyAltName);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();

        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        return WithWriteConcern(writer);
    }

    /// <summary>
    /// <c>{ update, updates: [ { q: { _id, keyAltNames: null }, u: { $unset: { keyAltNames: true } } } ], ordered, writeConcern }</c>:
    /// what <see cref="RemoveName"/> makes of a key that never had a name, undone.
    /// </summary>
    public static byte[] RemoveNullNames(string collection, Guid id)
    {
        using var writer = new BsonWriter();
        StartUpdate(writer, collection);
        writer.StartDocument("0"u8);
        writer.StartDocument("q"u8);
        writer.WriteUuid("_id"u8, id);
        writer.WriteEmpty(BsonType.Null, "keyAltNames"u8);
        writer.EndDocument();
        writer.StartDocument("u"u8);
        writer.StartDocument("$unset"u8);
        writer.WriteBoolean("keyAltNames"u8, true);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        return EndUpdate(writer);
    }

    /// <summary><c>{ delete, deletes: [ { q: { _id }, limit: 1 } ], ordered: true, writeConcern: { w: "majority" } }</c>.</summary>
    public static byte[] Delete(string collection, Guid id)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("delete"u8, collection);
        writer.StartArray("deletes"u8);
        writer.StartDocument("0"u8);
        writer.StartDocument("q"u8);
        writer.WriteUuid("_id"u8, id);
        writer.EndDocument();
        writer.WriteInt32("limit"u8, 1);
        writer.EndDocument();
        writer.EndDocument();
        writer.WriteBoolean("ordered"u8, true);
        return WithWriteConcern(writer);
    }

    /// <summary>
    /// <code>
    /// { update, updates: [ { q: { _id }, u: { $set: { masterKey, keyMaterial }, $currentDate: { updateDate: true } } }, … ],
    ///   ordered: true, writeConcern: { w: "majority" } }
    /// </code>
    /// for as many of the keys as one command should hold.
    /// </summary>
    /// <param name="collection">The key vault.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="next">The first key to write; afterwards, the first of the next command.</param>
    public static byte[] Rewrap(string collection, IReadOnlyList<RewrappedKey> keys, ref int next)
    {
        using var writer = new BsonWriter(4096);
        StartUpdate(writer, collection);
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        for (var count = 0; next < keys.Count && count < MostUpdates && writer.WrittenSpan.Length < LongestUpdate; count++, next++)
        {
            var key = keys[next];
            writer.StartDocument(BsonIndex.Format(count, index));
            writer.StartDocument("q"u8);
            writer.WriteUuid("_id"u8, key.Id);
            writer.EndDocument();
            writer.StartDocument("u"u8);
            writer.StartDocument("$set"u8);
            writer.WriteDocument("masterKey"u8, key.MasterKey.Span);
            writer.WriteBinary("keyMaterial"u8, BinarySubtype.Generic, key.KeyMaterial.Span);
            writer.EndDocument();
            writer.StartDocument("$currentDate"u8);
            writer.WriteBoolean("updateDate"u8, true);
            writer.EndDocument();
            writer.EndDocument();
            writer.EndDocument();
        }

        return EndUpdate(writer);
    }

    private static void WriteOperand(BsonWriter writer, ReadOnlySpan<byte> index, string keyAltName)
    {
        if (!keyAltName.StartsWith('$'))
        {
            writer.WriteString(index, keyAltName);
            return;
        }

        writer.StartDocument(index);
        writer.WriteString("$literal"u8, keyAltName);
        writer.EndDocument();
    }

    private static void StartFindAndModify(BsonWriter writer, string collection, Guid id)
    {
        writer.StartDocument();
        writer.WriteString("findAndModify"u8, collection);
        writer.StartDocument("query"u8);
        writer.WriteUuid("_id"u8, id);
        writer.EndDocument();
    }

    private static void StartUpdate(BsonWriter writer, string collection)
    {
        writer.StartDocument();
        writer.WriteString("update"u8, collection);
        writer.StartArray("updates"u8);
    }

    private static byte[] EndUpdate(BsonWriter writer)
    {
        writer.EndDocument();
        writer.WriteBoolean("ordered"u8, true);
        return WithWriteConcern(writer);
    }

    private static byte[] WithWriteConcern(BsonWriter writer)
    {
        writer.StartDocument("writeConcern"u8);
        writer.WriteString("w"u8, "majority");
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }
}
