using System.Text;
using Medco.Csfle.Engine.Bson;
using Medco.Csfle.Engine.Schema;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using BsonType = Medco.Csfle.Engine.Bson.BsonType;

namespace Medco.Csfle.Testing;

/// <summary>
/// Assertions on all that a factory is told to encrypt: every value of a document at a registered path is ciphertext with the
/// registered algorithm and data key and of the type it had, and nowhere in the document is its plaintext.
/// </summary>
/// <remarks>
/// A null that the class stores in clear or omits is accepted as it is. Where the document itself names the data key, which one it is is not
/// looked at. <see cref="CollectionAssertions"/> says which plaintexts are looked for.
/// </remarks>
public static class RegistrationAssertions
{
    /// <summary>Asserts that a document is stored on the server as its collection is registered.</summary>
    /// <typeparam name="T">The class of the collection's documents.</typeparam>
    /// <param name="csfle">The factory, started.</param>
    /// <param name="collection">The collection, of a client of either kind.</param>
    /// <param name="document">The document as it was inserted, or read by an encrypted client; found by its <c>_id</c>.</param>
    /// <exception cref="EncryptionAssertionException">It is not, or has no value to encrypt, or is not there at all.</exception>
    /// <exception cref="CsfleConfigurationException">The factory has not been started.</exception>
    /// <exception cref="ArgumentException">The collection is not registered, or the document has no <c>_id</c>.</exception>
    public static void ShouldBeEncryptedAsRegistered<T>(this ICsfleClientFactory csfle, IMongoCollection<T> collection, T document)
    {
        ArgumentNullException.ThrowIfNull(collection);
        var ns = collection.CollectionNamespace.FullName;
        EncryptedDocuments.RequireRegistered(csfle, ns);
        Check(csfle, ns, StoredDocuments.Find(collection, document));
    }

    /// <inheritdoc cref="ShouldBeEncryptedAsRegistered"/>
    public static async Task ShouldBeEncryptedAsRegisteredAsync<T>(this ICsfleClientFactory csfle, IMongoCollection<T> collection, T document)
    {
        ArgumentNullException.ThrowIfNull(collection);
        var ns = collection.CollectionNamespace.FullName;
        EncryptedDocuments.RequireRegistered(csfle, ns);
        Check(csfle, ns, await StoredDocuments.FindAsync(collection, document).ConfigureAwait(false));
    }

    /// <summary>
    /// Asserts, without a server, that a document would be stored as its class is registered, and that decrypting gives back what
    /// was encrypted.
    /// </summary>
    /// <typeparam name="T">The class as it was registered; of a document of a derived class, the class of the collection.</typeparam>
    /// <param name="csfle">The factory, started.</param>
    /// <param name="document">The document, with a value for each field that is to be looked at.</param>
    /// <returns>What would be stored.</returns>
    /// <exception cref="EncryptionAssertionException">It would not, or has no value to encrypt.</exception>
    /// <exception cref="CsfleConfigurationException">The factory has not been started.</exception>
    /// <exception cref="Engine.QueryAnalysisException">An encrypted client refuses to insert it.</exception>
    /// <exception cref="ArgumentException">The class is not registered, or with several collections.</exception>
    public static BsonDocument ShouldEncryptAsRegistered<T>(this ICsfleClientFactory csfle, T document)
        => csfle.ShouldEncryptAsRegistered(EncryptedDocuments.NamespaceOf<T>(csfle), document);

    /// <inheritdoc cref="ShouldEncryptAsRegistered{T}(ICsfleClientFactory, T)"/>
    /// <param name="csfle">The factory, started.</param>
    /// <param name="namespace">A registered collection, <c>database.collection</c>.</param>
    /// <param name="document">The document, with a value for each field that is to be looked at.</param>
    public static BsonDocument ShouldEncryptAsRegistered<T>(this ICsfleClientFactory csfle, string @namespace, T document)
    {
        var stored = csfle.EncryptDocument(@namespace, document);
        var plain = StoredDocuments.Serialize(BsonSerializer.LookupSerializer<T>(), document);
        Check(csfle, @namespace, new StoredPair(plain.ToBson(), stored.ToBson()));

        // What the null policy omits is gone from both.
        var again = csfle.EncryptDocument(@namespace, csfle.DecryptDocument<T>(stored));
        if (csfle.DecryptDocument<BsonDocument>(again) == csfle.DecryptDocument<BsonDocument>(stored)) return stored;
        throw new EncryptionAssertionException($"{@namespace}: reading the document and writing it again changes it. Look at the serializers of its class.");
    }

    private static void Check(ICsfleClientFactory csfle, string ns, StoredPair document)
    {
        var plain = new Dictionary<string, RegisteredValue>(StringComparer.Ordinal);
        Collect(new BsonReader(document.Plain), csfle.Schemas[ns].Root, "", plain);
        if (plain.Values.All(value => value.Type == BsonType.Null))
        {
            throw new EncryptionAssertionException($"{ns}: the document has no value at any path that is registered to be encrypted, so that it shows nothing. Fill one in.");
        }

        var stored = new Dictionary<string, RegisteredValue>(StringComparer.Ordinal);
        Collect(new BsonReader(document.Stored), csfle.Schemas[ns].Root, "", stored);
        var failures = new List<EncryptionAssertionFailure?>();
        foreach (var (path, value) in plain) failures.Add(CheckValue(ns, path, value, document));
        foreach (var (path, value) in stored)
        {
            if (plain.ContainsKey(path) || (value.Type == BsonType.Null && value.Node.AllowsNull)) continue;
            failures.Add(StoredValue.At(document.Stored, path).ShouldBeEncrypted(ns, path, value.Expected(type: null)));
        }

        EncryptionAssertions.Throw(failures);
    }

    private static EncryptionAssertionFailure? CheckValue(string ns, string path, RegisteredValue value, StoredPair document)
    {
        var found = StoredValue.At(document.Stored, path);
        if (value.Type == BsonType.Null && (found.Kind == StoredKind.Absent || (found.Kind == StoredKind.Clear && value.Node.AllowsNull))) return null;
        return found.ShouldBeEncrypted(ns, path, value.Expected(value.Type)) ?? PlaintextSearch.Run(ns, path, document.Plain, document.Stored);
    }

    private static void Collect(BsonReader document, PlainNode node, string prefix, Dictionary<string, RegisteredValue> values)
    {
        while (document.Read())
        {
            var path = prefix + Encoding.UTF8.GetString(document.Name);
            switch (node.Find(document.Name))
            {
                case EncryptedNode encrypted:
                    values[path] = new RegisteredValue(encrypted, document.Type);
                    break;
                case PlainNode { HasEncryption: true } plain when document.Type == BsonType.Document:
                    Collect(document.ReadDocument(), plain, $"{path}.", values);
                    break;
            }
        }
    }

    /// <summary>A value at a path that is registered to be encrypted.</summary>
    /// <param name="Node">How it is to be encrypted.</param>
    /// <param name="Type">Its type where it was found.</param>
    private sealed record RegisteredValue(EncryptedNode Node, BsonType Type)
    {
        public EncryptionExpectation Expected(BsonType? type)
            => new() { Algorithm = Node.Algorithm, KeyId = Node.KeyId, Type = type is { } known ? (MongoDB.Bson.BsonType)(byte)known : null };
    }
}
