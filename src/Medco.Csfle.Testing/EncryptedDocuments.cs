using System.Reflection;
using Medco.Csfle.Engine;
using Medco.Csfle.Engine.Analysis;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Medco.Csfle.Testing;

/// <summary>
/// Documents and commands as an encrypted client sends them, without sending them. The factory must have been started; no server
/// is asked.
/// </summary>
public static class EncryptedDocuments
{
    /// <summary>A document as an encrypted client inserts it into the collection that its class is registered with.</summary>
    /// <typeparam name="T">The class as it was registered; of a document of a derived class, the class of the collection.</typeparam>
    /// <param name="csfle">The factory.</param>
    /// <param name="document">The document. An <c>_id</c> that it does not have is not made up.</param>
    /// <returns>What would be stored.</returns>
    /// <exception cref="CsfleConfigurationException">The factory has not been started.</exception>
    /// <exception cref="QueryAnalysisException">An encrypted client refuses to insert it.</exception>
    /// <exception cref="ArgumentException">The class is not registered, or with several collections.</exception>
    public static BsonDocument EncryptDocument<T>(this ICsfleClientFactory csfle, T document) => csfle.EncryptDocument(NamespaceOf<T>(csfle), document);

    /// <summary>A document as an encrypted client inserts it into a collection.</summary>
    /// <typeparam name="T">The class of the collection's documents.</typeparam>
    /// <param name="csfle">The factory.</param>
    /// <param name="namespace">A registered collection, <c>database.collection</c>.</param>
    /// <param name="document">The document. An <c>_id</c> that it does not have is not made up.</param>
    /// <returns>What would be stored.</returns>
    /// <exception cref="CsfleConfigurationException">The factory has not been started.</exception>
    /// <exception cref="QueryAnalysisException">An encrypted client refuses to insert it.</exception>
    /// <exception cref="ArgumentException">The collection is not registered.</exception>
    public static BsonDocument EncryptDocument<T>(this ICsfleClientFactory csfle, string @namespace, T document)
    {
        RequireRegistered(csfle, @namespace);
        var (database, collection) = MongoNamespace.Split(@namespace);
        var plain = StoredDocuments.Serialize(BsonSerializer.LookupSerializer<T>(), document);
        var insert = new BsonDocument { { "insert", collection }, { "documents", new BsonArray { plain } } };
        return csfle.EncryptCommand(database, insert)["documents"][0].AsBsonDocument;
    }

    /// <summary>A document as an encrypted client reads it.</summary>
    /// <typeparam name="T">Its class; <see cref="BsonDocument"/> takes any.</typeparam>
    /// <param name="csfle">The factory.</param>
    /// <param name="stored">The document as it is stored.</param>
    /// <exception cref="CsfleConfigurationException">The factory has not been started.</exception>
    /// <exception cref="DecryptionException">A ciphertext in it is malformed or does not authenticate.</exception>
    /// <exception cref="DataKeyException">A data key that it names is not in the key vault.</exception>
    public static T DecryptDocument<T>(this ICsfleClientFactory csfle, BsonDocument stored)
    {
        ArgumentNullException.ThrowIfNull(stored);

        // In a place of its own: at the top of a reply, some names mean an error.
        var reply = Engine(csfle).DecryptReply(new BsonDocument("document", stored).ToBson()).ToArray();
        return BsonSerializer.Deserialize<T>(BsonSerializer.Deserialize<BsonDocument>(reply)[0].AsBsonDocument);
    }

    /// <summary>A command as an encrypted client sends it: to see that a query of the application works, and with what.</summary>
    /// <param name="csfle">The factory.</param>
    /// <param name="databaseName">The database.</param>
    /// <param name="command">The command, such as <c>{ find: "patients", filter: { ssn: 241014209 } }</c>.</param>
    /// <exception cref="CsfleConfigurationException">The factory has not been started.</exception>
    /// <exception cref="QueryAnalysisException">An encrypted client refuses to send it.</exception>
    public static BsonDocument EncryptCommand(this ICsfleClientFactory csfle, string databaseName, BsonDocument command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return BsonSerializer.Deserialize<BsonDocument>(Engine(csfle).EncryptCommand(databaseName, command.ToBson()).ToArray());
    }

    internal static void RequireRegistered(ICsfleClientFactory csfle, string @namespace)
    {
        ArgumentNullException.ThrowIfNull(csfle);
        ArgumentException.ThrowIfNullOrEmpty(@namespace);
        if (csfle.Schemas.ContainsKey(@namespace)) return;
        throw new ArgumentException($"The collection '{@namespace}' is not registered. Registered are: {string.Join(", ", csfle.Schemas.Keys.Order(StringComparer.Ordinal))}.", nameof(@namespace));
    }

    internal static string NamespaceOf<T>(ICsfleClientFactory csfle)
    {
        ArgumentNullException.ThrowIfNull(csfle);
        string[] registered = csfle is CsfleClientFactory factory
            ? [.. factory.NamespacesOf(typeof(T)).Distinct(StringComparer.Ordinal)]
            : typeof(T).GetCustomAttribute<EncryptedCollectionAttribute>(inherit: false)?.Namespace is { } ns ? [ns] : [];
        return registered switch
        {
            [var one] => one,
            [] => throw new ArgumentException($"No collection is registered with the class {typeof(T).Name}. Name the collection, or the class that is registered."),
            _ => throw new ArgumentException($"Several collections are registered with the class {typeof(T).Name}: {string.Join(", ", registered)}. Name the one that is meant."),
        };
    }

    // The schemas and keys of the factory. Unlike its own engine, this one has no server to ask about what is not registered.
    private static CsfleEngine Engine(ICsfleClientFactory csfle)
    {
        ArgumentNullException.ThrowIfNull(csfle);
        return new CsfleEngine(csfle.Keys.Service, csfle.Schemas);
    }
}
