using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;

namespace Medco.Csfle.Testing;

/// <summary>A document twice: as the application sees it, and as it is stored.</summary>
/// <param name="Plain">As the application sees it, in BSON.</param>
/// <param name="Stored">As it is stored, in BSON.</param>
internal sealed record StoredPair(byte[] Plain, byte[] Stored);

/// <summary>Reads documents as they are stored, whatever client the collection belongs to.</summary>
internal static class StoredDocuments
{
    private const string IdName = "_id";

    public static StoredPair Find<T>(IMongoCollection<T> collection, T document)
    {
        var plain = Serialize(collection.DocumentSerializer, document);
        using var client = NewPlainClient(collection);
        return Pair(collection, plain, ById(client, collection, IdOf(collection, plain)).FirstOrDefault());
    }

    public static async Task<StoredPair> FindAsync<T>(IMongoCollection<T> collection, T document)
    {
        var plain = Serialize(collection.DocumentSerializer, document);
        using var client = NewPlainClient(collection);
        return Pair(collection, plain, await ById(client, collection, IdOf(collection, plain)).FirstOrDefaultAsync().ConfigureAwait(false));
    }

    public static IReadOnlyList<StoredPair> Find<T>(IMongoCollection<T> collection, FilterDefinition<T> filter)
    {
        var found = Matching(collection, filter).ToList();
        RequireSome(collection, found.Count);
        using var client = NewPlainClient(collection);
        return [.. found.Select(plain => Pair(collection, plain, ById(client, collection, plain[IdName]).FirstOrDefault()))];
    }

    public static async Task<IReadOnlyList<StoredPair>> FindAsync<T>(IMongoCollection<T> collection, FilterDefinition<T> filter)
    {
        var found = await Matching(collection, filter).ToListAsync().ConfigureAwait(false);
        RequireSome(collection, found.Count);
        using var client = NewPlainClient(collection);
        var pairs = new List<StoredPair>(found.Count);
        foreach (var plain in found) pairs.Add(Pair(collection, plain, await ById(client, collection, plain[IdName]).FirstOrDefaultAsync().ConfigureAwait(false)));
        return pairs;
    }

    /// <summary>A document as the driver writes it into a collection of its class.</summary>
    public static BsonDocument Serialize<T>(IBsonSerializer<T> serializer, T document)
    {
        ArgumentNullException.ThrowIfNull(document);
        return BsonSerializer.Deserialize<BsonDocument>(document.ToBson(serializer));
    }

    // The same server and settings, but for encryption. The driver shares the connections of such clients.
    private static MongoClient NewPlainClient<T>(IMongoCollection<T> collection)
    {
        var settings = collection.Database.Client.Settings.Clone();
        settings.AutoEncryptionOptions = null;
        return new MongoClient(settings);
    }

    private static IFindFluent<BsonDocument, BsonDocument> ById<T>(MongoClient client, IMongoCollection<T> collection, BsonValue id)
        => client.GetDatabase(collection.Database.DatabaseNamespace.DatabaseName)
            .GetCollection<BsonDocument>(collection.CollectionNamespace.CollectionName)
            .WithReadPreference(ReadPreference.Primary)
            .Find(new BsonDocument(IdName, id));

    // Through the collection's own client, which encrypts what the filter compares and decrypts what it finds.
    private static IFindFluent<BsonDocument, BsonDocument> Matching<T>(IMongoCollection<T> collection, FilterDefinition<T> filter)
        => collection.Database.GetCollection<BsonDocument>(collection.CollectionNamespace.CollectionName)
            .WithReadPreference(ReadPreference.Primary)
            .Find(filter.Render(new RenderArgs<T>(collection.DocumentSerializer, collection.Settings.SerializerRegistry)));

    private static BsonValue IdOf<T>(IMongoCollection<T> collection, BsonDocument plain)
        => plain.TryGetValue(IdName, out var id) && id is not BsonNull
            ? id
            : throw new ArgumentException($"The document has no _id to find it by in {collection.CollectionNamespace}. Pass it after it was inserted; where its class has no member for the _id, pass a condition instead.", "document");

    private static void RequireSome<T>(IMongoCollection<T> collection, int count)
    {
        if (count == 0) throw new EncryptionAssertionException($"{collection.CollectionNamespace}: no document meets the condition.");
    }

    private static StoredPair Pair<T>(IMongoCollection<T> collection, BsonDocument plain, BsonDocument? stored)
        => stored is not null
            ? new StoredPair(plain.ToBson(), stored.ToBson())
            : throw new EncryptionAssertionException($"{collection.CollectionNamespace}: the document is not stored there; none has its _id.");
}
