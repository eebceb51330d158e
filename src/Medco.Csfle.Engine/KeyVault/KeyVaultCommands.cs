using Medco.Csfle.Engine.Bson;

namespace Medco.Csfle.Engine.KeyVault;

/// <summary>The commands that a key vault in MongoDB is read and written with.</summary>
internal static class KeyVaultCommands
{
    private const string Majority = "majority";

    /// <summary>
    /// <code>
    /// { createIndexes, indexes: [ { key: { keyAltNames: 1 }, name: "keyAltNames_1", unique: true,
    ///   partialFilterExpression: { keyAltNames: { $exists: true } } } ], writeConcern: { w: "majority" } }
    /// </code>
    /// Partial, since keys without names would otherwise all have the same name, none.
    /// </summary>
    public static byte[] CreateIndex(string collection)
    {
        using var writer = new BsonWriter();
        writer.StartDocument();
        writer.WriteString("createIndexes"u8, collection);
        writer.StartArray("indexes"u8);
        writer.StartDocument("0"u8);
        writer.StartDocument("key"u8);
        writer.WriteInt32("keyAltNames"u8, 1);
        writer.EndDocument();
        writer.WriteString("name"u8, "keyAltNames_1");
        writer.WriteBoolean("unique"u8, true);
        writer.StartDocument("partialFilterExpression"u8);
        writer.StartDocument("keyAltNames"u8);
        writer.WriteBoolean("$exists"u8, true);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();
        return WithWriteConcern(writer);
    }

    /// <summary><c>{ insert, documents: [ key ], ordered: true, writeConcern: { w: "majority" } }</c>.</summary>
    public static byte[] Insert(string collection, DataKeyDocument key)
    {
        using var writer = new BsonWriter(1024);
        writer.StartDocument();
        writer.WriteString("insert"u8, collection);
        writer.StartArray("documents"u8);
        writer.WriteDocument("0"u8, key.ToBson());
        writer.EndDocument();
        writer.WriteBoolean("ordered"u8, true);
        return WithWriteConcern(writer);
    }

    /// <summary>
    /// <code>
    /// { find, filter: { $and: [ filter ], _id: { $gt: after } }, sort: { _id: 1 },
    ///   batchSize, limit, singleBatch: true, readConcern: { level: "majority" } }
    /// </code>
    /// </summary>
    /// <param name="collection">The key vault.</param>
    /// <param name="filter">Which keys; null for every key.</param>
    /// <param name="after">Only keys behind this one; null from the start.</param>
    /// <param name="pageSize">The most keys to return.</param>
    public static byte[] Find(string collection, ReadOnlySpan<byte> filter, Guid? after, int pageSize)
    {
        using var writer = new BsonWriter(512);
        writer.StartDocument();
        writer.WriteString("find"u8, collection);
        WriteFilter(writer, filter, after);
        writer.StartDocument("sort"u8);
        writer.WriteInt32("_id"u8, 1);
        writer.EndDocument();
        writer.WriteInt32("limit"u8, pageSize);
        writer.WriteInt32("batchSize"u8, pageSize);
        writer.WriteBoolean("singleBatch"u8, true);
        writer.StartDocument("readConcern"u8);
        writer.WriteString("level"u8, Majority);
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static void WriteFilter(BsonWriter writer, ReadOnlySpan<byte> filter, Guid? after)
    {
        if (after is not { } last)
        {
            writer.WriteDocument("filter"u8, filter);
            return;
        }

        writer.StartDocument("filter"u8);
        if (filter.Length > BsonLimits.MinLength)
        {
            // The filter may have an _id of its own.
            writer.StartArray("$and"u8);
            writer.WriteDocument("0"u8, filter);
            writer.EndDocument();
        }

        writer.StartDocument("_id"u8);
        writer.WriteUuid("$gt"u8, last);
        writer.EndDocument();
        writer.EndDocument();
    }

    /// <summary><c>{ $or: [ { _id: { $in: [ … ] } }, { keyAltNames: { $in: [ … ] } } ] }</c>.</summary>
    public static byte[] Wanted(IReadOnlyCollection<Guid> ids, IReadOnlyCollection<string> names)
    {
        using var writer = new BsonWriter(512);
        writer.StartDocument();
        Span<byte> index = stackalloc byte[BsonIndex.MaxLength];
        writer.StartArray("$or"u8);

        writer.StartDocument("0"u8);
        writer.StartDocument("_id"u8);
        writer.StartArray("$in"u8);
        var count = 0;
        foreach (var id in ids) writer.WriteUuid(BsonIndex.Format(count++, index), id);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();

        writer.StartDocument("1"u8);
        writer.StartDocument("keyAltNames"u8);
        writer.StartArray("$in"u8);
        count = 0;
        foreach (var name in names) writer.WriteString(BsonIndex.Format(count++, index), name);
        writer.EndDocument();
        writer.EndDocument();
        writer.EndDocument();

        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }

    private static byte[] WithWriteConcern(BsonWriter writer)
    {
        writer.StartDocument("writeConcern"u8);
        writer.WriteString("w"u8, Majority);
        writer.EndDocument();
        writer.EndDocument();
        return writer.ToArray();
    }
}
