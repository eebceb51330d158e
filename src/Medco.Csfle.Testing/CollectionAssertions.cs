using System.Linq.Expressions;
using MongoDB.Driver;

namespace Medco.Csfle.Testing;

/// <summary>
/// Assertions on what a collection on a server really holds. They read it through a client of their own that has the settings of
/// the collection's client and does not decrypt, so the collection may belong to either kind. What a transaction has written is
/// seen after its commit.
/// </summary>
/// <remarks>
/// Of values that are to be encrypted, each assertion also looks for the plaintext everywhere in the stored document, where
/// plaintext is long enough not to turn up by chance: texts of five bytes and more, binary data of eight and more, numbers of
/// 65,536 and more, dates and object ids.
/// </remarks>
public static class CollectionAssertions
{
    /// <summary>Asserts that members of a document are stored as ciphertext.</summary>
    /// <typeparam name="T">The class of the collection's documents.</typeparam>
    /// <param name="collection">The collection.</param>
    /// <param name="document">The document as it was inserted, or read by an encrypted client; found by its <c>_id</c>.</param>
    /// <param name="fields">The members: <c>x => x.Ssn, x => x.Insurance.PolicyNumber</c>.</param>
    /// <exception cref="EncryptionAssertionException">One is stored in clear, or is not there, or the document is not.</exception>
    /// <exception cref="ArgumentException">No field is named, or the document has no <c>_id</c>.</exception>
    public static void ShouldBeEncrypted<T>(this IMongoCollection<T> collection, T document, params Expression<Func<T, object?>>[] fields)
        => Encrypted(collection, PathsOf(collection, fields), new(), [StoredDocuments.Find(collection, document)]);

    /// <inheritdoc cref="ShouldBeEncrypted{T}(IMongoCollection{T}, T, Expression{Func{T, object}}[])"/>
    public static async Task ShouldBeEncryptedAsync<T>(this IMongoCollection<T> collection, T document, params Expression<Func<T, object?>>[] fields)
        => Encrypted(collection, PathsOf(collection, fields), new(), [await StoredDocuments.FindAsync(collection, document).ConfigureAwait(false)]);

    /// <summary>Asserts that a member of a document is stored as ciphertext, encrypted as expected.</summary>
    /// <typeparam name="T">The class of the collection's documents.</typeparam>
    /// <param name="collection">The collection.</param>
    /// <param name="document">The document as it was inserted, or read by an encrypted client; found by its <c>_id</c>.</param>
    /// <param name="field">The member.</param>
    /// <param name="expected">How it is to be encrypted.</param>
    /// <exception cref="EncryptionAssertionException">It is stored in clear, encrypted otherwise, or is not there, or the document is not.</exception>
    /// <exception cref="ArgumentException">The document has no <c>_id</c>.</exception>
    public static void ShouldBeEncrypted<T>(this IMongoCollection<T> collection, T document, Expression<Func<T, object?>> field, EncryptionExpectation expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        Encrypted(collection, PathsOf(collection, [field]), expected, [StoredDocuments.Find(collection, document)]);
    }

    /// <inheritdoc cref="ShouldBeEncrypted{T}(IMongoCollection{T}, T, Expression{Func{T, object}}, EncryptionExpectation)"/>
    public static async Task ShouldBeEncryptedAsync<T>(this IMongoCollection<T> collection, T document, Expression<Func<T, object?>> field, EncryptionExpectation expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        Encrypted(collection, PathsOf(collection, [field]), expected, [await StoredDocuments.FindAsync(collection, document).ConfigureAwait(false)]);
    }

    /// <summary>
    /// Asserts that members of every document that meets a condition are stored as ciphertext: for classes without a member for
    /// the <c>_id</c>, and for what other code has written.
    /// </summary>
    /// <typeparam name="T">The class of the collection's documents.</typeparam>
    /// <param name="collection">The collection. Of an encrypted client, the condition may compare what is encrypted deterministically.</param>
    /// <param name="condition">Which documents; there must be one.</param>
    /// <param name="fields">The members.</param>
    /// <exception cref="EncryptionAssertionException">One is stored in clear, or is not there, or no document meets the condition.</exception>
    /// <exception cref="ArgumentException">No field is named.</exception>
    public static void ShouldBeEncrypted<T>(this IMongoCollection<T> collection, Expression<Func<T, bool>> condition, params Expression<Func<T, object?>>[] fields)
        => Encrypted(collection, PathsOf(collection, fields), new(), StoredDocuments.Find(collection, condition));

    /// <inheritdoc cref="ShouldBeEncrypted{T}(IMongoCollection{T}, Expression{Func{T, bool}}, Expression{Func{T, object}}[])"/>
    public static async Task ShouldBeEncryptedAsync<T>(this IMongoCollection<T> collection, Expression<Func<T, bool>> condition, params Expression<Func<T, object?>>[] fields)
        => Encrypted(collection, PathsOf(collection, fields), new(), await StoredDocuments.FindAsync(collection, condition).ConfigureAwait(false));

    /// <summary>Asserts that members of a document are stored, in clear.</summary>
    /// <typeparam name="T">The class of the collection's documents.</typeparam>
    /// <param name="collection">The collection.</param>
    /// <param name="document">The document as it was inserted, or read by an encrypted client; found by its <c>_id</c>.</param>
    /// <param name="fields">The members.</param>
    /// <exception cref="EncryptionAssertionException">One is encrypted, or is not there, or the document is not.</exception>
    /// <exception cref="ArgumentException">No field is named, or the document has no <c>_id</c>.</exception>
    public static void ShouldNotBeEncrypted<T>(this IMongoCollection<T> collection, T document, params Expression<Func<T, object?>>[] fields)
        => InClear(collection, PathsOf(collection, fields), [StoredDocuments.Find(collection, document)]);

    /// <inheritdoc cref="ShouldNotBeEncrypted{T}(IMongoCollection{T}, T, Expression{Func{T, object}}[])"/>
    public static async Task ShouldNotBeEncryptedAsync<T>(this IMongoCollection<T> collection, T document, params Expression<Func<T, object?>>[] fields)
        => InClear(collection, PathsOf(collection, fields), [await StoredDocuments.FindAsync(collection, document).ConfigureAwait(false)]);

    private static string[] PathsOf<T>(IMongoCollection<T> collection, Expression<Func<T, object?>>[] fields)
    {
        ArgumentNullException.ThrowIfNull(collection);
        return FieldPath.Of(fields, collection.DocumentSerializer, collection.Settings.SerializerRegistry);
    }

    private static void Encrypted<T>(IMongoCollection<T> collection, string[] paths, EncryptionExpectation expected, IReadOnlyList<StoredPair> documents)
    {
        var name = collection.CollectionNamespace.FullName;
        EncryptionAssertions.Throw(documents.SelectMany(document => paths.Select(path =>
            StoredValue.At(document.Stored, path).ShouldBeEncrypted(name, path, expected) ?? PlaintextSearch.Run(name, path, document.Plain, document.Stored))));
    }

    private static void InClear<T>(IMongoCollection<T> collection, string[] paths, IReadOnlyList<StoredPair> documents)
        => EncryptionAssertions.Throw(documents.SelectMany(document => paths.Select(path =>
            StoredValue.At(document.Stored, path).ShouldNotBeEncrypted(collection.CollectionNamespace.FullName, path))));
}
