using System.Linq.Expressions;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Medco.Csfle.Testing;

/// <summary>
/// Assertions on a document as it is stored: as a client without encryption reads it, or <see cref="EncryptedDocuments"/> makes
/// it. Each throws <see cref="EncryptionAssertionException"/> with everything that does not hold.
/// </summary>
public static class EncryptionAssertions
{
    /// <summary>Asserts that the value at a path is ciphertext.</summary>
    /// <param name="stored">One document.</param>
    /// <param name="path">Its stored names, with dots between them: <c>insurance.policyNumber</c>. A number is the place in an array.</param>
    /// <param name="expected">How it is to be encrypted; null where that does not matter.</param>
    /// <exception cref="EncryptionAssertionException">It is not there, is stored in clear, or is encrypted otherwise.</exception>
    public static void ShouldBeEncrypted(this BsonDocument stored, string path, EncryptionExpectation? expected = null)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ShouldBeEncrypted(stored.ToBson(), path, expected);
    }

    /// <inheritdoc cref="ShouldBeEncrypted(BsonDocument, string, EncryptionExpectation?)"/>
    /// <param name="stored">One document in BSON.</param>
    /// <param name="path">Its stored names, with dots between them.</param>
    /// <param name="expected">How it is to be encrypted; null where that does not matter.</param>
    /// <exception cref="Engine.BsonFormatException">The bytes are not BSON.</exception>
    public static void ShouldBeEncrypted(byte[] stored, string path, EncryptionExpectation? expected = null)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentException.ThrowIfNullOrEmpty(path);
        Throw([StoredValue.At(stored, path).ShouldBeEncrypted(null, path, expected ?? new())]);
    }

    /// <summary>Asserts that the values of members are ciphertext, each under the name that the driver's class maps store it with.</summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <param name="stored">One document.</param>
    /// <param name="fields">The members: <c>x => x.Ssn, x => x.Insurance.PolicyNumber</c>.</param>
    /// <exception cref="EncryptionAssertionException">One is not there, or is stored in clear.</exception>
    public static void ShouldBeEncrypted<T>(this BsonDocument stored, params Expression<Func<T, object?>>[] fields)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var bytes = stored.ToBson();
        Throw([.. PathsOf(fields).Select(path => StoredValue.At(bytes, path).ShouldBeEncrypted(null, path, new()))]);
    }

    /// <summary>Asserts that the value of a member is ciphertext, encrypted as expected.</summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <param name="stored">One document.</param>
    /// <param name="field">The member.</param>
    /// <param name="expected">How it is to be encrypted.</param>
    /// <exception cref="EncryptionAssertionException">It is not there, is stored in clear, or is encrypted otherwise.</exception>
    public static void ShouldBeEncrypted<T>(this BsonDocument stored, Expression<Func<T, object?>> field, EncryptionExpectation expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        stored.ShouldBeEncrypted(PathsOf([field])[0], expected);
    }

    /// <summary>Asserts that the value at a path is there, in clear.</summary>
    /// <param name="stored">One document.</param>
    /// <param name="path">Its stored names, with dots between them.</param>
    /// <exception cref="EncryptionAssertionException">It is not there, or is encrypted itself or as a part of something else.</exception>
    public static void ShouldNotBeEncrypted(this BsonDocument stored, string path)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ShouldNotBeEncrypted(stored.ToBson(), path);
    }

    /// <inheritdoc cref="ShouldNotBeEncrypted(BsonDocument, string)"/>
    /// <exception cref="Engine.BsonFormatException">The bytes are not BSON.</exception>
    public static void ShouldNotBeEncrypted(byte[] stored, string path)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentException.ThrowIfNullOrEmpty(path);
        Throw([StoredValue.At(stored, path).ShouldNotBeEncrypted(null, path)]);
    }

    /// <summary>Asserts that the values of members are there, in clear.</summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <param name="stored">One document.</param>
    /// <param name="fields">The members.</param>
    /// <exception cref="EncryptionAssertionException">One is not there, or is encrypted itself or as a part of something else.</exception>
    public static void ShouldNotBeEncrypted<T>(this BsonDocument stored, params Expression<Func<T, object?>>[] fields)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var bytes = stored.ToBson();
        Throw([.. PathsOf(fields).Select(path => StoredValue.At(bytes, path).ShouldNotBeEncrypted(null, path))]);
    }

    internal static void Throw(IEnumerable<EncryptionAssertionFailure?> failures)
    {
        EncryptionAssertionFailure[] all = [.. failures.OfType<EncryptionAssertionFailure>()];
        if (all.Length > 0) throw new EncryptionAssertionException(all);
    }

    private static string[] PathsOf<T>(Expression<Func<T, object?>>[] fields)
        => FieldPath.Of(fields, BsonSerializer.LookupSerializer<T>(), BsonSerializer.SerializerRegistry);
}
